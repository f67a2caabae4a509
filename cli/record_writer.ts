/**
 * Records on their way out in the form that `consume -f` asks for.
 *
 * The plain forms copy bytes from the fetched batch to the output buffer and decode nothing.
 */
import { formatEnvelope } from "./envelope.ts";
import { usageFailure } from "./failure.ts";
import type { OutputBuffer } from "./output_buffer.ts";
import type { Flags } from "./parse_line.ts";
import { type Header, toBytes, toText } from "./record_text.ts";
import { nearest } from "./suggest.ts";
import { parseDelimiter, parseTemplate, type TemplatePart, type Verb } from "./template.ts";

/** A record where it lies; -1 = null. The library's record cursor is one. */
export interface PlacedRecord {
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  offset(): number;
  timestamp(): number;
  key(): Uint8Array | null;
  value(): Uint8Array | null;
  headers(): readonly Header[];
}

/** Puts one record into the buffer. */
export type WriteRecord = (
  out: OutputBuffer,
  record: PlacedRecord,
  topic: string,
  partition: number,
) => void;

const FORMATS = ["value", "kv", "json"] as const;
const TAB = Uint8Array.of(9);

/** Throws a usage failure. */
export function recordWriter(flags: Flags): WriteRecord {
  const format = flags.isSet("json") ? "json" : flags.text("format") ?? "value";
  const end = flags.isSet("nul")
    ? Uint8Array.of(0)
    : parseDelimiter(flags.text("delimiter") ?? "\\n");
  const nullText = toBytes(flags.text("null") ?? "");
  if (/[%\\]/.test(format)) return templateWriter(parseTemplate(format), nullText);
  switch (FORMATS.find((name) => name === format)) {
    case "value":
      return valueWriter(end, nullText);
    case "kv":
      return keyValueWriter(end, nullText);
    case "json":
      return jsonWriter(end);
    case undefined: {
      const found = nearest(format, FORMATS);
      throw usageFailure(
        `Unknown format '${format}'${found === undefined ? "" : `. Did you mean '${found}'?`}`,
        "It is value, kv, json, or a template such as '%k %v\\n'; see mq help formatting",
      );
    }
  }
}

function valueWriter(end: Uint8Array, nullText: Uint8Array): WriteRecord {
  return (out, record) => {
    putValue(out, record, nullText);
    out.put(end);
  };
}

function keyValueWriter(end: Uint8Array, nullText: Uint8Array): WriteRecord {
  return (out, record) => {
    putKey(out, record, nullText);
    out.put(TAB);
    putValue(out, record, nullText);
    out.put(end);
  };
}

function jsonWriter(end: Uint8Array): WriteRecord {
  return (out, record, topic, partition) => {
    const line = formatEnvelope({
      topic,
      partition,
      offset: record.offset(),
      timestamp: record.timestamp(),
      key: record.key(),
      value: record.value(),
      headers: record.headers(),
    });
    out.put(toBytes(line));
    out.put(end);
  };
}

function putKey(out: OutputBuffer, record: PlacedRecord, nullText: Uint8Array): void {
  if (record.keyStart < 0) out.put(nullText);
  else out.putRange(record.bytes, record.keyStart, record.keyEnd);
}

function putValue(out: OutputBuffer, record: PlacedRecord, nullText: Uint8Array): void {
  if (record.valueStart < 0) out.put(nullText);
  else out.putRange(record.bytes, record.valueStart, record.valueEnd);
}

function templateWriter(parts: readonly TemplatePart[], nullText: Uint8Array): WriteRecord {
  return (out, record, topic, partition) => {
    for (const part of parts) {
      if (part.kind === "text") out.put(part.bytes);
      else if (part.verb === "k") {
        putKey(out, record, nullText);
      } else if (part.verb === "v") {
        putValue(out, record, nullText);
      } else out.put(toBytes(verbText(part.verb, record, topic, partition)));
    }
  };
}

function verbText(
  verb: Exclude<Verb, "k" | "v">,
  record: PlacedRecord,
  topic: string,
  partition: number,
): string {
  switch (verb) {
    case "t":
      return topic;
    case "p":
      return String(partition);
    case "o":
      return String(record.offset());
    case "T":
      return String(record.timestamp());
    case "d":
      return dateText(record.timestamp());
    case "K":
      return String(record.keyStart < 0 ? -1 : record.keyEnd - record.keyStart);
    case "V":
      return String(record.valueStart < 0 ? -1 : record.valueEnd - record.valueStart);
    case "h":
      return record.headers().map(([name, value]) =>
        value === null ? name : `${name}=${toText(value)}`
      ).join(",");
  }
}

function dateText(timestamp: number): string {
  const date = new Date(timestamp);
  return timestamp < 0 || Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString();
}
