/**
 * The grammar of `-o RANGE`: which records of a partition are meant.
 *
 *   range  = point | [point] ":" [bound]
 *   point  = "start" | "end" | N | "+N" (N behind the start) | "-N" (N before the end) | "@" time
 *   bound  = point, where "+N" is N records behind the left side, and behind a time also
 *            a duration: "1h", "+1h" (behind the left side), "-24h" (before now)
 *   time   = RFC 3339 date or date and time (UTC where no zone is given), seconds or milliseconds
 *            since 1970, "now", "-" duration (before now)
 *
 * A point alone reads from there and follows; a range stops, and its end is not included. Nothing is
 * resolved here: a point becomes an offset only by asking the broker.
 */
import { usageFailure } from "./failure.ts";
import { parseDuration } from "./quantity.ts";

export type OffsetPoint =
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "offset"; readonly offset: number }
  /** So many offsets behind the start. */
  | { readonly kind: "from-start"; readonly count: number }
  /** So many offsets before the end. */
  | { readonly kind: "from-end"; readonly count: number }
  /** The first record whose timestamp is at least this. */
  | { readonly kind: "time"; readonly timestamp: number };

export type OffsetBound = OffsetPoint | {
  /** So many offsets behind where the range begins. */
  readonly kind: "length";
  readonly count: number;
};

export interface OffsetRange {
  readonly from: OffsetPoint;
  /** Not included; undefined = follow. */
  readonly until: OffsetBound | undefined;
}

/** Throws a usage failure that shows the grammar. `now` is in milliseconds since 1970. */
export function parseOffsetRange(text: string, now: number): OffsetRange {
  const { left, right } = splitRange(text);
  const from = left === "" ? { kind: "start" } as const : parsePoint(left, now);
  if (from === undefined || text === "" || text === ":") throw rejectRange(text);
  if (right === undefined || right === "") return { from, until: undefined };
  const until = parseBound(right, from, now);
  if (until === undefined) throw rejectRange(text);
  if (isBackwards(from, until)) {
    throw usageFailure(`Invalid offset range '${text}': it ends before it begins`);
  }
  return { from, until };
}

/** A time holds colons itself, so the left side is matched whole before its colon is looked for. */
function splitRange(text: string): { left: string; right?: string } {
  const time =
    /^@\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?(?=:|$)/
      .exec(text);
  const leftEnd = time === null ? text.indexOf(":") : time[0].length;
  if (leftEnd < 0 || leftEnd === text.length) return { left: text };
  return { left: text.slice(0, leftEnd), right: text.slice(leftEnd + 1) };
}

/** Undefined where it is none. */
export function parsePoint(text: string, now: number): OffsetPoint | undefined {
  if (/^(start|earliest|beginning)$/i.test(text)) return { kind: "start" };
  if (/^(end|latest)$/i.test(text)) return { kind: "end" };
  if (text.startsWith("@")) {
    const timestamp = parseTime(text.slice(1), now);
    return timestamp === undefined ? undefined : { kind: "time", timestamp };
  }
  const match = /^([+-]?)(\d+)$/.exec(text);
  const count = match === null ? NaN : Number(match[2]);
  if (!Number.isSafeInteger(count)) return undefined;
  if (match?.[1] === "+") return { kind: "from-start", count };
  if (match?.[1] === "-") return { kind: "from-end", count };
  return { kind: "offset", offset: count };
}

function parseBound(text: string, from: OffsetPoint, now: number): OffsetBound | undefined {
  const length = /^\+(\d+)$/.exec(text);
  if (length !== null) return { kind: "length", count: Number(length[1]) };
  const duration = parseDuration(text.replace(/^[+-]/, ""));
  if (duration !== undefined && !/^-?\d+$/.test(text)) {
    if (text.startsWith("-")) return { kind: "time", timestamp: Math.floor(now - duration) };
    if (from.kind !== "time") return undefined;
    return { kind: "time", timestamp: from.timestamp + Math.floor(duration) };
  }
  return parsePoint(text, now);
}

/** Milliseconds since 1970; undefined where it is no time. Also the grammar of `--at`. */
export function parseTime(text: string, now: number): number | undefined {
  if (text === "now") return now;
  if (text.startsWith("-")) {
    const duration = parseDuration(text.slice(1));
    return duration === undefined ? undefined : Math.floor(now - duration);
  }
  if (/^\d+$/.test(text)) return parseUnixTime(text);
  const match = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?$/
    .exec(text);
  if (match === null) return undefined;
  const zone = (match[4] ?? "Z").toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  const time = Date.parse(`${match[1]}T${match[2] ?? "00:00"}${match[3] ?? ":00"}${zone}`);
  return Number.isNaN(time) ? undefined : time;
}

/** Up to eleven digits are seconds (until the year 5138), more are milliseconds. */
function parseUnixTime(text: string): number | undefined {
  const value = Number(text) * (text.length <= 11 ? 1000 : 1);
  return Number.isSafeInteger(value) ? value : undefined;
}

function isBackwards(from: OffsetPoint, until: OffsetBound): boolean {
  if (from.kind === "offset" && until.kind === "offset") return until.offset < from.offset;
  if (from.kind === "time" && until.kind === "time") return until.timestamp < from.timestamp;
  if (from.kind === "from-end" && until.kind === "from-end") return until.count > from.count;
  return false;
}

function rejectRange(text: string): Error {
  return usageFailure(
    `Invalid offset range '${text}'`,
    "Try start:end, -10, 100:200, @-1h or @2026-01-02T09:00Z:+1h; see mq help offsets",
  );
}
