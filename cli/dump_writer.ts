/**
 * Items of a dumped file as text or as JSON, one line each, into the output buffer.
 *
 * Text: one line for a batch or an entry, in columns; a line that begins with a TAB is a record of the
 * batch above; a line that begins with `!` is a damaged place. JSON: an object a line, told apart by
 * `kind`: batch, record, control, metadata, entry, damage.
 */
import { formatEnvelope } from "./envelope.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import type { DumpedControl, DumpedEntry, DumpVisitor } from "../src/mod.ts";
import { toBase64 } from "./base64.ts";
import { toBytes, toTextExactly } from "./record_text.ts";

export type DumpedBatch = Parameters<DumpVisitor["onBatch"]>[0];
export type DumpedRecords = Parameters<DumpVisitor["onRecords"]>[0];
export type DumpedDamage = Parameters<DumpVisitor["onDamage"]>[0];

export interface DumpWriter {
  batch(batch: DumpedBatch, position: number): void;
  /** The record that the cursor stands at. */
  record(records: DumpedRecords): void;
  metadata(records: DumpedRecords, record: object): void;
  control(control: DumpedControl): void;
  entry(entry: DumpedEntry): void;
  damage(damage: DumpedDamage): void;
}

export interface DumpForm {
  readonly topic: string;
  readonly partition: number;
  readonly hasHeader: boolean;
  /** For a terminal; a pipe gets TABs. */
  readonly isAligned: boolean;
}

const DATE_MS_MAX = 8.64e15;

/** RFC 3339; null where there is no time. */
function timeOf(timestamp: number): string | number | null {
  if (timestamp === -1) return null;
  if (timestamp < 0 || timestamp > DATE_MS_MAX) return timestamp;
  return new Date(timestamp).toISOString();
}

export class JsonDump implements DumpWriter {
  readonly #out: OutputBuffer;
  readonly #form: DumpForm;

  constructor(out: OutputBuffer, form: DumpForm) {
    this.#out = out;
    this.#form = form;
  }

  batch(batch: DumpedBatch, position: number): void {
    this.#put({
      kind: "batch",
      position,
      sizeInBytes: batch.sizeInBytes(),
      baseOffset: batch.baseOffset(),
      lastOffset: batch.lastOffset(),
      recordCount: batch.recordCount(),
      crc: batch.crc(),
      isCrcValid: true,
      compressionType: batch.compressionType() ?? null,
      timestampType: batch.timestampType(),
      maxTimestamp: timeOf(batch.maxTimestamp()),
      producerId: batch.producerId(),
      producerEpoch: batch.producerEpoch(),
      baseSequence: batch.baseSequence(),
      lastSequence: batch.lastSequence(),
      isTransactional: batch.isTransactional(),
      isControl: batch.isControl(),
      leaderEpoch: batch.partitionLeaderEpoch(),
      deleteHorizon: batch.hasDeleteHorizon() ? timeOf(batch.baseTimestamp()) : null,
    });
  }

  record(records: DumpedRecords): void {
    const { topic, partition } = this.#form;
    const envelope = formatEnvelope({
      topic,
      partition,
      offset: records.offset(),
      timestamp: records.timestamp(),
      key: records.key(),
      value: records.value(),
      headers: records.headers(),
    });
    this.#out.put(toBytes(`{"kind":"record",${envelope.slice(1)}\n`));
  }

  metadata(records: DumpedRecords, record: object): void {
    const timestamp = timeOf(records.timestamp());
    this.#put({ kind: "metadata", offset: records.offset(), timestamp, record });
  }

  control({ offset, timestamp, controlType, coordinatorEpoch }: DumpedControl): void {
    const epoch = coordinatorEpoch ?? null;
    this.#put({
      kind: "control",
      offset,
      timestamp: timeOf(timestamp),
      controlType,
      coordinatorEpoch: epoch,
    });
  }

  entry(entry: DumpedEntry): void {
    this.#put({ kind: "entry", ...entry });
  }

  damage({ position, sizeInBytes, reason, claims }: DumpedDamage): void {
    this.#put({ kind: "damage", position, sizeInBytes, reason, claims: claims ?? null });
  }

  #put(item: object): void {
    this.#out.put(toBytes(`${JSON.stringify(item)}\n`));
  }
}

const BATCH_COLUMNS = [
  "POSITION",
  "SIZE",
  "BASE-OFFSET",
  "LAST-OFFSET",
  "COUNT",
  "CODEC",
  "TIME-TYPE",
  "MAX-TIME",
  "PRODUCER",
  "EPOCH",
  "SEQUENCE",
  "LEADER-EPOCH",
  "FLAGS",
];
const BATCH_WIDTHS = [11, 9, 12, 12, 6, 6, 9, 24, 8, 5, 10, 12, 0];
const ENTRY_WIDTH = 16;

export class TextDump implements DumpWriter {
  readonly #out: OutputBuffer;
  readonly #form: DumpForm;
  #columns = "";

  constructor(out: OutputBuffer, form: DumpForm) {
    this.#out = out;
    this.#form = form;
  }

  batch(batch: DumpedBatch, position: number): void {
    this.#head(BATCH_COLUMNS, BATCH_WIDTHS);
    const flags: string[] = [];
    if (batch.isTransactional()) flags.push("transactional");
    if (batch.isControl()) flags.push("control");
    if (batch.hasDeleteHorizon()) flags.push(`delete-horizon=${timeOf(batch.baseTimestamp())}`);
    this.#row([
      String(position),
      String(batch.sizeInBytes()),
      String(batch.baseOffset()),
      String(batch.lastOffset()),
      String(batch.recordCount()),
      batch.compressionType() ?? "?",
      batch.timestampType(),
      String(timeOf(batch.maxTimestamp()) ?? "-"),
      cell(batch.producerId()),
      cell(batch.producerEpoch()),
      cell(batch.baseSequence()),
      cell(batch.partitionLeaderEpoch()),
      flags.join(",") || "-",
    ], BATCH_WIDTHS);
  }

  record(records: DumpedRecords): void {
    const headers = records.headers().map(([name, value]) => `${name}=${shown(value)}`).join(",");
    this.#line(
      `\t${records.offset()}\t${timeOf(records.timestamp()) ?? "-"}\t${shown(records.key())}\t` +
        `${shown(records.value())}\t${headers || "-"}`,
    );
  }

  metadata(records: DumpedRecords, record: object): void {
    this.#line(
      `\t${records.offset()}\t${timeOf(records.timestamp()) ?? "-"}\t${JSON.stringify(record)}`,
    );
  }

  control({ offset, timestamp, controlType, coordinatorEpoch }: DumpedControl): void {
    const epoch = coordinatorEpoch === undefined ? "" : `\tcoordinator-epoch=${coordinatorEpoch}`;
    this.#line(`\t${offset}\t${timeOf(timestamp) ?? "-"}\t${controlType}${epoch}`);
  }

  entry(entry: DumpedEntry): void {
    const names = Object.keys(entry);
    const widths = names.map(() => ENTRY_WIDTH);
    this.#head(names.map((name) => name.replace(/[A-Z]/g, "-$&").toUpperCase()), widths);
    this.#row(
      names.map((name) => {
        const value = entry[name] ?? null;
        return name === "timestamp" ? `${timeOf(Number(value)) ?? "-"}` : cell(value);
      }),
      widths,
    );
  }

  damage({ position, sizeInBytes, reason, claims }: DumpedDamage): void {
    const offsets = claims === undefined
      ? ""
      : `; its header says offsets ${claims.baseOffset} to ${claims.lastOffset}`;
    const extent = sizeInBytes === 0 ? "" : `, ${sizeInBytes} bytes`;
    this.#line(`! damaged at byte ${position}${extent}: ${reason}${offsets}`);
  }

  /** Column names, where they are not those of the line before. */
  #head(columns: readonly string[], widths: readonly number[]): void {
    const key = columns.join(" ");
    if (key === this.#columns) return;
    this.#columns = key;
    if (this.#form.hasHeader) this.#row(columns, widths);
  }

  #row(cells: readonly string[], widths: readonly number[]): void {
    if (!this.#form.isAligned) return this.#line(cells.join("\t"));
    this.#line(cells.map((text, at) => text.padEnd(widths[at] ?? 0)).join("  ").trimEnd());
  }

  #line(text: string): void {
    this.#out.put(toBytes(`${text}\n`));
  }
}

/** -1 stands for "none" in these fields. */
function cell(value: string | number | null): string {
  return value === null || value === -1 ? "-" : String(value);
}

/** On one line: text as it is, quoted where it holds control characters; else base64. */
function shown(bytes: Uint8Array | null): string {
  if (bytes === null) return "null";
  const text = toTextExactly(bytes);
  if (text === undefined) return `base64:${toBase64(bytes)}`;
  return hasControl(text) ? JSON.stringify(text) : text;
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) < 0x20) return true;
  return false;
}
