/**
 * A data directory of about 64 KiB as a broker writes it, stopped cleanly and not, and what was in it.
 *
 * Three topics: many small batches in several segments from an idempotent producer; compressed ones;
 * one with a single batch. Part of it is appended after the recovery point was written down.
 */
import { createTopics } from "../../src/api/create_topics.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import { BatchBuilder, type BatchFields } from "../../src/record/batch_builder.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { BatchWalk } from "../../src/record/batch_walk.ts";
import { type CompressionType, compressWith } from "../../src/record/compression.ts";
import { type RawConnection, startBroker } from "../broker/broker_fixture.ts";
import { fetchFrom, produceTo } from "../broker/topic_requests.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

export interface WrittenBatch {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Uint8Array;
}

export interface WrittenPartition {
  readonly topic: string;
  readonly directory: string;
  readonly batches: readonly WrittenBatch[];
  readonly endOffset: number;
}

export interface Image {
  readonly clean: MemoryDisk;
  /** As a kill leaves it, the page cache written out. */
  readonly unclean: MemoryDisk;
  readonly partitions: readonly WrittenPartition[];
}

export const METADATA_DIRECTORY = "/data/__cluster_metadata-0";
export const FIRST_TIMESTAMP = 1_700_000_000_000;
/** Between two batches; `segment.ms` is a multiple of it. */
export const TIME_STEP_MS = 1000;
const ROUNDS = 60;
/** After which round the recovery point is written down. */
const FLUSH_ROUND = 42;
const BACKGROUND_FLUSH_MS = 30_000;

const compress = compressWith(createHostCompressors());

function batchOf(round: number, compressionType: CompressionType, fields: BatchFields): Uint8Array {
  const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType });
  const count = 1 + round % 4;
  for (let index = 0; index < count; index++) {
    const text = `value ${round} ${index} `.repeat(10 + (round * 7 + index) % 19);
    const timestamp = FIRST_TIMESTAMP + round * TIME_STEP_MS + index;
    builder.append({ key: bytesOf(`key ${round % 11}`), value: bytesOf(text), timestamp });
  }
  return builder.finish(fields, { crc32c: crc32cTables, compress });
}

const CODECS: readonly CompressionType[] = ["gzip", "snappy", "lz4", "zstd"];

async function fill(connection: RawConnection, rounds: readonly number[]): Promise<void> {
  for (const round of rounds) {
    const fields = { producerId: 1000, producerEpoch: 0, baseSequence: sequenceOf(round) };
    const plain = await produceTo(connection, "plain", batchOf(round, "none", fields));
    const codec = CODECS[round % CODECS.length] as CompressionType;
    const packed = await produceTo(connection, "packed", batchOf(round, codec, {}));
    if (plain.errorCode !== 0 || packed.errorCode !== 0) {
      throw new Error(`Cannot fill: ${plain.errorCode} ${packed.errorCode}`);
    }
  }
}

const FIRST_ROUNDS = Array.from({ length: FLUSH_ROUND + 1 }, (_, round) => round);
const LAST_ROUNDS = Array.from(
  { length: ROUNDS - FLUSH_ROUND - 1 },
  (_, index) => FLUSH_ROUND + 1 + index,
);

function sequenceOf(round: number): number {
  let sequence = 0;
  for (let before = 0; before < round; before++) sequence += 1 + before % 4;
  return sequence;
}

const SETTINGS = { "mq.background.flush.ms": String(BACKGROUND_FLUSH_MS) };

export async function makeImage(): Promise<Image> {
  const { broker, dial, disk, clock } = await startBroker(SETTINGS);
  const connection = await dial();
  await createAll(connection);
  await fill(connection, FIRST_ROUNDS);
  await produceTo(connection, "single", batchOf(3, "none", {}));
  await clock.advance(BACKGROUND_FLUSH_MS + 1);
  await fill(connection, LAST_ROUNDS);
  const partitions: WrittenPartition[] = [];
  for (const topic of ["plain", "packed", "single"]) {
    partitions.push(await written(connection, topic));
  }
  await clock.settle();
  const unclean = disk.kill();
  unclean.locks.clear();
  await clock.until(broker.stop());
  return { clean: disk.kill(), unclean, partitions };
}

async function createAll(connection: RawConnection): Promise<void> {
  const configs = Object.entries({ "segment.ms": "15000", "index.interval.bytes": "700" })
    .map(([name, value]) => ({ name, value }));
  const { topics } = await connection.ask(createTopics, 7, {
    topics: ["plain", "packed", "single"].map((name) => ({
      name,
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs,
    })),
    timeoutMs: 1000,
  });
  if (topics.some(({ errorCode }) => errorCode !== 0)) throw new Error("Cannot create topics");
}

async function written(connection: RawConnection, topic: string): Promise<WrittenPartition> {
  const batches: WrittenBatch[] = [];
  let offset = 0;
  for (;;) {
    const { records } = await fetchFrom(connection, topic, { offset });
    if (records === null || records.length === 0) break;
    for (const batch of batchesOf(records)) {
      batches.push(batch);
      offset = batch.nextOffset;
    }
  }
  return { topic, directory: `/data/${topic}-0`, batches, endOffset: offset };
}

export function batchesOf(bytes: Uint8Array): readonly WrittenBatch[] {
  const found: WrittenBatch[] = [];
  const walk = new BatchWalk(bytes);
  while (walk.next()) {
    const at = walk.batch.position();
    const copy = bytes.slice(at, at + walk.batch.sizeInBytes());
    const view = new BatchView(copy);
    found.push({ baseOffset: view.baseOffset(), nextOffset: view.nextOffset(), bytes: copy });
  }
  return found;
}

/** A copy that shares contents, which a `MemoryDisk` never changes in place; one bit is flipped. */
export function flipped(base: MemoryDisk, below: string, path: string, bit: number): MemoryDisk {
  const disk = new MemoryDisk();
  for (const directory of base.directories) disk.directories.add(directory);
  for (const directory of base.directories) disk.durableDirectories.add(directory);
  for (const [name, node] of base.files) {
    if (!name.startsWith(below)) continue;
    const content = name === path ? flip(node.content, bit) : node.content;
    const copy = { content, durable: content };
    disk.files.set(name, copy);
    disk.durableFiles.set(name, copy);
  }
  return disk;
}

function flip(content: Uint8Array, bit: number): Uint8Array {
  const copy = content.slice();
  const at = bit >> 3;
  copy[at] = (copy[at] as number) ^ (1 << (bit & 7));
  return copy;
}
