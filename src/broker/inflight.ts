/**
 * Bytes of requests that are under way in all connections together (`queued.max.request.bytes`).
 *
 * A connection that finds the pool full stops reading and is woken when there is room again.
 */
export class InflightBytes {
  readonly #bytesMax: number;
  #bytes = 0;
  #waiting = new Set<() => void>();

  /** -1 = no limit. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax === -1 ? Infinity : bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
    if (this.isFull || this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Calls `wake` once when there is room. */
  wait(wake: () => void): void {
    this.#waiting.add(wake);
  }

  forget(wake: () => void): void {
    this.#waiting.delete(wake);
  }
}
