/** A broker on a disk of the test's own, its clock moved by the test, and the requests that it is asked. */
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { metadata } from "../../src/api/metadata.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import { Broker } from "../../src/broker/broker.ts";
import type { Disk } from "../../src/env/disk.ts";
import type { Env } from "../../src/env/env.ts";
import { BufferPool } from "../../src/ground/buffer_pool.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { Prng } from "../../src/ground/prng.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import { RawConnection } from "../broker/broker_fixture.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { MemoryNetwork } from "../client/memory_network.ts";

const ADDRESS = { host: "127.0.0.1", port: 9092 };
const PIECE_BYTES = 1 << 20;
/** ListOffsets: the first offset of a log. */
const EARLIEST = -2;

export interface WorldOptions {
  readonly disk: Disk;
  readonly settings?: Readonly<Record<string, string>>;
  readonly clock?: ManualClock;
}

export class World {
  readonly clock: ManualClock;
  readonly connection: RawConnection;
  /** What the broker warned of. */
  readonly events: readonly string[];
  readonly #broker: Broker;

  static async start(
    { disk, settings = {}, clock = new ManualClock() }: WorldOptions,
  ): Promise<World> {
    const network = new MemoryNetwork();
    network.pieceBytes = PIECE_BYTES;
    const events: string[] = [];
    const chance = new Prng(Math.floor(clock.monotonicMs()));
    const env: Env = {
      clock,
      disk,
      network,
      random: chance.fork(),
      crypto: { randomBytes: (count) => chance.bytes(count) },
      compressors: createHostCompressors(),
      crc32c: crc32cTables,
      trace: {
        event: (level, message, fields) => {
          if (level !== "info") events.push(`${level} ${message} ${JSON.stringify(fields)}`);
        },
      },
    };
    const given = Object.entries({
      "log.dirs": "/data",
      "mq.http.listener": "off",
      "auto.create.topics.enable": "false",
      ...settings,
    });
    const framePool = new BufferPool({ bytesMax: 1 << 20 });
    const broker = new Broker({ env, settings: new Map(given), framePool });
    await clock.until(broker.start());
    const connection = new RawConnection(await network.dial(ADDRESS), clock);
    return new World({ clock, broker, connection, events });
  }

  private constructor(
    parts: Pick<World, "clock" | "connection" | "events"> & { readonly broker: Broker },
  ) {
    this.clock = parts.clock;
    this.connection = parts.connection;
    this.events = parts.events;
    this.#broker = parts.broker;
  }

  async topics(): Promise<ReadonlySet<string>> {
    const { topics } = await this.connection.ask(metadata, 9, {
      topics: null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    return new Set(topics.map(({ name }) => name ?? ""));
  }

  async startOffset(topic: string): Promise<number> {
    const { topics } = await this.connection.ask(listOffsets, 6, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{
        name: topic,
        partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: EARLIEST }],
      }],
    });
    return topics[0]?.partitions[0]?.offset ?? -1;
  }

  async deleteTopic(name: string): Promise<void> {
    const { responses } = await this.connection.ask(deleteTopics, 5, {
      topicNames: [name],
      timeoutMs: 1000,
    });
    if (responses[0]?.errorCode !== 0) throw new Error(`Cannot delete ${name}`);
  }

  /** Gracefully; with the clean mark. */
  stop(): Promise<void> {
    return this.clock.until(this.#broker.stop());
  }

  /** As a kill: nothing is written any more. */
  async kill(): Promise<void> {
    this.#broker.halt();
    await this.clock.settle();
  }
}
