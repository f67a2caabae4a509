/**
 * What a recovery believes of the batches that its walk comes to.
 *
 * Base offset and leader epoch lie outside the CRC. So a batch is held until the header behind it was
 * seen, and of two that overlap the one that begins where its predecessor ended is sound:
 *
 *     floor 20   held 84…88   next 25…25     the held one was moved up: it is the damage
 *     floor 20   held 20…24   next 17…17     the next one is
 *
 * Damage is judged by its floor: what the next offset must be at least, were the damaged batch not
 * there. Not here: what becomes of damage (`recovery.ts`), CRCs and lengths (`log_loader.ts`), and reads
 * (`batch_check.ts`, which goes by the same rules).
 */
import { BatchView } from "../../record/batch_view.ts";
import { BATCH_HEADER_BYTES } from "../../record/format.ts";

export interface Misfit {
  /** Where the damaged batch begins. */
  readonly position: number;
  /** A sound batch there could have no offset below. */
  readonly floor: number;
}

export interface BelievedBatch {
  readonly baseOffset: number;
  readonly nextOffset: number;
}

export interface BeliefTools {
  readonly onSound: (batch: BatchView, position: number) => void;
  /** Whether an offset fits into the segment. */
  readonly fits: (lastOffset: number) => boolean;
  /** Whether to believe one with a gap before it when nothing comes behind that could tell. */
  readonly believesLast: (held: BelievedBatch, floor: number) => boolean;
}

/** Of batches that are older than epochs are; nothing writes a lower one. */
const NO_EPOCH = -1;

interface Held extends BelievedBatch {
  readonly position: number;
  readonly leaderEpoch: number;
  /** Begins at the floor, or is the one that an index entry means. */
  readonly isExact: boolean;
  readonly isChecked: boolean;
}

export class BatchBelief {
  /** What the next offset must be at least, were the held batch not there. */
  floor: number;
  misfit: Misfit | undefined;
  readonly #tools: BeliefTools;
  #held: Held | undefined;
  /** A copy: what the walk reads into is used again. */
  #view = new BatchView(new Uint8Array(2 * BATCH_HEADER_BYTES));
  #epochBefore: number | undefined;

  /** `epochBefore`: of the last batch of the segment before, since epochs never go back. */
  constructor(floor: number, tools: BeliefTools, epochBefore?: number) {
    this.floor = floor;
    this.#tools = tools;
    this.#epochBefore = epochBefore;
  }

  /** Of the last batch that was believed. */
  get lastEpoch(): number | undefined {
    return this.#epochBefore;
  }

  /** False where something is known to be wrong: `misfit`. */
  offer(
    batch: BatchView,
    position: number,
    known: { readonly isNamed?: boolean; readonly isChecked: boolean },
  ): boolean {
    if (!this.#isInOrder(batch, position) || !this.#isInItsEpoch(batch, position)) return false;
    this.#believe();
    const baseOffset = batch.baseOffset();
    const { isNamed = false, isChecked } = known;
    this.#held = {
      position,
      baseOffset,
      nextOffset: batch.nextOffset(),
      leaderEpoch: batch.partitionLeaderEpoch(),
      isExact: isNamed || baseOffset === this.floor,
      isChecked,
    };
    this.#copy(batch);
    return true;
  }

  #isInOrder(batch: BatchView, position: number): boolean {
    const baseOffset = batch.baseOffset();
    const isFit = Number.isSafeInteger(baseOffset) && batch.lastOffsetDelta() >= 0 &&
      batch.partitionLeaderEpoch() >= NO_EPOCH && this.#tools.fits(batch.lastOffset());
    if (!isFit) return this.#isNextWrong(position, -1);
    const held = this.#held;
    if (baseOffset >= (held?.nextOffset ?? this.floor)) return true;
    return held?.isExact === false
      ? this.#isHeldWrong(held)
      : this.#isNextWrong(position, baseOffset);
  }

  /** Epochs never go back: one that stands out between two equal ones is the wrong one. */
  #isInItsEpoch(batch: BatchView, position: number): boolean {
    const leaderEpoch = batch.partitionLeaderEpoch();
    const held = this.#held;
    const before = held?.leaderEpoch ?? this.#epochBefore;
    if (leaderEpoch < 0 || before === undefined || leaderEpoch >= before) return true;
    const isPeak = held !== undefined && leaderEpoch === (this.#epochBefore ?? leaderEpoch);
    return isPeak ? this.#isHeldWrong(held) : this.#isNextWrong(position, -1);
  }

  /** Nothing comes behind the held batch; it ends at or before `ceiling`, if that is known. */
  finish(ceiling = Infinity): boolean {
    const held = this.#held;
    if (held === undefined || this.misfit !== undefined) return this.misfit === undefined;
    const isBeyond = held.nextOffset > ceiling;
    const isDoubtful = ceiling === Infinity && !this.#tools.believesLast(held, this.floor);
    if (!held.isExact && (isBeyond || isDoubtful)) return this.#isHeldWrong(held);
    this.#believe();
    return true;
  }

  #isHeldWrong({ position }: Held): boolean {
    this.misfit = { position, floor: this.floor };
    this.#held = undefined;
    return false;
  }

  /**
   * The one behind the held one. Where that one's CRC was not checked and the two fit together but for
   * its end, the end may be what is wrong: then the floor is the held one's first offset.
   */
  #isNextWrong(position: number, baseOffset: number): boolean {
    const held = this.#held;
    if (held !== undefined && !this.finish()) return false;
    const isEndDoubtful = held?.isChecked === false && baseOffset > held.baseOffset;
    this.misfit = { position, floor: isEndDoubtful ? held.baseOffset : this.floor };
    return false;
  }

  #believe(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.floor = held.nextOffset;
    if (held.leaderEpoch >= 0) this.#epochBefore = held.leaderEpoch;
    this.#tools.onSound(this.#view, held.position);
  }

  /** The header, and of a control batch its record: what a walk in "header" mode hands over. */
  #copy(batch: BatchView): void {
    const at = batch.position();
    const bytes = batch.isControl() ? batch.sizeInBytes() : BATCH_HEADER_BYTES;
    const part = batch.bytes.subarray(at, at + bytes);
    if (part.length > this.#view.bytes.length) {
      this.#view = new BatchView(new Uint8Array(part.length));
    }
    this.#view.bytes.set(part);
  }
}
