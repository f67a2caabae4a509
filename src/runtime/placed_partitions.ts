/**
 * The partitions that have a replica on this broker, and the places where they lie: those that are
 * open, and those that are offline because their logs could not be opened, which are tried again where
 * only room was missing.
 *
 * Not here: which records ask for what (`log_manager.ts`), how one is opened (`partition_opener.ts`).
 * Longer than most: every way in which a partition comes here or goes.
 */
import { DiskFault } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import { toLeaderEpoch } from "../ground/numbers.ts";
import type { Uuid } from "../ground/uuid.ts";
import type { ClusterImage, PartitionImage, TopicImage } from "../metadata/image.ts";
import { atMost } from "./at_most.ts";
import type { BrokerSettings } from "./broker_settings.ts";
import type { HintedLog, HintSources } from "./log_hints.ts";
import { type Place, uniqueHex } from "./log_places.ts";
import type { ManagedLog } from "./managed_logs.ts";
import type { Partition } from "./partition.ts";
import type {
  FoundFolder,
  OpenedPartition,
  PartitionOpener,
  WantedPartition,
} from "./partition_opener.ts";
import { type PartitionSettings, partitionSettings } from "./partition_settings.ts";
import { type OfflinePartition, PartitionTable } from "./partition_table.ts";
import type { Removals } from "./removals.ts";
import { Slices } from "./slices.ts";

export interface PlacedPartitionsOptions {
  readonly env: Env;
  readonly settings: BrokerSettings;
  /** This node. */
  readonly nodeId: number;
  readonly image: ClusterImage;
  readonly opener: PartitionOpener;
  readonly removals: Removals;
  readonly onTopicRemoved?: (topic: string) => void;
}

/** Logs that are opened or closed at the same time. */
const CONCURRENT_MAX = 16;

/** A partition with the place where it lies. */
export interface Placed extends ManagedLog, HintedLog {}

/** Of an offline partition: how to open it, and where its folder is known to be. */
interface Unopened {
  readonly wanted: WantedPartition;
  readonly place: Place | undefined;
  readonly isPassing: boolean;
}

interface RemovedPartition {
  readonly name: HintedLog["name"];
  readonly delayMs: number;
}

/** A partition of the image. */
type Named = Omit<WantedPartition, "found" | "isNew">;

type UnopenedFolder = ReturnType<HintSources["unopened"]> extends Iterable<infer F> ? F : never;

export class PlacedPartitions {
  readonly table = new PartitionTable();
  readonly #options: PlacedPartitionsOptions;
  readonly #placed = new Map<Partition, Placed>();
  readonly #unopened = new Map<OfflinePartition, Unopened>();
  /** By topic id and number. */
  readonly #making = new Set<string>();
  readonly #slices: Slices;
  #retrying: Promise<void> | undefined;

  constructor(options: PlacedPartitionsOptions) {
    this.#options = options;
    this.#slices = new Slices(options.env.clock);
  }

  all(): Iterable<Placed> {
    return this.#placed.values();
  }

  /** Undefined where it was deleted. */
  get(partition: Partition): Placed | undefined {
    return this.#placed.get(partition);
  }

  placeOf(partition: Partition): Place | undefined {
    return this.#placed.get(partition)?.place;
  }

  /** Partitions that are not open, and whose folders are known. */
  *unopened(): Iterable<UnopenedFolder> {
    for (const [{ topic, partitionId }, { place }] of this.#unopened) {
      if (place !== undefined) yield { name: { topic, partition: partitionId }, place };
    }
  }

  /** At the start: all that the image has for this node, in the folders that were found. */
  async openAll(known: ReadonlyMap<string, FoundFolder>): Promise<void> {
    const wanted = [...this.#wanted()].map((one): WantedPartition => {
      const found = known.get(`${one.topic.name}-${one.partition.partitionId}`);
      return { ...one, found, isNew: false };
    });
    const { opener } = this.#options;
    await atMost(CONCURRENT_MAX, wanted, async (one) => this.#add(one, await opener.open(one)));
  }

  /**
   * A record about a partition was replayed: it is made where it is to be here and is not, and told who
   * leads it. What the image says counts, which may be newer than the record.
   */
  async follow(topicId: Uuid, partitionId: number): Promise<void> {
    const topic = this.#options.image.topicById(topicId);
    const partition = topic?.partitions[partitionId];
    if (topic === undefined || partition === undefined) return; // removed since
    const present = this.#present(topic, partitionId);
    if (present !== undefined) this.#assign(present, partition);
    else if (this.#isHere(partition) && !this.#isOffline(topic, partitionId)) {
      const settings = this.#sharedSettings(topic) ?? this.#settingsOf(topic);
      await this.#make({ topic, partition, settings });
    }
  }

  /** The image was replaced as a whole: what is no more in it goes, what is new in it comes. */
  async reconcile(): Promise<void> {
    const { image } = this.#options;
    const gone = new Set<Uuid>();
    for (const { topicId } of [...this.table.all(), ...this.table.offline()]) {
      if (image.topicById(topicId) === undefined) gone.add(topicId);
    }
    // deno-lint-ignore no-await-in-loop -- one topic after the other
    for (const topicId of gone) await this.removeTopic(topicId);
    const wanted: Named[] = [];
    for (const topic of image.topics()) {
      for (const partition of topic.partitions) {
        const present = this.#present(topic, partition.partitionId);
        if (present !== undefined) this.#assign(present, partition);
      }
      this.configure(topic.name);
    }
    for (const one of this.#wanted()) {
      const { topic, partition: { partitionId } } = one;
      if (this.#present(topic, partitionId) !== undefined) continue;
      if (!this.#isOffline(topic, partitionId)) wanted.push(one);
    }
    await atMost(CONCURRENT_MAX, wanted, (one) => this.#make(one));
  }

  /** A setting has changed: it is in force at once, for all partitions of the topic. */
  configure(topicName: string): void {
    const topic = this.#options.image.topic(topicName);
    if (topic === undefined) return;
    const settings = this.#settingsOf(topic);
    for (const partition of this.table.ofTopic(topicName)) {
      if (partition.topicId === topic.topicId) partition.configure(settings);
    }
  }

  /** Each place by itself: a fault in one does not keep the others from being cleared. */
  async removeTopic(topicId: Uuid): Promise<void> {
    await this.#retrying; // what is being opened must not be renamed meanwhile
    const { partitions, offline } = this.table.removeTopic(topicId);
    const topic = partitions[0]?.topic ?? offline[0]?.topic;
    if (topic !== undefined) this.#options.onTopicRemoved?.(topic);
    const gone = new Map<Place, RemovedPartition[]>();
    const note = (place: Place, one: RemovedPartition): void => {
      const list = gone.get(place);
      if (list === undefined) gone.set(place, [one]);
      else list.push(one);
    };
    await atMost(CONCURRENT_MAX, partitions, async (partition) => {
      const { place, name } = this.#placed.get(partition) as Placed;
      this.#placed.delete(partition);
      place.partitionCount--;
      await this.#slices.next();
      await partition.close(false);
      partition.log.closeNow();
      note(place, { name, delayMs: partition.settings.fileDeleteDelayMs });
    });
    for (const entry of offline) {
      const { place, wanted } = this.#unopened.get(entry) as Unopened;
      this.#unopened.delete(entry);
      const name = { topic: entry.topic, partition: entry.partitionId };
      if (place !== undefined) note(place, { name, delayMs: wanted.settings.fileDeleteDelayMs });
    }
    await atMost(CONCURRENT_MAX, [...gone], ([place, list]) => this.#removeFrom(place, list));
  }

  /** What had no room or no handles may have them now. */
  retryUnopened(): Promise<void> {
    this.#retrying ??= this.#retryAll().finally(() => {
      this.#retrying = undefined;
    });
    return this.#retrying;
  }

  goOffline(place: Place): void {
    for (const one of this.#placed.values()) if (one.place === place) one.partition.goOffline();
  }

  /** Closes all logs cleanly; `onFault` hears of those that could not be. */
  async close(onFault: (place: Place, fault: unknown) => void): Promise<void> {
    await this.#retrying;
    await atMost(CONCURRENT_MAX, [...this.#placed.values()], async ({ partition, place }) => {
      await partition.close(true).catch((error: unknown) => onFault(place, error));
    });
  }

  abandon(): void {
    for (const { partition } of this.#placed.values()) {
      partition.goOffline();
      partition.log.closeNow();
    }
  }

  *#wanted(): Iterable<Named> {
    for (const topic of this.#options.image.topics()) {
      let settings: PartitionSettings | undefined; // shared by its partitions
      for (const partition of topic.partitions) {
        if (!this.#isHere(partition)) continue;
        settings ??= this.#settingsOf(topic);
        yield { topic, partition, settings };
      }
    }
  }

  #isHere({ replicas }: PartitionImage): boolean {
    return replicas.includes(this.#options.nodeId);
  }

  #present({ name, topicId }: TopicImage, partitionId: number): Partition | undefined {
    const partition = this.table.get(name, partitionId);
    return partition?.topicId === topicId ? partition : undefined;
  }

  #isOffline({ name, topicId }: TopicImage, partitionId: number): boolean {
    return this.table.getOffline(name, partitionId)?.topicId === topicId;
  }

  #assign(partition: Partition, { leader, leaderEpoch }: PartitionImage): void {
    partition.assign(toLeaderEpoch(leaderEpoch), leader === this.#options.nodeId);
  }

  /** Two records of one batch may ask for the same: once is enough. */
  async #make(named: Named): Promise<void> {
    const wanted: WantedPartition = { ...named, found: undefined, isNew: true };
    const key = `${wanted.topic.topicId} ${wanted.partition.partitionId}`;
    if (this.#making.has(key)) return;
    this.#making.add(key);
    try {
      await this.#slices.next();
      this.#add(wanted, await this.#options.opener.make(wanted));
    } finally {
      this.#making.delete(key);
    }
  }

  #add(wanted: WantedPartition, opened: OpenedPartition): void {
    const { topic, partition: { partitionId } } = wanted;
    if (opened.kind === "open") {
      const { partition, place } = opened;
      // Another one may have been elected while it was being opened.
      const now = this.#options.image.topicById(topic.topicId)?.partitions[partitionId];
      if (now !== undefined) this.#assign(partition, now);
      this.#placed.set(partition, {
        partition,
        place,
        directory: place.directory.path,
        name: { topic: topic.name, partition: partitionId },
        log: partition.log,
        writtenLogStart: partition.log.logStartOffset,
      });
      this.table.add(partition);
      if (!place.isOnline) partition.goOffline(); // while it was being opened
      return;
    }
    const { reason, place, isPassing } = opened;
    const entry = { topic: topic.name, topicId: topic.topicId, partitionId, reason };
    this.table.addOffline(entry);
    this.#unopened.set(entry, { wanted, place, isPassing });
  }

  async #retryAll(): Promise<void> {
    const passing = [...this.#unopened].filter(([, { isPassing }]) => isPassing);
    await atMost(CONCURRENT_MAX, passing, async ([entry, { wanted, place }]) => {
      const opened = await this.#options.opener.open(wanted, place);
      this.#unopened.delete(entry);
      this.#add(wanted, opened);
      if (opened.kind === "open") this.configure(entry.topic); // settings may have changed meanwhile
    });
  }

  async #removeFrom(place: Place, removed: readonly RemovedPartition[]): Promise<void> {
    if (!place.isOnline) return; // the next start that finds them removes them
    const { env, removals } = this.#options;
    try {
      const names = removed.map(({ name }) => name);
      const paths = await place.directory.deletePartitions(names, () => uniqueHex(env));
      removals.later(place, paths, removed[0]?.delayMs ?? 0);
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      const { path, message } = error;
      env.trace.event("error", "a topic could not be removed from the disk", {
        path,
        error: message,
      });
      place.onFault(error);
    }
  }

  /** Of another partition of the topic: `configure` sees to it that they are those in force. */
  #sharedSettings({ name, topicId }: TopicImage): PartitionSettings | undefined {
    for (const partition of this.table.ofTopic(name)) {
      if (partition.topicId === topicId) return partition.settings;
    }
    return undefined;
  }

  #settingsOf(topic: TopicImage): PartitionSettings {
    return partitionSettings(topic.config, (synonym) => this.#options.settings.text(synonym));
  }
}
