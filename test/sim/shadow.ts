/**
 * What the world has promised its clients so far: topics, and of each partition which value a reader must
 * find at which offset. It knows nothing of logs, syncs or segments.
 *
 * A promise is raised before the request that asks for the change leaves where it only permits
 * (`startMax`, "unsure"), and behind the answer where it demands (`expected`, `startMin`, "there").
 */
export type Durability = "memory" | "quorum-fsync";
export type Existence = "unsure" | "there" | "absent";

export interface SentRecord {
  readonly value: string;
  /** Who sent it, and as which one; the order of an idempotent producer's is kept. */
  readonly producer: string;
  readonly number: number;
  readonly isIdempotent: boolean;
  /** Losses that the partition was allowed so far. */
  readonly lossCount: number;
}

interface Expected {
  readonly value: string;
  /** Whether it survives a loss of power. */
  readonly isDurable: boolean;
  /** When it was promised, in the order of all promises. */
  readonly serial: number;
}

export class PartitionShadow {
  readonly sent = new Map<string, SentRecord>();
  readonly expected = new Map<number, Expected>();
  /** Acknowledged without an offset: somewhere in the log. */
  readonly somewhere = new Map<string, Expected>();
  /** What readers have found. */
  readonly seen = new Map<number, string>();
  startMin = 0;
  startMax = 0;
  /** The largest end that was told. */
  endMin = 0;
  /** How often records that were acknowledged may have been lost. */
  lossCount = 0;
  readonly durability: Durability;

  constructor(durability: Durability) {
    this.durability = durability;
  }

  /** The machine that leads it has lost its power. */
  onPowerLoss(): void {
    for (const [offset, { isDurable }] of this.expected) {
      if (!isDurable) this.expected.delete(offset);
    }
    for (const [value, { isDurable }] of this.somewhere) {
      if (!isDurable) this.somewhere.delete(value);
    }
    if (this.durability === "memory") {
      this.seen.clear();
      this.endMin = 0;
      this.lossCount++;
    }
  }

  onDiskLost(): void {
    this.expected.clear();
    this.somewhere.clear();
    this.seen.clear();
    this.endMin = 0;
    this.startMin = 0;
    this.lossCount++;
  }
}

export class TopicShadow {
  readonly name: string;
  readonly partitions: readonly PartitionShadow[];
  /** What each setting that was changed may be. */
  readonly settings = new Map<string, Set<string>>();
  /** Every value that was ever asked for, oldest first. */
  readonly attempts: string[] = [];
  /** A change of settings is under way: one at a time. */
  isAltering = false;
  existence: Existence = "unsure";

  constructor(name: string, partitionCount: number, durability: Durability) {
    this.name = name;
    this.partitions = Array.from({ length: partitionCount }, () => new PartitionShadow(durability));
  }

  partition(index: number): PartitionShadow {
    return this.partitions[index] as PartitionShadow;
  }
}

export class Shadow {
  readonly topics = new Map<string, TopicShadow>();
  isDamaged = false;
  /** Whoever else has promises that a disk keeps. */
  onDisksLost: () => void = () => undefined;
  #serial = 0;
  #topicNumber = 0;

  /** A number for "as of now": promises with a smaller one were given before. */
  nextSerial(): number {
    return this.#serial++;
  }

  nextTopicName(): string {
    return `t${this.#topicNumber++}`;
  }

  there(): readonly TopicShadow[] {
    return [...this.topics.values()].filter(({ existence }) => existence === "there");
  }

  *partitions(): Iterable<PartitionShadow> {
    for (const topic of this.topics.values()) yield* topic.partitions;
  }

  onPowerLoss(): void {
    for (const partition of this.partitions()) partition.onPowerLoss();
  }

  /** A broker has lost its disk, and with it what no other has: any partition may begin anew. */
  onDiskLost(): void {
    for (const partition of this.partitions()) partition.onDiskLost();
    this.onDisksLost();
  }

  /** A disk without a copy elsewhere lies: nothing is promised any more but that values are real. */
  onDamage(): void {
    this.isDamaged = true;
  }
}
