/** The segments of a log in the order of their base offsets; the last one is written to. */
import { assert } from "../../ground/assert.ts";
import type { Offset } from "../../ground/numbers.ts";
import type { Segment } from "./segment.ts";

/** A segment as those see it who choose segments to delete or to clean. */
export interface SegmentFacts {
  readonly baseOffset: Offset;
  /** The base of the next one; of the active one the log's end. */
  readonly nextOffset: Offset;
  readonly sizeInBytes: number;
  readonly isActive: boolean;
}

export class Segments {
  /** Grows when segments are taken out: who held one may find it gone, and asks again. */
  generation = 0;
  readonly #segments: Segment[] = [];

  get count(): number {
    return this.#segments.length;
  }

  all(): readonly Segment[] {
    return this.#segments;
  }

  at(index: number): Segment {
    const segment = this.#segments[index];
    assert(segment !== undefined, `there is a segment ${index}`);
    return segment;
  }

  active(): Segment {
    return this.at(this.#segments.length - 1);
  }

  add(segment: Segment): void {
    const last = this.#segments.at(-1);
    assert(last === undefined || last.baseOffset < segment.baseOffset, "segments go up");
    this.#segments.push(segment);
  }

  /** The segment whose base offset is the last at or below `offset`; 0 where all are above. */
  floorIndex(offset: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle).baseOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** The place of the segment that begins at `baseOffset`; -1 where none does. */
  indexOf(baseOffset: Offset): number {
    const index = this.floorIndex(baseOffset);
    return this.#segments[index]?.baseOffset === baseOffset ? index : -1;
  }

  /** Puts `segment`, or nothing, in the place of `count` others. */
  replace(index: number, count: number, segment?: Segment): void {
    assert(index + count < this.#segments.length, "the active segment stays");
    this.#segments.splice(index, count, ...segment === undefined ? [] : [segment]);
    this.generation++;
  }

  /** Takes out the segments from `index` on. */
  takeFrom(index: number): readonly Segment[] {
    this.generation++;
    return this.#segments.splice(index);
  }
}

/** The oldest first. */
export function segmentFacts(segments: Segments, logEndOffset: Offset): readonly SegmentFacts[] {
  const all = segments.all();
  return all.map(({ baseOffset, sizeInBytes }, index) => {
    const nextOffset = all[index + 1]?.baseOffset ?? logEndOffset;
    return { baseOffset, nextOffset, sizeInBytes, isActive: index === all.length - 1 };
  });
}

/** Searches again where segments were taken out meanwhile, one of which the search may have had in hand. */
export async function searchAgain<Found>(
  segments: Segments,
  search: () => Promise<Found>,
): Promise<Found> {
  for (;;) {
    const { generation } = segments;
    try {
      return await search();
    } catch (fault) {
      if (segments.generation === generation) throw fault;
    }
  }
}
