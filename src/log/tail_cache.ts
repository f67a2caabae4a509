/**
 * The newest batches of every log in memory, bounded in all logs together.
 *
 *     TailCache   ┌ Tail of log A:  a7 a8 a9
 *     arrivals:   │ Tail of log B:  b3 b4          arrivals = A A B A B, the oldest first:
 *     A A B A B ──┴──────────────────────────      the next to go is A's oldest, a7
 *
 * Followers and consumers at the tail read from here, without a system call. Bytes are kept as they
 * were handed in where that is most of the memory they lie in; a small view of a large buffer is
 * copied, so that it does not keep the whole buffer alive.
 */
import { assert } from "../ground/assert.ts";

/** What a kept batch costs beside its bytes: two objects and their places in two lists. */
const OVERHEAD_BYTES = 160;
/** Dropped entries at the front of a list before the list is copied together. */
const DROPPED_MAX = 1024;

export interface TailBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** Where the batch lies in its segment. */
  readonly position: number;
  readonly bytes: Uint8Array;
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

  /** Takes over the bytes of the batch behind the last one. */
  add(baseOffset: number, lastOffset: number, position: number, bytes: Uint8Array): void {
    const own = bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
    this.#batches.push({ baseOffset, lastOffset, position, bytes: own });
    this.#onAdd(this, own.length + OVERHEAD_BYTES);
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
    this.#onDrop(oldest.bytes.length + OVERHEAD_BYTES);
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
      this.#onDrop((this.#batches[index] as TailBatch).bytes.length);
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
  bytes: new Uint8Array(0),
};
