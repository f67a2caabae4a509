/**
 * The records of one topic on their way: which partition each goes to, and those that wait until the
 * topic's partitions are known.
 *
 * A record without a key sticks to one partition until that partition's batch is sealed, then another
 * is drawn (KIP-480): batches stay large however many partitions there are.
 */
import type { Random } from "../env/random.ts";
import { partitionOfKey } from "../ground/murmur2.ts";
import type { TopicMetadata } from "./metadata_cache.ts";
import type { PartitionQueue } from "./partition_queue.ts";
import type { OnDelivery, ProducerRecord } from "./producer_options.ts";

export interface WaitingRecord {
  readonly record: ProducerRecord;
  readonly onDelivery: OnDelivery | undefined;
  readonly bufferedBytes: number;
}

export interface TopicQueueOptions {
  readonly topic: string;
  readonly partitioner: "default" | "round-robin";
  readonly random: Random;
  newPartition(partition: number): PartitionQueue;
}

export class TopicQueue {
  readonly topic: string;
  /** By number; empty until the topic is known. */
  readonly partitions: PartitionQueue[] = [];
  /** Records that came before the topic was known, in order. */
  waiting: WaitingRecord[] = [];
  /** Resolves when those were passed on or given up. */
  lookup: Promise<void> | undefined;
  /** What `partitions` follows. */
  #metadata: TopicMetadata | undefined;
  readonly #options: TopicQueueOptions;
  readonly #isRoundRobin: boolean;
  #sticky = -1;
  #next = 0;

  constructor(options: TopicQueueOptions) {
    this.#options = options;
    this.topic = options.topic;
    this.#isRoundRobin = options.partitioner === "round-robin";
  }

  /** Follows what is known of the topic; partitions are added, and never go away. */
  follow(metadata: TopicMetadata): void {
    if (this.#metadata === metadata) return;
    this.#metadata = metadata;
    const { partitions } = this;
    while (partitions.length < metadata.partitions.length) {
      partitions.push(this.#options.newPartition(partitions.length));
    }
    if (this.#sticky < 0) this.#stickToAnother();
  }

  /** The queue for a record; undefined where it names a partition that is not there. */
  choose(key: Uint8Array | null, partition: number | undefined): PartitionQueue | undefined {
    const { partitions } = this;
    if (partition !== undefined) return partitions[partition];
    if (this.#isRoundRobin) return partitions[this.#next++ % partitions.length];
    if (key === null) return partitions[this.#sticky];
    return partitions[partitionOfKey(key, partitions.length)];
  }

  /** A batch of `queue` was sealed: keyless records go elsewhere from now on. */
  onSealed(queue: PartitionQueue): void {
    if (queue.partition === this.#sticky) this.#stickToAnother();
  }

  #stickToAnother(): void {
    const { random } = this.#options;
    const count = this.partitions.length;
    if (count === 0) return;
    // One of the others, each as likely; the only one where there is but one.
    if (this.#sticky < 0) this.#sticky = random.below(count);
    else if (count > 1) this.#sticky = (this.#sticky + 1 + random.below(count - 1)) % count;
  }
}
