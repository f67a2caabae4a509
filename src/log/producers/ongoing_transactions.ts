/**
 * The transactions that have begun in a log and not ended, in the order of their first offsets.
 *
 * The first one bounds what a consumer of committed records may see. Source: kafka:
 * ProducerStateManager.ongoingTxns, lastStableOffset.
 */

export class OngoingTransactions {
  /** First offset to producer id, going up; most logs never have one. */
  #byOffset: Map<number, number> | undefined;

  get firstOffset(): number | undefined {
    if (this.#byOffset === undefined) return undefined;
    for (const firstOffset of this.#byOffset.keys()) return firstOffset;
    return undefined;
  }

  begin(firstOffset: number, producerId: number): void {
    this.#byOffset ??= new Map();
    this.#byOffset.set(firstOffset, producerId);
  }

  end(firstOffset: number): void {
    this.#byOffset?.delete(firstOffset);
    if (this.#byOffset?.size === 0) this.#byOffset = undefined;
  }

  /** Takes over what a snapshot says, in any order. */
  load(transactions: readonly (readonly [firstOffset: number, producerId: number])[]): void {
    if (transactions.length === 0) return;
    const all = [...this.#byOffset ?? [], ...transactions];
    this.#byOffset = new Map(all.sort(([left], [right]) => left - right));
  }

  clear(): void {
    this.#byOffset = undefined;
  }
}
