/**
 * Quantities as people write them: durations, whole numbers, lists of partitions.
 *
 * A duration always has a unit: `--timeout 5` could mean seconds or milliseconds, so it is refused.
 */
import { usageFailure } from "./failure.ts";

const unitMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 604_800_000],
]);

/** Milliseconds of `300ms`, `10s`, `1h30m`, `2d`; undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(text)) return undefined;
  let total = 0;
  for (const part of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    total += Number(part[1]) * (unitMs.get(part[2] as string) as number);
  }
  return total;
}

const unitBytes: ReadonlyMap<string, number> = new Map([
  ["b", 1],
  ["kb", 1000],
  ["mb", 1000 ** 2],
  ["gb", 1000 ** 3],
  ["tb", 1000 ** 4],
  ["kib", 1024],
  ["mib", 1024 ** 2],
  ["gib", 1024 ** 3],
  ["tib", 1024 ** 4],
]);

/** Bytes of `64MiB`, `1.5GB`, `10B`; undefined where it is none. A lone K or M could mean either. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([a-z]+)$/i.exec(text);
  const unit = unitBytes.get((match?.[2] ?? "").toLowerCase());
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** `place` is where it was given: a flag with its dashes, or a variable. */
export function requireDuration(text: string, place: string): number {
  const duration = parseDuration(text);
  if (duration !== undefined) return duration;
  throw usageFailure(
    `Invalid duration '${text}' for ${place}`,
    "A duration has a unit: 300ms, 10s, 5m, 1h30m, 2d",
  );
}

/** A whole number within bounds, decimal digits only: `1e3` and `0x10` are not meant. */
export function requireWhole(
  text: string,
  flag: string,
  bounds: readonly [number, number],
): number {
  const [least, most] = bounds;
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw usageFailure(
    `Invalid number '${text}' for --${flag}: a whole number from ${least} to ${most} is wanted`,
  );
}

const PARTITION_COUNT_MAX = 100_000;

/** `0,2,4-6` as a sorted list without repeats. */
export function parsePartitions(text: string): readonly number[] {
  const partitions = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    const first = match === null ? NaN : Number(match[1]);
    const last = match?.[2] === undefined ? first : Number(match[2]);
    if (!(first <= last && last <= 0x7fffffff && last - first < PARTITION_COUNT_MAX)) {
      throw usageFailure(
        `Invalid partitions '${text}'`,
        "Partitions are numbers and ranges, divided by commas: 0,2,4-6",
      );
    }
    for (let partition = first; partition <= last; partition++) partitions.add(partition);
  }
  return [...partitions].sort((one, other) => one - other);
}

/** `K=V` of `-c` and `-X`; the value may hold further equal signs and may be empty. */
export function parseAssignment(text: string, flag: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1)];
  throw usageFailure(`Invalid setting '${text}' for --${flag}: NAME=VALUE is wanted`);
}
