/**
 * The newest batches of every log in memory, bounded in all logs together.
 *
 *     TailCache   ┌ Tail of log A:  a7 a8 a9
 *     arrivals:   │ Tail of log B:  b3 b4          arrivals = A A B A B, the oldest first:
 *     A A B A B ──┴──────────────────────────      the next to go is A's oldest, a7
 *
 * Followers and consumers at the tail find their batches here without asking an index. Small ones are
 * kept as a copy and served from memory. Of a large one only the place is kept: it was written a moment
 * ago, so it lies in the page cache, where sendfile finds it for less than keeping a copy costs
 * (measured: a copy into fresh memory is a fifth of all that a produced byte costs).
 */
import { assert } from "../../ground/assert.ts";

/** What a kept batch costs beside its bytes: two objects and their places in two lists. */
const OVERHEAD_BYTES = 160;
/** Batches beyond this are large. */
const KEPT_BYTES_MAX = 16 * 1024;
/** Dropped entries at the front of a list before the list is copied together. */
const DROPPED_MAX = 1024;

export interface TailBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** Where the batch lies in its segment. */
  readonly position: number;
  readonly sizeInBytes: number;
  /** Undefined for a large one. */
  readonly bytes: Uint8Array | undefined;
}

export class TailCache {
  readonly #bytesMax: number;
  #bytes = 0;
  #arrivals: Tail[] = [];
  #first = 0;

  constructor(options: { readonly bytesMax: number }) {
    this.#bytesMax = options.bytesMax;
  }

  /** Bytes held, what the keeping costs included. */
  get bytes(): number {
    return this.#bytes;
  }

  open(): Tail {
    return new Tail((tail, bytes) => this.#onAdd(tail, bytes), (bytes) => {
      this.#bytes -= bytes;
    });
  }

  #onAdd(tail: Tail, bytes: number): void {
    this.#arrivals.push(tail);
    this.#bytes += bytes;
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#arrivals[this.#first];
      assert(oldest !== undefined, "bytes are held by somebody");
      this.#first++;
      oldest.dropOldest();
    }
    if (this.#first > DROPPED_MAX && this.#first * 2 > this.#arrivals.length) {
      this.#arrivals = this.#arrivals.slice(this.#first);
      this.#first = 0;
    }
  }
}

/** The tail of one log: batches one behind the other up to the log's end, or nothing. */
export class Tail {
  readonly #onAdd: (tail: Tail, bytes: number) => void;
  readonly #onDrop: (bytes: number) => void;
  #batches: TailBatch[] = [];
  #first = 0;
  /** Arrivals noted in the cache for batches that are gone already. */
  #goneCount = 0;

  constructor(onAdd: (tail: Tail, bytes: number) => void, onDrop: (bytes: number) => void) {
    this.#onAdd = onAdd;
    this.#onDrop = onDrop;
  }

  /** Notes the batch behind the last one; `batch` stays the caller's. */
  add(baseOffset: number, lastOffset: number, position: number, batch: Uint8Array): void {
    const bytes = batch.length > KEPT_BYTES_MAX ? undefined : batch.slice();
    this.#batches.push({ baseOffset, lastOffset, position, sizeInBytes: batch.length, bytes });
    this.#onAdd(this, heldBytes(bytes) + OVERHEAD_BYTES);
  }

  /** The place of the batch that holds `offset` or, in a gap, comes next; -1 where it is not kept. */
  indexOf(offset: number): number {
    const batches = this.#batches;
    const oldest = batches[this.#first];
    if (oldest === undefined || offset < oldest.baseOffset) return -1;
    let low = this.#first;
    let high = batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((batches[middle] as TailBatch).lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low < batches.length ? low : -1;
  }

  /** Undefined behind the last one. */
  at(index: number): TailBatch | undefined {
    return this.#batches[index];
  }

  /** Called by the cache, once for each `add`, in the order of adding. */
  dropOldest(): void {
    if (this.#goneCount > 0) {
      this.#goneCount--;
      this.#onDrop(OVERHEAD_BYTES);
      return;
    }
    const oldest = this.#batches[this.#first];
    assert(oldest !== undefined, "a tail drops what it was given");
    this.#batches[this.#first] = NO_BATCH; // the list is cut later, the bytes can go now
    this.#first++;
    this.#onDrop(heldBytes(oldest.bytes) + OVERHEAD_BYTES);
    if (this.#first * 2 > this.#batches.length) {
      this.#batches = this.#batches.slice(this.#first);
      this.#first = 0;
    }
  }

  /**
   * Forgets everything: the log was cut or closed. What the cache still notes of it goes when its turn
   * comes, and is paid for until then.
   */
  clear(): void {
    for (let index = this.#first; index < this.#batches.length; index++) {
      this.#onDrop(heldBytes((this.#batches[index] as TailBatch).bytes));
      this.#goneCount++;
    }
    this.#batches = [];
    this.#first = 0;
  }
}

const NO_BATCH: TailBatch = {
  baseOffset: -1,
  lastOffset: -1,
  position: 0,
  sizeInBytes: 0,
  bytes: undefined,
};

function heldBytes(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? 0 : bytes.length;
}
