/**
 * Which ranges of a segment's file are known to be sound, and since when.
 *
 * A range ends where batches end. What this process appended is sound by construction; what was read
 * from the disk is sound once its CRCs were checked. Later the page cache may have let it go, so that
 * the next read is from the disk again: who asks says how old a check may be.
 * Bounded: neighbours grow together, at the price of the older one's time; beyond that the oldest
 * range is forgotten. To forget costs one more check.
 */

const RANGES_MAX = 8;

interface Range {
  start: number;
  end: number;
  checkedMs: number;
}

/** A batch that was found to be damaged. */
export interface KnownDamage {
  /** Offsets that it may hold: from here … */
  readonly floor: number;
  /** … up to this one, exclusive. */
  readonly ceiling: number;
  readonly foundMs: number;
  readonly fault: Error;
}

/** A check that others may wait for instead of making the same. */
export interface CheckUnderWay {
  readonly position: number;
  readonly end: number;
  readonly done: Promise<unknown>;
}

const NONE: readonly never[] = [];

export class VerifiedRanges {
  /** In the order of their places; they do not overlap. */
  #ranges: Range[] | undefined;
  #damages: readonly KnownDamage[] = NONE;
  #checks: readonly CheckUnderWay[] = NONE;
  /** The latest time of the segment, where it was compared with its batch. */
  maxTimestamp: number | undefined;

  get count(): number {
    return this.#ranges?.length ?? 0;
  }

  /** Up to where all is known to be sound from `position` on, by checks at or behind `sinceMs`. */
  coveredTo(position: number, sinceMs: number): number {
    let end = position;
    for (const range of this.#ranges ?? NONE) {
      if (range.start > end) break;
      if (range.end > end && range.checkedMs >= sinceMs) end = range.end;
    }
    return end;
  }

  note(start: number, end: number, checkedMs: number): void {
    if (start >= end) return;
    const ranges = this.#ranges ??= [];
    const last = ranges.at(-1);
    if (last === undefined || start > last.end) ranges.push({ start, end, checkedMs });
    else if (start === last.end) { // nearly always: an append, or a reader that goes on
      if (last.checkedMs === checkedMs) last.end = end;
      else ranges.push({ start, end, checkedMs });
    } else this.#insert({ start, end, checkedMs });
    if (ranges.length > RANGES_MAX || this.#ranges !== ranges) this.#bound();
  }

  damageAt(offset: number, sinceMs: number): KnownDamage | undefined {
    return this.#damages.find(({ floor, ceiling, foundMs }) =>
      offset >= floor && offset < ceiling && foundMs >= sinceMs
    );
  }

  noteDamage(damage: KnownDamage): void {
    const others = this.#damages.filter(({ floor }) => floor !== damage.floor);
    this.#damages = [...others.slice(-RANGES_MAX + 1), damage];
  }

  /** The check under way that comes by `position`. */
  checkAt(position: number): CheckUnderWay | undefined {
    return this.#checks.find((check) => check.position <= position && position < check.end);
  }

  startCheck(check: CheckUnderWay): void {
    this.#checks = [...this.#checks, check];
  }

  endCheck(check: CheckUnderWay): void {
    this.#checks = this.#checks.filter((other) => other !== check);
  }

  clear(): void {
    this.#ranges = undefined;
    this.#damages = NONE;
    this.maxTimestamp = undefined;
  }

  /** The new range takes the place of what it covers. */
  #insert(added: Range): void {
    const kept: Range[] = [];
    for (const range of this.#ranges ?? NONE) {
      if (range.start < added.start) {
        kept.push({ ...range, end: Math.min(range.end, added.start) });
      }
      if (range.end > added.end) kept.push({ ...range, start: Math.max(range.start, added.end) });
    }
    kept.push(added);
    this.#ranges = kept.sort((left, right) => left.start - right.start);
  }

  #bound(): void {
    const joined: Range[] = [];
    for (const range of this.#ranges ?? NONE) {
      const last = joined.at(-1);
      if (last?.end === range.start && last.checkedMs === range.checkedMs) last.end = range.end;
      else joined.push(range);
    }
    while (joined.length > RANGES_MAX) {
      const at = joined.findIndex((range, index) => joined[index + 1]?.start === range.end);
      const [left, right] = [joined[at], joined[at + 1]];
      if (left === undefined || right === undefined) dropOldest(joined);
      else {
        left.checkedMs = Math.min(left.checkedMs, right.checkedMs);
        left.end = right.end;
        joined.splice(at + 1, 1);
      }
    }
    this.#ranges = joined;
  }
}

function dropOldest(ranges: Range[]): void {
  const oldest = Math.min(...ranges.map(({ checkedMs }) => checkedMs));
  ranges.splice(ranges.findIndex(({ checkedMs }) => checkedMs === oldest), 1);
}
