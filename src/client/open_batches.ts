/**
 * The batches that are being filled, oldest first, and the one timer that ends their waiting.
 *
 * Without linger there is no timer: what is appended in one go goes together, in a microtask.
 */
import type { Clock, Timer } from "../env/clock.ts";
import type { PartitionQueue } from "./partition_queue.ts";

export interface OpenBatchesOptions {
  readonly clock: Clock;
  readonly lingerMs: number;
  /** These have waited long enough; each is sealed, and so removed, by the receiver. */
  onLingered(queues: readonly PartitionQueue[]): void;
}

export class OpenBatches {
  readonly #options: OpenBatchesOptions;
  /** In the order in which their batches were opened. */
  readonly #queues = new Set<PartitionQueue>();
  #timer: Timer | undefined;
  #isWaiting = false;

  constructor(options: OpenBatchesOptions) {
    this.#options = options;
  }

  /** The first record of a batch has come. */
  add(queue: PartitionQueue): void {
    const { clock, lingerMs } = this.#options;
    queue.openedAtMs = clock.monotonicMs();
    this.#queues.add(queue);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    if (lingerMs > 0) this.#timer = clock.after(lingerMs, () => this.#onTime());
    else Promise.resolve().then(() => this.#onTime());
  }

  /** The batch is sealed. */
  remove(queue: PartitionQueue): void {
    this.#queues.delete(queue);
  }

  all(): readonly PartitionQueue[] {
    return [...this.#queues];
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #onTime(): void {
    const { clock, lingerMs } = this.#options;
    const now = clock.monotonicMs();
    const lingered: PartitionQueue[] = [];
    this.#isWaiting = false;
    for (const queue of this.#queues) {
      const leftMs = queue.openedAtMs + lingerMs - now;
      if (leftMs > 0) {
        this.#isWaiting = true;
        this.#timer = clock.after(leftMs, () => this.#onTime());
        break; // those behind it were opened later
      }
      lingered.push(queue);
    }
    if (lingered.length > 0) this.#options.onLingered(lingered);
  }
}
