/**
 * Kafka's offset checkpoints: one number per partition of a log directory.
 *
 *     0                  version
 *     4                  lines
 *     orders 0 1042      topic, partition, offset
 *     orders  0  1042    and once more, with two spaces
 *     orders 1 17
 *     orders  1  17
 *
 * The form has no checksum: every line is there twice, so that a file which disagrees with itself is
 * known to be damaged. Kafka reads it as it stands: it splits at any white space, counts lines, and
 * makes a map of them (kafka: OffsetCheckpointFile.Formatter, CheckpointFile.read). A file of single
 * lines, as Kafka writes it, is taken at its word.
 *
 * A damaged file is taken as missing, as a whole, with a warning. Recovery points that are missing cost
 * a walk. Where a log starts is then where its first segment does: nothing is hidden, and records of
 * that segment that were deleted are seen again until they are deleted once more.
 */
import { type Offset, toOffset } from "../ground/numbers.ts";
import { bytesOf, textOf } from "../ground/text.ts";

const VERSION = 0;
const ENTRY = /^(\S{1,249})( {1,2})(\d{1,10})\2(\d{1,16})$/;

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: Offset;
}

export function encodeCheckpoint(entries: Iterable<PartitionOffset>): Uint8Array {
  const lines: string[] = [];
  for (const { topic, partition, offset } of entries) {
    lines.push(`${topic} ${partition} ${offset}\n`, `${topic}  ${partition}  ${offset}\n`);
  }
  return bytesOf(`${VERSION}\n${lines.length}\n${lines.join("")}`);
}

/** Undefined where the bytes are no such file, or disagree with themselves. */
export function decodeCheckpoint(bytes: Uint8Array): readonly PartitionOffset[] | undefined {
  const lines = textOf(bytes).split("\n");
  const [version, count] = lines;
  if (version !== String(VERSION) || lines.at(-1) !== "" || lines.length !== Number(count) + 3) {
    return undefined;
  }
  const entries: PartitionOffset[] = [];
  const seconds: string[] = [];
  for (const line of lines.slice(2, -1)) {
    const [, topic, space, partition, offset] = ENTRY.exec(line) ?? [];
    if (topic === undefined || !Number.isSafeInteger(Number(offset))) return undefined;
    if (space === "  ") seconds.push(line.replaceAll("  ", " "));
    else entries.push({ topic, partition: Number(partition), offset: toOffset(Number(offset)) });
  }
  const isTwice = seconds.length > 0;
  if (isTwice && seconds.join("\n") !== lines.slice(2, -1).filter(isFirst).join("\n")) {
    return undefined;
  }
  return entries;
}

function isFirst(line: string): boolean {
  return !line.includes("  ");
}
