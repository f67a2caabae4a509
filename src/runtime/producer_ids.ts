/** Producer ids of this broker: handed out one by one from blocks that the active controller gives. */

export interface AllocatedIds {
  readonly firstProducerId: number;
  readonly count: number;
}

export class ProducerIds {
  readonly #allocate: () => Promise<AllocatedIds>;
  #next = 0;
  #end = 0;
  #refill: Promise<void> | undefined;

  /** `allocate` asks for a block that nobody else gets; it rejects where it could not. */
  constructor(allocate: () => Promise<AllocatedIds>) {
    this.#allocate = allocate;
  }

  /** An id that nobody else has or ever had. */
  next(): number | Promise<number> {
    if (this.#next < this.#end) return this.#next++;
    this.#refill ??= this.#allocate()
      .then((block) => this.#onBlock(block))
      .finally(() => {
        this.#refill = undefined;
      });
    return this.#refill.then(() => this.next());
  }

  #onBlock({ firstProducerId, count }: AllocatedIds): void {
    this.#next = firstProducerId;
    this.#end = firstProducerId + count;
  }
}
