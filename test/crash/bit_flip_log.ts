/** What comes of one flipped bit in the files of a partition, read through `Log`. */
import { DiskFault } from "../../src/env/disk.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import { loadCrc32c } from "../../src/host/crc32c.ts";
import { decodeCheckpoint } from "../../src/log/checkpoint_file.ts";
import { Log, type LogTools } from "../../src/log/log.ts";
import { LogFault } from "../../src/log/log_fault.ts";
import type { LogSlice } from "../../src/log/reading/log_slice.ts";
import { OpenSegments } from "../../src/log/segment/open_segments.ts";
import { ReadChecks } from "../../src/log/reading/read_checks.ts";
import { TailCache } from "../../src/log/reading/tail_cache.ts";
import { decompressWith } from "../../src/record/compression.ts";
import { MetadataQuorum } from "../../src/runtime/quorum/metadata_quorum.ts";
import { MetadataCorrupt } from "../../src/runtime/quorum/not_controller.ts";
import { Prng } from "../../src/ground/prng.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { SETTINGS } from "../log/log_fixture.ts";
import type { MemoryDisk } from "../log/memory_disk.ts";
import {
  FIRST_TIMESTAMP,
  flipped,
  type Image,
  METADATA_DIRECTORY,
  TIME_STEP_MS,
  type WrittenPartition,
} from "./bit_flip_image.ts";

export type Verdict =
  | { readonly kind: "detected" }
  | { readonly kind: "harmless" }
  | { readonly kind: "wrong"; readonly reason: string };

export interface FlippedBit {
  readonly isClean: boolean;
  readonly path: string;
  readonly bit: number;
}

export const DETECTED: Verdict = { kind: "detected" };
export const HARMLESS: Verdict = { kind: "harmless" };

const { crc32c } = loadCrc32c();
const decompress = decompressWith(createHostCompressors());
/** Of all partitions of the image, in its metadata. */
const LEADER_EPOCH = 0;
/** Several slices for each segment. */
const BYTES_MAX = 2500;
const TIMES = [0.5, 17, 40.5, 58].map((round) => FIRST_TIMESTAMP + round * TIME_STEP_MS);

interface Opened {
  readonly log: Log;
  /** Messages of level warn and error. */
  readonly events: readonly string[];
  readonly tools: LogTools;
}

async function open(
  disk: MemoryDisk,
  directory: string,
  at: { readonly isClean: boolean; readonly recoveryPoint: number },
): Promise<Opened> {
  const events: string[] = [];
  const clock = new ManualClock();
  const trace: LogTools["trace"] = {
    event: (level, message) => {
      if (level === "warn" || level === "error") events.push(message);
    },
  };
  const tools: LogTools = {
    disk,
    crc32c,
    decompress,
    trace,
    tail: new TailCache({ bytesMax: 0 }),
    openSegments: new OpenSegments({ countMax: 100 }),
    reads: new ReadChecks({ clock, crc32c, trace, intervalMs: 600_000 }),
    random: new Prng(1),
  };
  const settings = { ...SETTINGS, indexIntervalBytes: 700 };
  const recoveryPoint = toOffset(at.recoveryPoint);
  const log = await Log.open({
    directory,
    settings,
    tools,
    isClean: at.isClean,
    recoveryPoint,
    isRecoveryPointWritten: true,
  });
  return { log, events, tools };
}

/** As the broker had written it down when it was stopped. */
export function recoveryPointOf(disk: MemoryDisk, directory: string): number {
  const bytes = disk.files.get("/data/recovery-point-offset-checkpoint")?.content;
  const entries = bytes === undefined ? undefined : decodeCheckpoint(bytes);
  const found = entries?.find(({ topic, partition }) =>
    `/data/${topic}-${partition}` === directory
  );
  return found?.offset ?? 0;
}

export async function judgeLog(
  image: Image,
  base: MemoryDisk,
  { isClean, path, bit }: FlippedBit,
): Promise<Verdict> {
  const partition = image.partitions.find(({ directory }) => path.startsWith(`${directory}/`));
  if (partition === undefined) return { kind: "wrong", reason: "a file of no partition" };
  const recoveryPoint = recoveryPointOf(base, partition.directory);
  try {
    const disk = flipped(base, partition.directory, path, bit);
    const opened = await open(disk, partition.directory, { isClean, recoveryPoint });
    // A broker has metadata to compare with, and serves no log of a later epoch (partition_opener.ts).
    if ((opened.log.epochs.latest()?.leaderEpoch ?? 0) > LEADER_EPOCH) return DETECTED;
    const read = await readAll(opened, partition, recoveryPoint);
    if (read.kind === "wrong") return read;
    const times = await readTimes(opened, partition);
    if (times.kind === "wrong") return times;
    return read === DETECTED || times === DETECTED || opened.events.length > 0
      ? DETECTED
      : HARMLESS;
  } catch (fault) {
    return verdictOf(fault);
  }
}

/** Reads as consumers do: on from where the last slice ended, behind damage from the next batch. */
async function readAll(
  { log, events }: Opened,
  partition: WrittenPartition,
  recoveryPoint: number,
): Promise<Verdict> {
  let verdict = HARMLESS;
  const { batches, endOffset } = partition;
  if (log.logStartOffset !== 0) return { kind: "wrong", reason: `starts at ${log.logStartOffset}` };
  let offset = 0;
  while (offset < endOffset) {
    const at = batches.findIndex((batch) => offset < batch.nextOffset);
    if (offset >= log.logEndOffset) return missing({ log, events }, offset, recoveryPoint);
    try {
      const limits = { bytesMax: BYTES_MAX, upTo: log.logEndOffset };
      const slice = await log.read(toOffset(offset), limits);
      if (slice === undefined) return { kind: "wrong", reason: `offset ${offset} is out of range` };
      const bytes = await bytesOf(slice);
      if (bytes.length === 0) return { kind: "wrong", reason: `nothing at offset ${offset}` };
      let end = 0;
      let next = offset;
      for (const batch of batches.slice(at)) {
        if (end >= bytes.length) break;
        const served = bytes.subarray(end, end + batch.bytes.length);
        if (!isSame(served, batch.bytes)) {
          return { kind: "wrong", reason: `other bytes for offset ${batch.baseOffset}` };
        }
        end += batch.bytes.length;
        next = batch.nextOffset;
      }
      if (slice.nextOffset !== next) {
        return { kind: "wrong", reason: `goes on at ${slice.nextOffset} behind ${next}` };
      }
      offset = next;
    } catch (fault) {
      const found = verdictOf(fault);
      if (found.kind === "wrong") return found;
      verdict = DETECTED;
      offset = batches[at]?.nextOffset ?? endOffset;
    }
  }
  return verdict;
}

/** What was never known to be durable may be cut off after a crash, if that is told. */
function missing(
  { log, events }: Pick<Opened, "log" | "events">,
  offset: number,
  recoveryPoint: number,
): Verdict {
  const isTold = events.some((message) => message.includes("cut"));
  if (isTold && offset >= recoveryPoint) return DETECTED;
  return { kind: "wrong", reason: `the log ends at ${log.logEndOffset}, events: ${events.join()}` };
}

async function readTimes({ log }: Opened, partition: WrittenPartition): Promise<Verdict> {
  if (partition.topic === "single" || log.logEndOffset < partition.endOffset) return HARMLESS;
  let verdict = HARMLESS;
  for (const [index, time] of TIMES.entries()) {
    try {
      const found = await log.offsetForTimestamp(time, log.logEndOffset);
      const expected = expectedAt(Math.ceil([0.5, 17, 40.5, 58][index] as number));
      if (found?.offset !== expected) {
        return { kind: "wrong", reason: `time ${index} is at ${found?.offset}, not ${expected}` };
      }
    } catch (fault) {
      const found = verdictOf(fault);
      if (found.kind === "wrong") return found;
      verdict = DETECTED;
    }
  }
  return verdict;
}

/** The first offset of a round of the image: rounds have 1, 2, 3, 4, 1, 2 … records. */
function expectedAt(round: number): number {
  let offset = 0;
  for (let before = 0; before < round; before++) offset += 1 + before % 4;
  return offset;
}

export async function judgeMetadata(
  image: Image,
  base: MemoryDisk,
  { isClean, path, bit }: FlippedBit,
): Promise<Verdict> {
  const expected = await metadataOf(isClean ? image.clean : image.unclean, isClean);
  try {
    const found = await metadataOf(flipped(base, METADATA_DIRECTORY, path, bit), isClean);
    if (found.text === expected.text) return found.events.length > 0 ? DETECTED : HARMLESS;
    const isCut = found.events.some((message) => message.includes("cut"));
    if (isCut && !isClean && found.endOffset >= found.recoveryPoint) return DETECTED;
    return { kind: "wrong", reason: `another image: ${found.text.slice(0, 200)}` };
  } catch (fault) {
    return verdictOf(fault);
  }
}

async function metadataOf(
  base: MemoryDisk,
  isClean: boolean,
): Promise<{ text: string; events: readonly string[]; endOffset: number; recoveryPoint: number }> {
  const disk = flipped(base, METADATA_DIRECTORY, "", 0);
  const recoveryPoint = recoveryPointOf(base, METADATA_DIRECTORY);
  const { log, events, tools } = await open(disk, METADATA_DIRECTORY, { isClean, recoveryPoint });
  const clock = new ManualClock();
  const quorum = await MetadataQuorum.open(log, { ...tools, clock, onDiskFault: () => undefined });
  const { image } = quorum;
  const text = JSON.stringify(
    [[...image.topics()], image.brokers()],
    (_key, value: unknown) =>
      value instanceof Map ? [...value] : typeof value === "bigint" ? String(value) : value,
  );
  return { text, events, endOffset: log.logEndOffset, recoveryPoint };
}

export function verdictOf(fault: unknown): Verdict {
  const isTold = fault instanceof LogFault || fault instanceof DiskFault ||
    fault instanceof MetadataCorrupt;
  if (isTold) return DETECTED;
  const reason = fault instanceof Error ? fault.stack ?? fault.message : String(fault);
  return { kind: "wrong", reason: `uncaught: ${reason.split("\n").slice(0, 6).join(" | ")}` };
}

async function bytesOf(slice: LogSlice): Promise<Uint8Array> {
  const bytes = new Uint8Array(slice.byteLength);
  let at = 0;
  for (const part of slice.parts) {
    const piece = part instanceof Uint8Array
      ? part
      // deno-lint-ignore no-await-in-loop
      : await part.file.read(part.position, part.byteLength);
    if (!(part instanceof Uint8Array)) part.release();
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes.subarray(0, at);
}

export function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
