/**
 * Tells a parked Fetch whether so much can have arrived that reading again is worth it.
 *
 * Without it each append makes each parked Fetch read all it asks for, and a client that parks
 * thousands of them behind a `minBytes` that is never reached stalls the broker with every record.
 *
 * A bound from above, never from below: what the logs have grown by since the last reading. Where
 * something was appended but not yet committed when it was read, no bound is known.
 */
import type { FetchTarget } from "./fetch_target.ts";

export class Arrivals {
  readonly #targets: readonly FetchTarget[];
  readonly #bytesMin: number;
  #sizeBefore = 0;
  #isBounded = false;
  #bytesMissing = 0;

  /** To be made just before the first reading. */
  constructor(targets: readonly FetchTarget[], bytesMin: number) {
    this.#targets = targets;
    this.#bytesMin = bytesMin;
    if (bytesMin > 1) this.restart();
  }

  /** Just before the logs are read again: what comes while they are read counts as new. */
  restart(): void {
    // One byte more is enough for nearly all clients: then every move is worth a look.
    if (this.#bytesMin <= 1) return;
    this.#sizeBefore = this.#size();
    this.#isBounded = this.#targets.every(({ partition }) =>
      partition === undefined || partition.highWatermark >= partition.log.logEndOffset
    );
    this.#bytesMissing = 0;
  }

  /** What that reading has found. */
  found(byteCount: number): void {
    this.#bytesMissing = this.#bytesMin - byteCount;
  }

  mayBeEnough(): boolean {
    if (!this.#isBounded) return true;
    const grown = this.#size() - this.#sizeBefore;
    return grown < 0 || grown >= this.#bytesMissing || !this.#isOnline();
  }

  #size(): number {
    let sum = 0;
    for (const { partition } of this.#targets) sum += partition?.log.sizeInBytes() ?? 0;
    return sum;
  }

  #isOnline(): boolean {
    return this.#targets.every(({ partition }) => partition?.isOnline !== false);
  }
}
