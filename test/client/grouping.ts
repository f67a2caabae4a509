/** Members of a group on scripted brokers, each with a client of its own, and what they have seen. */
import type { Client } from "../../src/client/client.ts";
import type { GroupConsumer } from "../../src/client/group_consumer.ts";
import type { GroupConsumerOptions, TopicPartition } from "../../src/client/group_options.ts";
import { type Harness, startHarness, textOrNull } from "./harness.ts";

export interface GroupSetup extends Harness {
  member(name: string, options?: Partial<GroupConsumerOptions>): Promise<Member>;
}

/** Topic "a". */
export async function setUpGroup(
  options: { readonly brokers?: number; readonly partitions?: number } = {},
): Promise<GroupSetup> {
  const harness = await startHarness(options.brokers ?? 1);
  harness.cluster.createTopic("a", options.partitions ?? 4);
  return {
    ...harness,
    member: async (name, more = {}) => {
      const client = await harness.connect({ clientId: name, requestTimeoutMs: 5000 });
      return new Member(name, client, {
        groupId: "g",
        topics: ["a"],
        from: { kind: "start" },
        heartbeatIntervalMs: 1000,
        rebalanceTimeoutMs: 60_000,
        ...more,
      });
    },
  };
}

export class Member {
  readonly name: string;
  readonly client: Client;
  readonly consumer: GroupConsumer;
  /** "partition:offset=value" */
  readonly seen: string[] = [];
  /** "assigned 0,1", "revoked 0", "lost 1", "too-slow", … */
  readonly events: string[] = [];
  /** Batches wait here until it is opened. */
  gate: Promise<void> = Promise.resolve();
  /** Says that a batch is done with; in place of saying so of all. */
  mayFinish = true;
  ended: Promise<string> = Promise.resolve("not started");

  constructor(name: string, client: Client, options: GroupConsumerOptions) {
    this.name = name;
    this.client = client;
    const say = (verb: string, partitions: readonly TopicPartition[]): void => {
      const numbers = partitions.map(({ partition }) => partition).sort((a, b) => a - b);
      this.events.push(`${verb} ${numbers.join()}`);
    };
    this.consumer = client.groupConsumer({
      ...options,
      onAssigned: (partitions) => say("assigned", partitions),
      onRevoked: async (partitions) => {
        say("revoked", partitions);
        await options.onRevoked?.(partitions);
      },
      onLost: (partitions) => say("lost", partitions),
      onNotice: ({ kind }) => void this.events.push(kind),
    });
  }

  /** Reads until it is closed; "ended", or the code of the error. */
  start(): this {
    this.ended = this.#read().then(() => "ended", (error) => error.code ?? String(error));
    return this;
  }

  get partitions(): readonly number[] {
    return this.consumer.assignment().map(({ partition }) => partition).sort((a, b) => a - b);
  }

  async #read(): Promise<void> {
    for await (const batch of this.consumer.batches()) {
      const records = batch.records();
      while (records.next()) {
        this.seen.push(`${batch.partition}:${records.offset()}=${textOrNull(records.value())}`);
      }
      await this.gate;
      if (this.mayFinish) this.consumer.done(batch.topic, batch.partition, batch.nextOffset);
    }
  }
}
