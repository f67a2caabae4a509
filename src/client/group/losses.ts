/**
 * How often in a row a member was taken for dead, for the pause before it joins anew: two that are run
 * under one name would otherwise expel each other as fast as the network goes.
 */
const CALM_MS = 30_000;

export class Losses {
  #count = 0;
  #lostAtMs = -Infinity;

  /** One more; the number of those behind which there was no calm, from 1. */
  count(now: number): number {
    this.#count = now - this.#lostAtMs > CALM_MS ? 1 : this.#count + 1;
    this.#lostAtMs = now;
    return this.#count;
  }
}
