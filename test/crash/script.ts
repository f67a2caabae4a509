/**
 * One life of a broker with everything that touches its disks: topics made, altered and deleted, records
 * produced in both durability classes, segments rolled, retained, trimmed and compacted, clean stops and
 * kills. What is promised from which disk call on is marked in the recording.
 */
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteRecords } from "../../src/api/delete_records.ts";
import { incrementalAlterConfigs } from "../../src/api/incremental_alter_configs.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { Prng } from "../../src/ground/prng.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { produceTo } from "../broker/topic_requests.ts";
import { type SentRecord, TopicPromises } from "./promises.ts";
import { RecordingDisk } from "./recording_disk.ts";
import { World } from "./world.ts";

/** Two records to a batch, so that a torn one would show. */
const BATCH_RECORDS = 2;
const PRODUCER_ID = 7;
const KEYS = 9;
const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

export const BROKER_SETTINGS: Readonly<Record<string, string>> = {
  "log.initial.task.delay.ms": "5000",
  "log.retention.check.interval.ms": "5000",
  "log.cleaner.backoff.ms": "5000",
  "log.segment.delete.delay.ms": "2000",
  "mq.background.flush.ms": "10000",
  "mq.scrub.interval.ms": "0",
};

/** Rolls by time often, and writes an entry of the index every few batches. */
const SMALL = { "segment.ms": "1500", "index.interval.bytes": "300" };

export interface Recording {
  readonly disk: RecordingDisk;
  readonly topics: readonly TopicPromises[];
}

export async function record(seed: number, rounds: number): Promise<Recording> {
  const script = new Script(seed);
  await script.run(rounds);
  return { disk: script.disk, topics: script.topics };
}

interface Written {
  readonly topic: TopicPromises;
  readonly isDurable: boolean;
  readonly isIdempotent: boolean;
  /** Of the script, which runs ahead of the promises. */
  count: number;
  start: number;
}

class Script {
  readonly disk = new RecordingDisk();
  readonly #chance: Prng;
  readonly #fsync: Written = writes(new TopicPromises("fsync"), true, true);
  readonly #memory: Written = writes(new TopicPromises("memory"), false, false);
  readonly #compact: Written = writes(new TopicPromises("compact", true), true, true);
  readonly #short: Written = writes(new TopicPromises("short"), true, false);
  /** Cleaned before it is durable, if ever that could be. */
  readonly #lazy: Written = writes(new TopicPromises("lazy", true), false, false);
  /** Compacted and deleted. */
  readonly #both: Written = writes(new TopicPromises("both", true), true, true);
  readonly #again: Written = writes(new TopicPromises("again"), true, true);
  #isAgainThere = false;
  #world: World | undefined;

  constructor(seed: number) {
    this.#chance = new Prng(seed);
  }

  get topics(): readonly TopicPromises[] {
    return [...this.#lasting, this.#again].map(({ topic }) => topic);
  }

  /** What is there for the whole life. */
  get #lasting(): readonly Written[] {
    return [this.#fsync, this.#memory, this.#compact, this.#short, this.#lazy, this.#both];
  }

  get #broker(): World {
    return this.#world as World;
  }

  async run(rounds: number): Promise<void> {
    this.#world = await World.start({ disk: this.disk, settings: BROKER_SETTINGS });
    await this.#create(this.#fsync, SMALL);
    await this.#create(this.#memory, { ...SMALL, "mq.durability": "memory" });
    const compact = { "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01" };
    await this.#create(this.#compact, { ...SMALL, ...compact, "delete.retention.ms": "20000" });
    await this.#create(this.#short, { ...SMALL, "retention.ms": "20000" });
    await this.#create(this.#lazy, { ...SMALL, ...compact, "mq.durability": "memory" });
    const both = { ...compact, "cleanup.policy": "compact,delete", "retention.ms": "30000" };
    await this.#create(this.#both, { ...SMALL, ...both });
    for (let round = 0; round < rounds; round++) {
      // deno-lint-ignore no-await-in-loop -- a life is one thing after the other
      await this.#step(round);
    }
    await this.#broker.stop();
  }

  async #step(round: number): Promise<void> {
    await this.#broker.clock.advance(this.#chance.below(300));
    const writes = this.#isAgainThere ? [...this.#lasting, this.#again] : this.#lasting;
    await this.#produce(writes[this.#chance.below(writes.length)] as Written);
    if (round % 40 === 20) await this.#pass(12 * SECOND_MS);
    if (round % 90 === 45) await this.#trim(this.#fsync);
    if (round % 70 === 35) await this.#alter(this.#fsync.topic, round);
    if (round % 60 === 30) await this.#createOrDelete();
    if (round % 100 === 90) await this.#restart(this.#chance.below(2) === 0);
  }

  /** Time for the background: flushes, retention, compaction, removals. */
  async #pass(ms: number): Promise<void> {
    for (const { topic, count } of [this.#short, this.#both]) {
      this.disk.mark(() => {
        topic.startMax = Math.max(topic.startMax, count);
      });
    }
    this.disk.mark(() => {
      for (const { topic } of this.#lasting) topic.mayTombstonesGo = true;
    });
    await this.#broker.clock.advance(ms);
    this.#markFlushed();
  }

  /** Every log of the class memory was made durable. */
  #markFlushed(): void {
    for (const { topic, count } of [this.#memory, this.#lazy]) {
      this.disk.mark(() => {
        topic.endAfterPowerLoss = count;
      });
    }
  }

  async #create(written: Written, config: Readonly<Record<string, string>>): Promise<void> {
    const { topic } = written;
    this.disk.mark(() => {
      topic.restart();
      topic.existence = "unsure";
    });
    const configs = Object.entries(config).map(([name, value]) => ({ name, value }));
    const { topics } = await this.#broker.connection.ask(createTopics, 5, {
      topics: [
        { name: topic.name, numPartitions: 1, replicationFactor: 1, assignments: [], configs },
      ],
      timeoutMs: 1000,
    });
    must(topics[0]?.errorCode, `create ${topic.name}`);
    written.count = written.start = 0;
    this.disk.mark(() => {
      topic.existence = "there";
      for (const { name, value } of configs) topic.settings.set(name, [value]);
    });
  }

  async #createOrDelete(): Promise<void> {
    const { topic } = this.#again;
    if (!this.#isAgainThere) await this.#create(this.#again, SMALL);
    else {
      this.disk.mark(() => {
        topic.existence = "unsure";
      });
      await this.#broker.deleteTopic(topic.name);
      this.disk.mark(() => {
        topic.existence = "absent";
      });
    }
    this.#isAgainThere = !this.#isAgainThere;
  }

  async #produce(written: Written): Promise<void> {
    const { topic } = written;
    const records = Array.from(
      { length: BATCH_RECORDS },
      (_, index) => this.#record(written, index),
    );
    const baseOffset = written.count;
    const bytes = batchOf(records, {
      timestamp: this.#broker.clock.wallMs(),
      baseSequence: written.isIdempotent ? baseOffset : undefined,
    });
    this.disk.mark(() => void topic.sent.push(...records));
    const answer = await produceTo(this.#broker.connection, topic.name, bytes.slice());
    must(answer.errorCode, `produce to ${topic.name}`);
    if (answer.baseOffset !== baseOffset) throw new Error(`Offset ${answer.baseOffset}`);
    written.count += records.length;
    const end = written.count;
    this.disk.mark(() => {
      topic.endAfterKill = end;
      if (written.isDurable) topic.endAfterPowerLoss = end;
      if (written.isIdempotent) topic.lastBatch = { bytes, baseOffset };
    });
  }

  #record({ topic, count }: Written, index: number): SentRecord {
    const key = `k${this.#chance.below(KEYS)}`;
    if (topic.isCompacted && this.#chance.below(6) === 0) return { key, value: null };
    const padding = "x".repeat(this.#chance.below(120));
    return { key, value: `${topic.name} ${count + index} ${padding}` };
  }

  async #trim(written: Written): Promise<void> {
    const { topic } = written;
    const offset = written.start + this.#chance.below(written.count - written.start + 1);
    this.disk.mark(() => {
      topic.startMax = Math.max(topic.startMax, offset);
    });
    const { topics } = await this.#broker.connection.ask(deleteRecords, 1, {
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, offset }] }],
      timeoutMs: 1000,
    });
    must(topics[0]?.partitions[0]?.errorCode, `trim ${topic.name}`);
    written.start = offset;
    this.disk.mark(() => {
      topic.startMin = offset;
    });
  }

  async #alter(topic: TopicPromises, round: number): Promise<void> {
    const name = "retention.ms";
    const value = String(DAY_MS + round);
    this.disk.mark(() => {
      topic.settings.set(name, [...(topic.settings.get(name) ?? ["604800000"]), value]);
    });
    const { responses } = await this.#broker.connection.ask(incrementalAlterConfigs, 0, {
      resources: [{
        resourceType: 2,
        resourceName: topic.name,
        configs: [{ name, configOperation: 0, value }],
      }],
      validateOnly: false,
    });
    must(responses[0]?.errorCode, `alter ${topic.name}`);
    this.disk.mark(() => void topic.settings.set(name, [value]));
  }

  async #restart(isClean: boolean): Promise<void> {
    const { clock } = this.#broker;
    if (isClean) await this.#broker.stop();
    else await this.#broker.kill();
    if (isClean) this.#markFlushed();
    this.#world = await World.start({ disk: this.disk, settings: BROKER_SETTINGS, clock });
  }
}

function writes(topic: TopicPromises, isDurable: boolean, isIdempotent: boolean): Written {
  return { topic, isDurable, isIdempotent, count: 0, start: 0 };
}

const TOOLS = {
  crc32c: crc32cTables,
  compress: (_type: string, bytes: Uint8Array): Uint8Array => bytes,
};

function batchOf(
  records: readonly SentRecord[],
  fields: { readonly timestamp: number; readonly baseSequence: number | undefined },
): Uint8Array {
  const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType: "none" });
  for (const { key, value } of records) {
    builder.append({
      key: key === null ? null : bytesOf(key),
      value: value === null ? null : bytesOf(value),
      timestamp: fields.timestamp,
    });
  }
  const { baseSequence } = fields;
  return builder.finish(
    baseSequence === undefined ? {} : { producerId: PRODUCER_ID, producerEpoch: 0, baseSequence },
    TOOLS,
  );
}

function must(errorCode: number | undefined, what: string): void {
  if (errorCode !== 0) throw new Error(`Cannot ${what}: error ${errorCode}`);
}
