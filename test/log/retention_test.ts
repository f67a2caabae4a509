import { describe, expect, test } from "bun:test";
import { type Offset, toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import {
  decideRetention,
  type RetainedLog,
  type RetainedSegment,
  type RetentionDecision,
  type RetentionLimits,
} from "../../src/log/retention.ts";
import { seedOf } from "./log_fixture.ts";

const NOW = 1_000_000;
const NO_LIMIT = -1;

/** Ten offsets and 100 bytes in each segment; its latest time, undefined where it is not known. */
function logOf(
  times: readonly (number | undefined)[],
  fields: {
    readonly start?: number;
    readonly highWatermark?: number;
    readonly isEmpty?: boolean;
  } = {},
): RetainedLog {
  const segments = times.map((maxTimestamp, index): RetainedSegment => {
    const isActive = index === times.length - 1;
    const isEmpty = isActive && fields.isEmpty === true;
    return {
      baseOffset: toOffset(index * 10),
      nextOffset: toOffset(index * 10 + (isEmpty ? 0 : 10)),
      sizeInBytes: isEmpty ? 0 : 100,
      isActive,
      maxTimestamp,
    };
  });
  const end = (segments.at(-1) as RetainedSegment).nextOffset;
  return {
    segments,
    logStartOffset: toOffset(fields.start ?? 0),
    highWatermark: toOffset(fields.highWatermark ?? end),
  };
}

function decide(log: RetainedLog, limits: Partial<RetentionLimits>): RetentionDecision {
  const none = { isDeleted: true, retentionMs: NO_LIMIT, retentionBytes: NO_LIMIT };
  return decideRetention(log, { ...none, ...limits }, NOW);
}

/** "start+bytes+time > start offset", with "roll" where the active segment goes. */
function shown(log: RetainedLog, limits: Partial<RetentionLimits>): string {
  const { removed, startOffset, needsRoll, timeWanted } = decide(log, limits);
  const wanted = timeWanted === undefined ? "" : ` wants ${timeWanted}`;
  const { start, bytes, time } = removed;
  return `${start}+${bytes}+${time} > ${startOffset}${needsRoll ? " roll" : ""}${wanted}`;
}

const OLD = NOW - 501;
const EDGE = NOW - 500;
const NEW = NOW - 10;
const FUTURE = NOW + 1_000_000;
const MS = { retentionMs: 500 };

type Row = readonly [what: string, log: RetainedLog, limits: Partial<RetentionLimits>, out: string];

const ROWS: readonly Row[] = [
  ["no limits", logOf([0, 0, 0]), {}, "0+0+0 > 0"],
  ["by time, up to the first that is new", logOf([OLD, OLD, NEW, OLD, NEW]), MS, "0+0+2 > 20"],
  ["exactly as old as allowed stays", logOf([EDGE, NEW]), MS, "0+0+0 > 0"],
  [
    "retention.ms=0 takes what is older than now",
    logOf([NOW - 1, NOW]),
    { retentionMs: 0 },
    "0+0+1 > 10",
  ],
  ["a time in the future keeps it, and all behind", logOf([FUTURE, OLD, OLD]), MS, "0+0+0 > 0"],
  ["all are old: rolled first", logOf([OLD, OLD]), MS, "0+0+2 > 20 roll"],
  [
    "all are old, the active one is empty",
    logOf([OLD, OLD, OLD], { isEmpty: true }),
    MS,
    "0+0+2 > 20",
  ],
  ["an empty log", logOf([OLD], { isEmpty: true }), { ...MS, retentionBytes: 0 }, "0+0+0 > 0"],
  ["by size, as long as the limit is still there", logOf([NEW, NEW, NEW, NEW]), {
    retentionBytes: 250,
  }, "0+1+0 > 10"],
  ["by size, exactly", logOf([NEW, NEW, NEW, NEW]), { retentionBytes: 200 }, "0+2+0 > 20"],
  ["by size, just below", logOf([NEW, NEW]), { retentionBytes: 101 }, "0+0+0 > 0"],
  ["retention.bytes=0 takes all", logOf([NEW, NEW]), { retentionBytes: 0 }, "0+2+0 > 20 roll"],
  [
    "either: size first, then time",
    logOf([NEW, OLD, OLD, NEW]),
    { ...MS, retentionBytes: 300 },
    "0+1+2 > 30",
  ],
  ["either: time first, then size has nothing to do", logOf([OLD, OLD, NEW, NEW]), {
    ...MS,
    retentionBytes: 300,
  }, "0+1+1 > 20"],
  [
    "compacted only",
    logOf([OLD, OLD]),
    { ...MS, retentionBytes: 0, isDeleted: false },
    "0+0+0 > 0",
  ],
  ["compacted only, below the start", logOf([OLD, OLD, OLD], { start: 20 }), {
    ...MS,
    isDeleted: false,
  }, "2+0+0 > 20"],
  [
    "below the start, not the segment that holds it",
    logOf([NEW, NEW, NEW], { start: 19 }),
    MS,
    "1+0+0 > 19",
  ],
  ["below the start at a border", logOf([NEW, NEW, NEW], { start: 20 }), MS, "2+0+0 > 20"],
  [
    "all below the start: the active one too",
    logOf([NEW, NEW], { start: 20 }),
    MS,
    "2+0+0 > 20 roll",
  ],
  [
    "the start stays where it is above a segment's end",
    logOf([OLD, NEW], { start: 15 }),
    MS,
    "1+0+0 > 15",
  ],
  ["what lies below the start does not count", logOf([NEW, NEW, NEW], { start: 10 }), {
    retentionBytes: 200,
  }, "1+0+0 > 10"],
  ["never beyond the high watermark", logOf([OLD, OLD, OLD], { highWatermark: 19 }), {
    ...MS,
    retentionBytes: 0,
  }, "0+1+0 > 10"],
  ["up to the high watermark", logOf([OLD, OLD, OLD], { highWatermark: 20 }), MS, "0+0+2 > 20"],
  ["the active one is not committed", logOf([OLD, OLD], { highWatermark: 19 }), MS, "0+0+1 > 10"],
  [
    "a time that is not known is asked for",
    logOf([OLD, undefined, undefined]),
    MS,
    "0+0+1 > 10 wants 1",
  ],
  [
    "not where the size decides",
    logOf([undefined, NEW, NEW]),
    { ...MS, retentionBytes: 200 },
    "0+1+0 > 10",
  ],
  ["not where there is no limit of time", logOf([undefined, undefined]), {}, "0+0+0 > 0"],
  ["not above the high watermark", logOf([undefined], { highWatermark: 9 }), MS, "0+0+0 > 0"],
];

describe("decideRetention()", () => {
  for (const [what, log, limits, out] of ROWS) {
    test(what, () => expect(shown(log, limits)).toBe(out));
  }

  test("counts the bytes that go", () => {
    expect(decide(logOf([OLD, OLD, NEW]), MS).removedBytes).toBe(200);
  });
});

describe("decideRetention() on random logs", () => {
  const prng = new Prng(seedOf("decideRetention()"));

  function randomLog(): RetainedLog {
    let offset = prng.below(3) * 7;
    const segments: RetainedSegment[] = [];
    const count = prng.between(1, 8);
    for (let index = 0; index < count; index++) {
      const isActive = index === count - 1;
      const length = isActive && prng.oneIn(4) ? 0 : prng.between(1, 9);
      segments.push({
        baseOffset: toOffset(offset),
        nextOffset: toOffset(offset + length),
        sizeInBytes: length * prng.between(1, 20),
        isActive,
        maxTimestamp: NOW - prng.between(-200, 1000),
      });
      offset += length;
    }
    const first = (segments[0] as RetainedSegment).baseOffset;
    const highWatermark = toOffset(prng.between(first, offset));
    const logStartOffset = toOffset(prng.between(first, highWatermark));
    return { segments, logStartOffset, highWatermark };
  }

  const sizeOf = (segments: readonly RetainedSegment[]): number =>
    segments.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0);

  /** Whether the first of these segments breaks one of the limits. */
  function isBeyond(
    segments: readonly RetainedSegment[],
    { retentionMs, retentionBytes }: RetentionLimits,
  ): boolean {
    const ageMs = NOW - (segments[0]?.maxTimestamp as number);
    return retentionBytes >= 0 && sizeOf(segments.slice(1)) >= retentionBytes ||
      retentionMs >= 0 && ageMs > retentionMs;
  }

  test("leaves the end of the log, within both limits, and nothing uncommitted goes", () => {
    for (let round = 0; round < 5000; round++) {
      const log = randomLog();
      const limits: RetentionLimits = {
        isDeleted: !prng.oneIn(5),
        retentionMs: prng.oneIn(4) ? NO_LIMIT : prng.below(900),
        retentionBytes: prng.oneIn(4) ? NO_LIMIT : prng.below(400),
      };
      const where = JSON.stringify({ log, limits });
      const decision = decideRetention(log, limits, NOW);
      const { removedCount, startOffset, removed, needsRoll } = decision;
      const gone = log.segments.slice(0, removedCount);
      const left = log.segments.slice(removedCount);
      const lastGone = (gone.at(-1)?.nextOffset ?? log.logStartOffset) as Offset;
      expect([where, startOffset]).toEqual([where, Math.max(log.logStartOffset, lastGone)]);
      expect([where, startOffset <= log.highWatermark]).toEqual([where, true]);
      expect([where, sizeOf(gone)]).toEqual([where, decision.removedBytes]);
      expect(removed.start + removed.bytes + removed.time).toBe(removedCount);
      expect([where, needsRoll]).toEqual([where, gone.length > 0 && left.length === 0]);
      const [first] = left;
      if (first === undefined) continue;
      // What stays first stays for a reason: it may not go, or no limit is broken by it.
      const mayGo = first.nextOffset <= log.highWatermark && first.sizeInBytes > 0;
      const mustGo = first.nextOffset <= log.logStartOffset ||
        limits.isDeleted && isBeyond(left, limits);
      expect([where, mayGo && mustGo]).toEqual([where, false]);
      // And a second look finds nothing more to do.
      const again = decideRetention(
        { ...log, segments: left, logStartOffset: startOffset },
        limits,
        NOW,
      );
      expect([where, again.removedCount]).toEqual([where, 0]);
    }
  });

  test("asks for times one by one and comes to the same end", () => {
    for (let round = 0; round < 1000; round++) {
      const log = randomLog();
      const limits = {
        isDeleted: true,
        retentionMs: prng.below(900),
        retentionBytes: prng.below(400),
      };
      const known = new Set<number>();
      const forgetful = (): RetainedLog => ({
        ...log,
        segments: log.segments.map((segment, index) =>
          known.has(index) ? segment : { ...segment, maxTimestamp: undefined }
        ),
      });
      let decision = decideRetention(forgetful(), limits, NOW);
      while (decision.timeWanted !== undefined) {
        expect(known.has(decision.timeWanted)).toBeFalse();
        known.add(decision.timeWanted);
        decision = decideRetention(forgetful(), limits, NOW);
      }
      expect(decision).toEqual(decideRetention(log, limits, NOW));
      expect(known.size).toBeLessThanOrEqual(decision.removedCount + 1);
    }
  });
});
