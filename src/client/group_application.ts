/**
 * What is known of the application behind a group consumer: whether it has a batch in its hands, and when
 * it last showed a sign of life. One that shows none for too long is as good as dead to its group
 * (Kafka's max.poll.interval.ms).
 */
export class GroupApplication {
  readonly #maxProcessingMs: number;
  #isHeld = false;
  #isTooSlow = false;
  #signOfLifeMs = 0;
  #waiters: (() => void)[] = [];

  constructor(maxProcessingMs: number) {
    this.#maxProcessingMs = maxProcessingMs;
  }

  /** Whether it has a batch in its hands and has not come back for more. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** From when on it is too slow, unless it shows a sign of life; Infinity where that cannot be. */
  get tooSlowAtMs(): number {
    return this.#isHeld && !this.#isTooSlow ? this.#signOfLifeMs + this.#maxProcessingMs : Infinity;
  }

  /** It gets a batch, and has it until `takeBack`. */
  handOut(now: number): void {
    this.#isHeld = true;
    this.#signOfLifeMs = now;
  }

  /** It is back for more. Whether it had been given up as too slow. */
  takeBack(): boolean {
    this.#isHeld = false;
    if (!this.#isTooSlow) {
      this.poke();
      return false;
    }
    this.#isTooSlow = false;
    return true;
  }

  /** It is through with something. */
  finish(now: number): void {
    this.#signOfLifeMs = now;
    this.poke();
  }

  becomeTooSlow(): void {
    this.#isTooSlow = true;
  }

  /** Resolves when it is worth another look, for whatever reason. */
  news(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  poke(): void {
    if (this.#waiters.length === 0) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
