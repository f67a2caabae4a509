/**
 * Entries of the small files of a data directory: indexes, snapshots, checkpoints, properties.
 *
 * All of them are read whole; an index has at most `segment.index.bytes`.
 */
import type { Crc32c } from "../../ground/crc32c.ts";
import type { Offset } from "../../ground/numbers.ts";
import { textOf } from "../../ground/text.ts";
import { OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES } from "../format.ts";
import { decodeProducerSnapshot } from "../producers/producer_snapshot.ts";
import { TRANSACTION_ENTRY_BYTES, TransactionIndex } from "../index/transaction_index.ts";
import type { DataFileKind } from "./file_kind.ts";
import { entrySpan, offsetEntryAt, timeEntryAt } from "./index_files.ts";

/** One entry of an index, a snapshot or a checkpoint: its fields by name. */
export type DumpedEntry = Readonly<Record<string, string | number | null>>;

export interface EntrySource {
  readonly kind: DataFileKind;
  readonly baseOffset: number;
  readonly bytes: Uint8Array;
  readonly crc32c: Crc32c;
  /** Index entries below are left out. */
  readonly fromOffset: number;
}

type OnFlaw = (position: number, reason: string) => void;

export function* entriesOf(source: EntrySource, onFlaw: OnFlaw): Generator<DumpedEntry> {
  const { bytes } = source;
  switch (source.kind) {
    case "index":
    case "timeindex":
      return yield* indexEntries(source, onFlaw);
    case "txnindex":
      return yield* transactionEntries(source, onFlaw);
    case "snapshot":
      return yield* snapshotEntries(source, onFlaw);
    case "leader-epochs":
      return yield* lineEntries(bytes, ["leaderEpoch", "startOffset"], onFlaw);
    case "checkpoint":
      return yield* lineEntries(bytes, ["topic", "partition", "offset"], onFlaw);
    case "directory-list":
      return yield* directoryEntries(bytes);
    case "clean-mark":
    case "quorum-state":
      return yield* jsonEntry(bytes, onFlaw);
    default:
      return yield* propertyEntries(bytes);
  }
}

function* indexEntries(
  { kind, baseOffset, bytes, fromOffset }: EntrySource,
  onFlaw: OnFlaw,
): Generator<DumpedEntry> {
  const isTime = kind === "timeindex";
  const { count, zeroBytes, oddBytes } = entrySpan(
    bytes,
    isTime ? TIME_ENTRY_BYTES : OFFSET_ENTRY_BYTES,
  );
  let before = -Infinity;
  for (let index = 0; index < count; index++) {
    const entry = isTime
      ? timeEntryAt(bytes, baseOffset, index)
      : offsetEntryAt(bytes, baseOffset, index);
    const key = "timestamp" in entry ? entry.timestamp : entry.offset;
    if (key <= before) onFlaw(entry.byte, `entry ${index} does not go up`);
    before = key;
    if (entry.offset < fromOffset) continue;
    const { byte, offset } = entry;
    yield "timestamp" in entry
      ? { byte, timestamp: entry.timestamp, offset }
      : { byte, offset, position: entry.position };
  }
  if (oddBytes > 0) {
    onFlaw(bytes.length - oddBytes, `${oddBytes} bytes at the end are no entry`);
  }
  if (zeroBytes > 0) yield { byte: bytes.length - zeroBytes, preallocatedBytes: zeroBytes };
}

function* transactionEntries(
  { baseOffset, bytes }: EntrySource,
  onFlaw: OnFlaw,
): Generator<DumpedEntry> {
  const index = new TransactionIndex(baseOffset as Offset, bytes);
  for (const [at, entry] of index.entries.entries()) {
    yield { byte: at * TRANSACTION_ENTRY_BYTES, ...entry };
  }
  const flaw = index.flaw();
  if (flaw !== undefined) onFlaw(0, flaw);
}

function* snapshotEntries(
  { crc32c, bytes }: EntrySource,
  onFlaw: OnFlaw,
): Generator<DumpedEntry> {
  const decoded = decodeProducerSnapshot(bytes, crc32c);
  if (typeof decoded === "string") return onFlaw(0, decoded);
  for (const entry of decoded) {
    const last = entry.batches.at(-1);
    yield {
      producerId: entry.producerId,
      producerEpoch: entry.producerEpoch,
      lastSequence: last?.lastSequence ?? -1,
      lastOffset: last?.lastOffset ?? -1,
      offsetDelta: last?.offsetDelta ?? 0,
      timestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTransactionFirstOffset: entry.currentTxnFirstOffset,
    };
  }
}

/** Kafka's checkpoint text: version, count, then the lines. */
function* lineEntries(
  bytes: Uint8Array,
  fields: readonly string[],
  onFlaw: OnFlaw,
): Generator<DumpedEntry> {
  if (bytes.length === 0) return; // as Kafka makes it
  const lines = textOf(bytes).split("\n");
  const [version, count] = lines;
  let at = (version?.length ?? 0) + (count?.length ?? 0) + 2;
  const entries = lines.slice(2).filter((line, index) => line !== "" || index < lines.length - 3);
  if (version !== "0" || Number(count) !== entries.length) {
    onFlaw(0, `version ${version} and ${count} entries, and there are ${entries.length}`);
  }
  let before = "";
  for (const line of entries) {
    if (line.includes("  ")) { // our own files have every line twice: see checkpoint_file.ts
      const isRepeated = line.replaceAll("  ", " ") === before;
      if (!isRepeated) onFlaw(at, `'${line.slice(0, 100)}' does not repeat the line before it`);
      at += line.length + 1;
      continue;
    }
    before = line;
    const parts = line.split(" ");
    const isSound = parts.length === fields.length &&
      parts.slice(fields.length - 2).every((part) => /^-?\d{1,16}$/.test(part));
    if (!isSound) onFlaw(at, `'${line.slice(0, 100)}' is no entry`);
    else {
      yield Object.fromEntries(fields.map((name, index) => {
        const part = parts[index] as string;
        return [name, name === "topic" ? part : Number(part)];
      }));
    }
    at += line.length + 1;
  }
}

/** A version, then the id and the path of a log directory on each line. */
function* directoryEntries(bytes: Uint8Array): Generator<DumpedEntry> {
  for (const line of textOf(bytes).split("\n").slice(1)) {
    const at = line.indexOf(" ");
    if (at > 0) yield { directoryId: line.slice(0, at), path: line.slice(at + 1) };
  }
}

function* propertyEntries(bytes: Uint8Array): Generator<DumpedEntry> {
  for (const line of textOf(bytes).split("\n")) {
    const [, name, value] = /^\s*([^#!\s=:][^=:\s]*)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined) yield { name, value: value ?? "" };
  }
}

function* jsonEntry(bytes: Uint8Array, onFlaw: OnFlaw): Generator<DumpedEntry> {
  try {
    const value = JSON.parse(textOf(bytes)) as Readonly<Record<string, unknown>> | null;
    for (const [name, field] of Object.entries(value ?? {})) {
      yield { name, value: typeof field === "string" ? field : JSON.stringify(field) };
    }
  } catch {
    onFlaw(0, "it is no JSON"); // JSON.parse has no other way to say no
  }
}
