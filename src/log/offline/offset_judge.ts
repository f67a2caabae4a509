/**
 * Whether the offsets of sound batches can be: they go up, and stay below the next segment's.
 *
 * A batch's offset lies outside its CRC, so a flipped bit there is seen only from the neighbours. Where
 * a batch lies behind its successor, one of the two lies: the earlier one if it had jumped ahead and
 * the later one fits without it, else the later one. That is why a verdict comes one batch late.
 */

/** What is kept of a batch's header while the walk goes on. */
export interface BatchFacts {
  readonly position: number;
  readonly sizeInBytes: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  readonly leaderEpoch: number;
}

export interface JudgeVisitor<Facts extends BatchFacts> {
  /** `expectedOffset`: behind the batch before; smaller than its base offset where there is a gap. */
  onKept(batch: Facts, expectedOffset: number): void;
  onRejected(batch: Facts, reason: string): void;
}

export class OffsetJudge<Facts extends BatchFacts = BatchFacts> {
  readonly #visitor: JudgeVisitor<Facts>;
  /** Offsets of this segment are below. */
  readonly #limit: number;
  /** Behind the last batch that is kept for good. */
  #settled: number;
  #held: Facts | undefined;

  constructor(baseOffset: number, limit: number, visitor: JudgeVisitor<Facts>) {
    this.#settled = baseOffset;
    this.#limit = limit;
    this.#visitor = visitor;
  }

  push(batch: Facts): void {
    if (batch.lastOffset >= this.#limit) {
      return this.#visitor.onRejected(
        batch,
        `offsets ${batch.baseOffset} to ${batch.lastOffset} reach beyond the segment, ` +
          `whose successor begins at ${this.#limit}`,
      );
    }
    const held = this.#held;
    if (held !== undefined && batch.baseOffset <= held.lastOffset) {
      const hasJumped = held.baseOffset > this.#settled && batch.baseOffset >= this.#settled;
      if (!hasJumped) return this.#rejectLow(batch, held.lastOffset + 1);
      this.#visitor.onRejected(
        held,
        `base offset ${held.baseOffset} does not fit between ${this.#settled} and its successor's ` +
          `${batch.baseOffset}`,
      );
      this.#held = undefined;
    } else if (batch.baseOffset < this.#settled) {
      return this.#rejectLow(batch, this.#settled);
    }
    this.#settle();
    this.#held = batch;
  }

  /** Behind the last batch; gives the offset behind all that is kept. */
  finish(): number {
    this.#settle();
    return this.#settled;
  }

  #settle(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#visitor.onKept(held, this.#settled);
    this.#settled = held.lastOffset + 1;
    this.#held = undefined;
  }

  #rejectLow(batch: Facts, expected: number): void {
    this.#visitor.onRejected(
      batch,
      `base offset ${batch.baseOffset} lies behind ${expected}, which is expected at least`,
    );
  }
}
