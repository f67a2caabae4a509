/**
 * Reads topics as a member of a group.
 *
 *     await using consumer = client.groupConsumer({ groupId, topics: ["orders"] });
 *     for await (const batch of consumer.batches()) {
 *       …
 *       consumer.done(batch.topic, batch.partition, batch.nextOffset);
 *     }
 *
 * At least once: nothing is committed that was not handed out and is not done. Partitions come and go
 * while it is read; what is taken away is not handed out any more from that moment on. An application
 * that asks for nothing more for `maxProcessingMs` has its partitions taken, and is told so.
 *
 * Leaving the loop does not end the membership: `close` does.
 */
import { assert } from "../ground/assert.ts";
import { decompressWith } from "../record/compression.ts";
import type { ClientTools } from "./client_tools.ts";
import type { FetchedBatch } from "./fetched_batch.ts";
import type { FetchPosition } from "./fetch_position.ts";
import type { LogPlace } from "./group/group_progress.ts";
import { GroupDriver } from "./group_driver.ts";
import type { CloseOptions, GroupConsumerOptions, TopicPartition } from "./group_options.ts";
import { groupSettings } from "./group_settings.ts";
import { Handout, type HandoutTools } from "./handout.ts";

export class GroupConsumer implements AsyncDisposable {
  readonly #driver: GroupDriver;
  readonly #handoutTools: HandoutTools;
  #isRead = false;

  /** Throws a `ClientError` where the options make no sense. */
  constructor(tools: ClientTools, options: GroupConsumerOptions) {
    const settings = groupSettings(options, tools.requestTimeoutMs);
    const { inflatedBytesMax, checkCrcs, isReadCommitted } = settings.consumer;
    this.#driver = new GroupDriver(tools, options, settings);
    this.#handoutTools = {
      crc32c: tools.env.crc32c,
      cursor: { decompress: decompressWith(tools.env.compressors), inflatedBytesMax },
      checkCrcs,
      isReadCommitted,
    };
  }

  /**
   * Joins, and hands out batches. Once per consumer. Ends behind `close` and at `until`. Throws a
   * `ClientError`.
   */
  async *batches(): AsyncGenerator<FetchedBatch, void, void> {
    assert(!this.#isRead, "a consumer is read once");
    this.#isRead = true;
    const driver = this.#driver;
    const { fetcher, breath } = driver;
    if (driver.isClosing) return;
    driver.start();
    try {
      while (!driver.isClosing) {
        const fetched = fetcher.take();
        if (fetched === undefined) {
          if (driver.isDone()) return;
          await fetcher.arrival();
          breath.drawn();
          continue;
        }
        const handout = new Handout(fetched, this.#handoutTools);
        let from = placeOf(fetched.position);
        for (;;) {
          if (breath.isShort()) await breath.draw();
          const batch = driver.isClosing ? undefined : handout.next();
          if (batch === undefined) break;
          driver.handOut(batch, from);
          yield batch;
          driver.takeBack();
          if (driver.isClosing) return;
          from = placeOf(fetched.position);
        }
      }
    } finally {
      driver.abandon();
    }
  }

  /** Everything below `nextOffset` is dealt with. What is not this member's any more is ignored. */
  done(topic: string, partition: number, nextOffset: number): void {
    this.#driver.finish({ topic, partition }, nextOffset);
  }

  /** Commits what is done. Throws a `ClientError` where it was not taken. */
  commit(): Promise<void> {
    return this.#driver.commit();
  }

  /** The partitions that are read at this moment. */
  assignment(): readonly TopicPartition[] {
    return this.#driver.assignment();
  }

  /** Empty before it has joined. */
  get memberId(): string {
    return this.#driver.memberId;
  }

  /** Commits under "auto", leaves, and ends the loop. Never throws for a coordinator that is away. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#driver.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function placeOf({ readOffset, readLeaderEpoch }: FetchPosition): LogPlace {
  return { offset: readOffset, leaderEpoch: readLeaderEpoch };
}
