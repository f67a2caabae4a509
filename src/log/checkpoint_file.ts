/**
 * Kafka's offset checkpoints: one number per partition of a log directory.
 *
 *     0                  version
 *     2                  entries
 *     orders 0 1042      topic, partition, offset
 *     orders 1 17
 *
 * All of them are hints: a missing, stale or damaged one only costs time. A damaged file is taken as
 * empty, as a whole. Source: kafka: OffsetCheckpointFile, CheckpointFile.
 */
import { type Offset, toOffset } from "../ground/numbers.ts";
import { bytesOf, textOf } from "../ground/text.ts";

const VERSION = 0;
const ENTRY = /^(\S{1,249}) (\d{1,10}) (\d{1,16})$/;

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: Offset;
}

export function encodeCheckpoint(entries: Iterable<PartitionOffset>): Uint8Array {
  const lines: string[] = [];
  for (const entry of entries) lines.push(`${entry.topic} ${entry.partition} ${entry.offset}\n`);
  return bytesOf(`${VERSION}\n${lines.length}\n${lines.join("")}`);
}

/** Undefined where the bytes are no such file. */
export function decodeCheckpoint(bytes: Uint8Array): readonly PartitionOffset[] | undefined {
  const lines = textOf(bytes).split("\n");
  const [version, count] = lines;
  if (version !== String(VERSION) || lines.at(-1) !== "" || lines.length !== Number(count) + 3) {
    return undefined;
  }
  const entries: PartitionOffset[] = [];
  for (const line of lines.slice(2, -1)) {
    const [, topic, partition, offset] = ENTRY.exec(line) ?? [];
    if (topic === undefined || !Number.isSafeInteger(Number(offset))) return undefined;
    entries.push({ topic, partition: Number(partition), offset: toOffset(Number(offset)) });
  }
  return entries;
}
