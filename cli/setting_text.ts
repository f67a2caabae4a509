/**
 * Values of settings as people write them: `retention.ms=7d`, `segment.bytes=64MiB`.
 *
 * A broker takes plain numbers only, so what has a unit is turned into one by the name of the setting:
 * `.ms` is a duration, `.bytes` a size. Everything else is sent as it was typed, and the broker judges
 * it: only it knows which settings it has.
 */
import { parseDuration, parseSize } from "./quantity.ts";

/** What is sent for what was typed. */
export function settingText(name: string, typed: string): string {
  const text = typed.trim();
  if (/^[+-]?\d+$/.test(text)) return text;
  const number = name.endsWith(".ms")
    ? parseDuration(text)
    : name.endsWith(".bytes")
    ? parseSize(text)
    : undefined;
  return number === undefined ? typed : String(Math.round(number));
}

const MS: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
];
const BYTES: readonly (readonly [unit: string, bytes: number])[] = [
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
];

/** `120000` as "2m", `1500` as "1500ms": how the flags take it. */
export function shownDuration(milliseconds: number): string {
  return withUnit(".ms", String(milliseconds)) ?? `${milliseconds}ms`;
}

/** The same with a unit, where it is a whole number of a larger one; undefined otherwise. */
export function withUnit(name: string, text: string): string | undefined {
  const units = name.endsWith(".ms") ? MS : name.endsWith(".bytes") ? BYTES : [];
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  const found = units.find(([, size]) => value >= size && value % size === 0);
  return found === undefined ? undefined : `${value / found[1]}${found[0]}`;
}

/** `retention.ms=604800000 (7d)`. */
export function shownSetting(name: string, text: string): string {
  const short = withUnit(name, text);
  return short === undefined ? `${name}=${text}` : `${name}=${text} (${short})`;
}
