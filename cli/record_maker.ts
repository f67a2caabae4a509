/**
 * From a piece of input to a record: what the flags of `mq produce` say about keys, nulls and headers.
 *
 * Two ways. Plain lines, with or without a key in front (-K), become places in the input buffer and are
 * never copied or decoded here. What needs more (a key for all, a key out of the value, JSON) becomes a
 * record of its own.
 */
import { EnvelopeError, parseEnvelope } from "./envelope.ts";
import { Failure, usageFailure } from "./failure.ts";
import { keyAt, type KeyPath, parseKeyPath } from "./key_path.ts";
import { parseTime } from "./offset_range.ts";
import type { Flags } from "./parse_line.ts";
import { requireWhole } from "./quantity.ts";
import { type Header, toBytes, toText } from "./record_text.ts";
import { indexOfBytes } from "./record_splitter.ts";
import { parseDelimiter } from "./template.ts";

export interface MakerOptions {
  readonly isJson: boolean;
  /** -k: the key of every record. */
  readonly key: Uint8Array | undefined;
  readonly keySeparator: Uint8Array | undefined;
  readonly keyPath: KeyPath | undefined;
  readonly headers: readonly Header[];
  readonly partition: number | undefined;
  readonly timestamp: number | undefined;
  /** -Z: an empty value is null. */
  readonly isEmptyNull: boolean;
  /** --null: this value is null. */
  readonly nullText: Uint8Array | undefined;
}

/** Throws a usage failure. */
export function makerOptions(flags: Flags, now: number): MakerOptions {
  const ways = ["key", "key-from", "key-sep"].filter((name) => flags.isSet(name));
  if (ways.length > 1) {
    throw usageFailure(`Conflicting flags --${ways.join(" and --")}: a record has one key`);
  }
  const text = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const value = flags.text(name);
    return value === undefined ? undefined : parse(value);
  };
  const isJson = flags.text("format") === "json";
  if (isJson && flags.isSet("key-sep")) {
    throw usageFailure("Conflicting flags --key-sep and --format json: the JSON holds the key");
  }
  return {
    isJson,
    key: text("key", toBytes),
    keySeparator: text("key-sep", parseDelimiter),
    keyPath: text("key-from", parseKeyPath),
    headers: flags.list("header").map(parseHeader),
    partition: text("partition", (value) => requireWhole(value, "partition", [0, 0x7fffffff])),
    timestamp: text("at", (value) => requireTime(value, now)),
    isEmptyNull: flags.isSet("tombstone"),
    nullText: text("null", toBytes),
  };
}

/** `name:value` or `name=value`, whichever sign comes first; a name alone has a null value. */
export function parseHeader(text: string): Header {
  const at = text.search(/[:=]/);
  if (at < 0 && text !== "") return [text, null];
  if (at > 0) return [text.slice(0, at), toBytes(text.slice(at + 1))];
  throw usageFailure(`Invalid header '${text}' for --header: NAME:VALUE is wanted`);
}

function requireTime(text: string, now: number): number {
  const time = parseTime(text, now);
  if (time !== undefined) return time;
  throw usageFailure(
    `Invalid time '${text}' for --at`,
    "A time is RFC 3339 (2026-01-02T09:00:00Z), a date, seconds or milliseconds since 1970, or -1h",
  );
}

/** A record of its own. */
export interface MadeRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[] | undefined;
  readonly timestamp: number | undefined;
  readonly partition: number | undefined;
}

/** A record as a place in the input; one object is used over and over. */
export interface SliceRecord {
  bytes: Uint8Array;
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
  headers: readonly Header[] | undefined;
  timestamp: number | undefined;
  partition: number | undefined;
}

export class RecordMaker {
  readonly slice: SliceRecord;
  readonly #options: MakerOptions;

  constructor(options: MakerOptions) {
    this.#options = options;
    this.slice = {
      bytes: new Uint8Array(0),
      keyStart: -1,
      keyEnd: -1,
      valueStart: -1,
      valueEnd: -1,
      headers: options.headers.length === 0 ? undefined : options.headers,
      timestamp: options.timestamp,
      partition: options.partition,
    };
  }

  /** Whether `fill` is enough; otherwise `make` is needed. */
  get isPlain(): boolean {
    const { isJson, key, keyPath } = this.#options;
    return !isJson && key === undefined && keyPath === undefined;
  }

  /** Makes `slice` the record that lies there. */
  fill(bytes: Uint8Array, start: number, end: number): void {
    const { slice } = this;
    const { keySeparator } = this.#options;
    slice.bytes = bytes;
    slice.keyStart = -1;
    slice.keyEnd = -1;
    slice.valueStart = start;
    slice.valueEnd = end;
    if (keySeparator !== undefined) this.#divide(keySeparator, start, end);
    if (this.#isNull(bytes, slice.valueStart, end)) slice.valueStart = slice.valueEnd = -1;
  }

  /**
   * The record that lies there; `number` counts pieces from 1, for the message of a failure. Its key
   * and value may be views of `bytes`.
   */
  make(bytes: Uint8Array, start: number, end: number, number: number): MadeRecord {
    if (this.#options.isJson) return this.#makeFromJson(bytes.subarray(start, end), number);
    this.fill(bytes, start, end);
    const { keyStart, keyEnd, valueStart, valueEnd } = this.slice;
    const { key, keyPath, headers, timestamp, partition } = this.#options;
    const ownKey = keyStart < 0 ? null : bytes.subarray(keyStart, keyEnd);
    const value = valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd);
    return {
      key: keyPath === undefined ? key ?? ownKey : keyOf(keyPath, value, number),
      value,
      headers,
      timestamp,
      partition,
    };
  }

  /** A line without a separator has no key; with -Z it is a key without a value. */
  #divide(separator: Uint8Array, start: number, end: number): void {
    const { slice } = this;
    const at = indexOfBytes(slice.bytes, separator, start, end);
    if (at < 0 && !this.#options.isEmptyNull) return;
    slice.keyStart = start;
    slice.keyEnd = at < 0 ? end : at;
    slice.valueStart = at < 0 ? end : at + separator.length;
  }

  #isNull(bytes: Uint8Array, start: number, end: number): boolean {
    const { isEmptyNull, nullText } = this.#options;
    if (isEmptyNull && start === end) return true;
    if (nullText === undefined || nullText.length !== end - start) return false;
    for (let index = 0; index < nullText.length; index++) {
      if (bytes[start + index] !== nullText[index]) return false;
    }
    return true;
  }

  /** What a flag says goes before what the record says; headers are added. */
  #makeFromJson(bytes: Uint8Array, number: number): MadeRecord {
    const { key, keyPath, headers, timestamp, partition } = this.#options;
    let record: MadeRecord;
    try {
      record = parseEnvelope(toText(bytes));
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
      throw new Failure("BAD_INPUT", `Cannot read record ${number} as JSON: ${error.message}`, {
        hint: 'One JSON object a line: {"key":"k","value":"v"}; see mq help formatting',
      });
    }
    return {
      key: keyPath === undefined ? key ?? record.key : keyOf(keyPath, record.value, number),
      value: record.value,
      headers: [...record.headers ?? [], ...headers],
      timestamp: timestamp ?? record.timestamp,
      partition: partition ?? record.partition,
    };
  }
}

function keyOf(path: KeyPath, value: Uint8Array | null, number: number): Uint8Array | null {
  if (value === null) return null;
  try {
    const key = keyAt(path, toText(value));
    return key === null ? null : toBytes(key);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Failure("BAD_INPUT", `Cannot take the key from record ${number}: it is not JSON`, {
      hint: "--key-from needs a JSON value on every line",
    });
  }
}
