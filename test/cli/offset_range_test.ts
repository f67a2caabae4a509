import { describe, expect, test } from "bun:test";
import { ExitCode } from "../../cli/exit_code.ts";
import type { Failure } from "../../cli/failure.ts";
import { type OffsetRange, parseOffsetRange, parseTime } from "../../cli/offset_range.ts";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const HOUR = 3_600_000;

function range(text: string): OffsetRange {
  return parseOffsetRange(text, NOW);
}

function at(text: string): { kind: "time"; timestamp: number } {
  return { kind: "time", timestamp: Date.parse(text) };
}

const START = { kind: "start" };
const END = { kind: "end" };

describe("parseOffsetRange() reads", () => {
  const table: readonly (readonly [string, unknown, unknown])[] = [
    ["start", START, undefined],
    ["end", END, undefined],
    ["earliest", START, undefined],
    ["latest", END, undefined],
    ["7", { kind: "offset", offset: 7 }, undefined],
    ["+7", { kind: "from-start", count: 7 }, undefined],
    ["-7", { kind: "from-end", count: 7 }, undefined],
    ["7:", { kind: "offset", offset: 7 }, undefined],
    ["start:end", START, END],
    [":end", START, END],
    [":9", START, { kind: "offset", offset: 9 }],
    ["3:9", { kind: "offset", offset: 3 }, { kind: "offset", offset: 9 }],
    ["3:+9", { kind: "offset", offset: 3 }, { kind: "length", count: 9 }],
    ["start:+9", START, { kind: "length", count: 9 }],
    ["-10:end", { kind: "from-end", count: 10 }, END],
    ["-10:-5", { kind: "from-end", count: 10 }, { kind: "from-end", count: 5 }],
    ["@2026-01-02", at("2026-01-02T00:00:00Z"), undefined],
    ["@2026-01-02T09:00Z", at("2026-01-02T09:00:00Z"), undefined],
    ["@2026-01-02T09:00:00", at("2026-01-02T09:00:00Z"), undefined],
    ["@2026-01-02T09:00:01.5+02:00", at("2026-01-02T07:00:01.500Z"), undefined],
    ["@2026-01-02T09:00:01+0200", at("2026-01-02T07:00:01Z"), undefined],
    ["@2026-01-02T09:00Z:@2026-01-02T11:00Z", at("2026-01-02T09:00Z"), at("2026-01-02T11:00Z")],
    ["@2026-01-02T09:00Z:+1h", at("2026-01-02T09:00Z"), at("2026-01-02T10:00Z")],
    ["@2026-01-02T09:00:10m", at("2026-01-02T09:00Z"), at("2026-01-02T09:10Z")],
    ["@2026-01-02:1h", at("2026-01-02T00:00Z"), at("2026-01-02T01:00Z")],
    ["@2026-01-02T09:00Z:end", at("2026-01-02T09:00Z"), END],
    ["@-2h", { kind: "time", timestamp: NOW - 2 * HOUR }, undefined],
    ["@now", { kind: "time", timestamp: NOW }, undefined],
    [
      "@-48h:-24h",
      { kind: "time", timestamp: NOW - 48 * HOUR },
      { kind: "time", timestamp: NOW - 24 * HOUR },
    ],
    ["@-1h:@now", { kind: "time", timestamp: NOW - HOUR }, { kind: "time", timestamp: NOW }],
    ["@1700000000", { kind: "time", timestamp: 1_700_000_000_000 }, undefined],
    ["@1700000000123", { kind: "time", timestamp: 1_700_000_000_123 }, undefined],
    [":@1700000000", START, { kind: "time", timestamp: 1_700_000_000_000 }],
  ];
  for (const [text, from, until] of table) {
    test(text, () => expect(range(text) as unknown).toEqual({ from, until }));
  }
});

describe("parseOffsetRange() refuses", () => {
  const wrong = [
    "",
    ":",
    "strat",
    "1.5",
    "1e3",
    "0x10",
    "--5",
    "9:3",
    "-5:-10",
    "@",
    "@yesterday",
    "@2026-13-40",
    "@-5",
    "3:1h",
    "start:end:end",
    "@2026-01-02T10:00Z:@2026-01-02T09:00Z",
    "99999999999999999999",
  ];
  for (const text of wrong) {
    test(`'${text}' as usage`, () => {
      let failure: Failure | undefined;
      try {
        range(text);
      } catch (error) {
        failure = error as Failure;
      }
      expect(failure?.exitCode).toBe(ExitCode.Usage);
    });
  }
});

test("parseTime() tells seconds from milliseconds by the number of digits", () => {
  expect(parseTime("99999999999", NOW)).toBe(99_999_999_999_000);
  expect(parseTime("100000000000", NOW)).toBe(100_000_000_000);
  expect(parseTime("2h", NOW)).toBeUndefined();
});
