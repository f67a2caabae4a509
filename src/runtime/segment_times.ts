/**
 * The latest time in each of the oldest segments of logs, remembered as long as a segment is what it
 * was: retention asks for the same one again and again.
 *
 * A segment without any time (its producers set none) ages from the moment at which it was first seen
 * as it is, by the monotonic clock; Kafka takes the time at which the file was last written
 * (LogSegment.largestTimestamp), which copying a directory changes. A start of the broker begins anew.
 */
import type { Clock } from "../env/clock.ts";
import type { Log, SegmentFacts } from "../log/log.ts";
import type { RetainedSegment } from "../log/retention.ts";

interface Known extends Omit<SegmentFacts, "isActive"> {
  readonly firstSeenMs: number;
  /** -1 where it has none, undefined where it was not looked up. */
  maxTimestamp: number | undefined;
}

const NO_TIMESTAMP = -1;
const NOTHING: readonly Known[] = [];

export class SegmentTimes {
  readonly #clock: Clock;
  /** By base offset; a list and not a map, since most hold one entry and there are many logs. */
  readonly #byLog = new WeakMap<Log, readonly Known[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The segments with the times that their ages count from, as far as known; it is `now`. */
  of(log: Log, segments: readonly SegmentFacts[], now: number): readonly RetainedSegment[] {
    const bootMs = now - this.#clock.monotonicMs();
    return this.#matched(log, segments, (segment, known) => {
      const isTimeless = known?.maxTimestamp === NO_TIMESTAMP;
      const maxTimestamp = isTimeless ? bootMs + known.firstSeenMs : known?.maxTimestamp;
      return { ...segment, maxTimestamp };
    });
  }

  /** Looks up the time of the segment at `index`, and of those behind it until one `isEnough`. */
  async lookUp(
    log: Log,
    segments: readonly SegmentFacts[],
    index: number,
    isEnough: (maxTimestamp: number) => boolean,
  ): Promise<void> {
    const seen = this.#see(log, segments);
    for (const known of seen.slice(index)) {
      if (known.sizeInBytes === 0) return;
      // deno-lint-ignore no-await-in-loop -- each decides whether the next is asked for
      known.maxTimestamp ??= Math.max(await log.maxTimestampOf(known.baseOffset), NO_TIMESTAMP);
      const { maxTimestamp } = known;
      if (!log.isUsable || maxTimestamp !== NO_TIMESTAMP && isEnough(maxTimestamp)) return;
    }
  }

  /** Forgets all but `segments`; where one of them has no time, all of them age. */
  keep(log: Log, segments: readonly SegmentFacts[]): void {
    if (!this.#byLog.has(log)) return;
    const seen = this.#see(log, segments);
    if (seen.some(({ maxTimestamp }) => maxTimestamp === NO_TIMESTAMP)) return;
    const known = seen.filter(({ maxTimestamp }) => maxTimestamp !== undefined);
    if (known.length > 0) this.#byLog.set(log, known);
    else this.#byLog.delete(log);
  }

  /** What is known of exactly these segments; of those that are new or changed, that they are there. */
  #see(log: Log, segments: readonly SegmentFacts[]): readonly Known[] {
    const firstSeenMs = this.#clock.monotonicMs();
    const seen = this.#matched(log, segments, ({ baseOffset, nextOffset, sizeInBytes }, known) => {
      return known ?? { baseOffset, nextOffset, sizeInBytes, firstSeenMs, maxTimestamp: undefined };
    });
    this.#byLog.set(log, seen);
    return seen;
  }

  /** Both lists are in the order of their base offsets. */
  #matched<T>(
    log: Log,
    segments: readonly SegmentFacts[],
    take: (segment: SegmentFacts, known: Known | undefined) => T,
  ): readonly T[] {
    const all = this.#byLog.get(log) ?? NOTHING;
    let at = 0;
    return segments.map((segment) => {
      while (at < all.length && (all[at] as Known).baseOffset < segment.baseOffset) at++;
      const known = all[at];
      return take(segment, known !== undefined && isSame(known, segment) ? known : undefined);
    });
  }
}

function isSame(known: Known, { baseOffset, nextOffset, sizeInBytes }: SegmentFacts): boolean {
  return known.baseOffset === baseOffset && known.nextOffset === nextOffset &&
    known.sizeInBytes === sizeInBytes;
}
