/**
 * A record as one line of JSON, both ways without loss: what `consume -f json` prints,
 * `produce -f json` takes.
 *
 *   {"topic":"t","partition":0,"offset":42,"timestamp":"2026-01-02T09:00:00.000Z",
 *    "key":"0123","value":"…","headers":[["h","1"],["n",null]]}
 *
 * null is a missing key or a tombstone. What is not UTF-8 is base64, said by "keyEncoding" or
 * "valueEncoding", and by a third element of a header. "valueEncoding":"json" means that the value
 * stands there as JSON itself. Read back, only "key" or "value" is required; "topic", "offset" and
 * "leaderEpoch" are ignored. Headers are a list because names may repeat.
 */
import { fromBase64, toBase64 } from "./base64.ts";
import { type Header, toBytes, toTextExactly } from "./record_text.ts";

export interface EnvelopeRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970; -1 = none. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

/** What may be produced; what is undefined was not said. */
export interface EnvelopeInput {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
  readonly timestamp: number | undefined;
  readonly partition: number | undefined;
}

/** Without the end of the line. */
export function formatEnvelope(record: EnvelopeRecord): string {
  const { topic, partition, offset } = record;
  return `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${offset}` +
    `,"timestamp":${formatTimestamp(record.timestamp)}${formatField("key", record.key)}` +
    `${formatField("value", record.value)},"headers":${formatHeaders(record.headers)}}`;
}

const DATE_MS_MAX = 8.64e15;

/** RFC 3339 with milliseconds; a number where no date can say it. */
function formatTimestamp(timestamp: number): string {
  if (timestamp === -1) return "null";
  if (timestamp < 0 || timestamp > DATE_MS_MAX) return String(timestamp);
  return `"${new Date(timestamp).toISOString()}"`;
}

function formatField(name: "key" | "value", bytes: Uint8Array | null): string {
  if (bytes === null) return `,"${name}":null`;
  const text = toTextExactly(bytes);
  if (text !== undefined) return `,"${name}":${JSON.stringify(text)}`;
  return `,"${name}":"${toBase64(bytes)}","${name}Encoding":"base64"`;
}

function formatHeaders(headers: readonly Header[]): string {
  if (headers.length === 0) return "[]";
  const parts = headers.map(([key, value]) => {
    if (value === null) return [key, null];
    const text = toTextExactly(value);
    return text === undefined ? [key, toBase64(value), "base64"] : [key, text];
  });
  return JSON.stringify(parts);
}

/** A sentence about what is wrong, without the line it is in. */
export class EnvelopeError extends Error {
  override readonly name = "EnvelopeError";
}

/** Throws an `EnvelopeError`. */
export function parseEnvelope(line: string): EnvelopeInput {
  const fields = parseObject(line);
  if (!("key" in fields) && !("value" in fields)) {
    throw new EnvelopeError("it has neither a 'value' nor a 'key'");
  }
  return {
    key: parseField(fields, "key"),
    value: parseField(fields, "value"),
    headers: parseHeaders(fields["headers"]),
    timestamp: parseTimestamp(fields["timestamp"]),
    partition: parsePartition(fields["partition"]),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(line: string): Fields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    const reason = (error as Error).message.replace(/^JSON Parse error: /, ""); // Bun says so
    throw new EnvelopeError(`it is not JSON (${reason})`);
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Fields;
  }
  throw new EnvelopeError("a record is a JSON object with a 'value'");
}

function parseField(fields: Fields, name: "key" | "value"): Uint8Array | null {
  const field = fields[name];
  const encoding = fields[`${name}Encoding`];
  if (encoding === "json") return toBytes(JSON.stringify(field ?? null));
  if (field === undefined || field === null) return null;
  if (encoding === undefined || encoding === "text" || encoding === "utf8") {
    return toBytes(typeof field === "string" ? field : JSON.stringify(field));
  }
  if (encoding !== "base64") {
    throw new EnvelopeError(`'${name}Encoding' is 'base64' or 'json', not ${show(encoding)}`);
  }
  return parseBase64(field, `'${name}'`);
}

function parseBase64(text: unknown, what: string): Uint8Array {
  const bytes = typeof text === "string" ? fromBase64(text) : undefined;
  if (bytes !== undefined) return bytes;
  throw new EnvelopeError(`${what} is not base64`);
}

function parseHeaders(headers: unknown): readonly Header[] {
  if (headers === undefined || headers === null) return [];
  if (typeof headers !== "object") throw new EnvelopeError("'headers' is a list of [name, value]");
  const pairs: readonly unknown[] = Array.isArray(headers) ? headers : Object.entries(headers);
  return pairs.map(parseHeader);
}

function parseHeader(pair: unknown): Header {
  const [key, value, encoding] = Array.isArray(pair) ? pair as unknown[] : [];
  if (typeof key !== "string") {
    throw new EnvelopeError(`a header is [name, value], not ${show(pair)}`);
  }
  if (value === null || value === undefined) return [key, null];
  if (encoding === "base64") return [key, parseBase64(value, `header '${key}'`)];
  return [key, toBytes(typeof value === "string" ? value : JSON.stringify(value))];
}

function parseTimestamp(timestamp: unknown): number | undefined {
  if (timestamp === undefined || timestamp === null) return undefined;
  const value = typeof timestamp === "string" ? Date.parse(timestamp) : timestamp;
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new EnvelopeError(
    `'timestamp' is milliseconds since 1970 or RFC 3339, not ${show(timestamp)}`,
  );
}

function parsePartition(partition: unknown): number | undefined {
  if (partition === undefined || partition === null) return undefined;
  if (Number.isInteger(partition) && (partition as number) >= 0) return partition as number;
  throw new EnvelopeError(`'partition' is a whole number from 0, not ${show(partition)}`);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
