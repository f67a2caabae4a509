/** What became of the records of `mq produce`: counts by partition, and the first error. */

export interface DeliveredBatch {
  readonly partition: number;
  /** -1 where it is not known. */
  readonly baseOffset: number;
  readonly recordCount: number;
  readonly error?: Error;
}

export interface PartitionCount {
  readonly partition: number;
  records: number;
  /** -1 while it is not known. */
  firstOffset: number;
  lastOffset: number;
}

export class DeliveryCount {
  delivered = 0;
  failed = 0;
  firstError: Error | undefined;
  readonly #partitions = new Map<number, PartitionCount>();

  add({ partition, baseOffset, recordCount, error }: DeliveredBatch): void {
    if (error !== undefined) {
      this.failed += recordCount;
      this.firstError ??= error;
      return;
    }
    this.delivered += recordCount;
    let count = this.#partitions.get(partition);
    if (count === undefined) {
      count = { partition, records: 0, firstOffset: baseOffset, lastOffset: -1 };
      this.#partitions.set(partition, count);
    }
    count.records += recordCount;
    if (baseOffset >= 0) count.lastOffset = baseOffset + recordCount - 1;
  }

  /** In the order of their numbers. */
  partitions(): readonly PartitionCount[] {
    return [...this.#partitions.values()].sort((one, other) => one.partition - other.partition);
  }
}
