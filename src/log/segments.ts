/** The segments of a log in the order of their base offsets; the last one is written to. */
import { assert } from "../ground/assert.ts";
import type { Segment } from "./segment.ts";

export class Segments {
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

  /** Takes out the segments from `index` on. */
  takeFrom(index: number): readonly Segment[] {
    return this.#segments.splice(index);
  }
}
