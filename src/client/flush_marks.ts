/** Who waits until all that was appended before a moment is reported, in every partition. */
import type { PartitionQueue } from "./partition_queue.ts";

interface Flush {
  readonly marks: readonly { readonly queue: PartitionQueue; readonly order: number }[];
  resolve(): void;
}

export class FlushMarks {
  #flushes: Flush[] = [];

  /** Resolves when what these partitions have sealed by now is reported. */
  mark(queues: readonly PartitionQueue[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const marks = queues.map((queue) => ({ queue, order: queue.sealedCount }));
    this.#flushes.push({ marks, resolve });
    return promise;
  }

  /** To be called after every report. */
  check(): void {
    if (this.#flushes.length === 0) return;
    this.#flushes = this.#flushes.filter(({ marks, resolve }) => {
      const isDone = marks.every(({ queue, order }) => queue.reportedOrder() >= order);
      if (isDone) resolve();
      return !isDone;
    });
  }
}
