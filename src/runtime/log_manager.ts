/**
 * The log directories of a broker, the metadata log in the first of them, and the logs of all
 * partitions: opened at the start, made and removed as metadata says, closed at the end.
 *
 * The one owner of disk faults: a directory whose disk fails is offline from then on, with all its
 * partitions; without the directory of the metadata log the broker cannot go on.
 * Nothing is removed on a guess: a folder goes only when a committed record removed its topic; folders
 * that nobody knows are left alone and told of.
 * Longer than most: opening, following, keeping and closing all need the one map of what lies where.
 */
import { DiskFault, isPassing } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import { toLeaderEpoch, toOffset } from "../ground/numbers.ts";
import type { Uuid } from "../ground/uuid.ts";
import type { PartitionOffset } from "../log/checkpoint_file.ts";
import { Log, type LogTools } from "../log/log.ts";
import type { PartitionFolder } from "../log/log_directory.ts";
import { LogDirectoryFault } from "../log/log_directory_fault.ts";
import { OpenSegments } from "../log/open_segments.ts";
import { TailCache } from "../log/tail_cache.ts";
import type { PartitionImage, TopicImage } from "../metadata/image.ts";
import type { MetadataRecord } from "../metadata/record.ts";
import { METADATA_TOPIC } from "../metadata/topic_name.ts";
import { decompressWith } from "../record/compression.ts";
import { atMost } from "./at_most.ts";
import type { BrokerSettings } from "./broker_settings.ts";
import { openPlaces, type Place, uniqueHex } from "./log_places.ts";
import { METADATA_PARTITION, metadataFirst, openMetadataLog } from "./metadata_place.ts";
import { MetadataQuorum } from "./metadata_quorum.ts";
import type { Counter, Histogram } from "./metrics.ts";
import { Partition } from "./partition.ts";
import { type PartitionSettings, partitionSettings } from "./partition_settings.ts";
import { PartitionTable } from "./partition_table.ts";
import { Removals } from "./removals.ts";

export interface LogManagerOptions {
  readonly env: Env;
  readonly settings: BrokerSettings;
  /** At least one. */
  readonly directories: readonly string[];
  readonly fsyncSeconds: Histogram;
  readonly appendErrors: Counter;
  /** The broker cannot go on: the disk of the metadata log has failed. */
  readonly onFailed: (fault: DiskFault) => void;
}

const OPEN_SEGMENTS_MAX = 1024;
/** Logs that are opened or closed at the same time. */
const CONCURRENT_MAX = 16;

/** A partition with the place where it lies. */
interface Placed {
  readonly partition: Partition;
  readonly place: Place;
}

export class LogManager {
  readonly partitions = new PartitionTable();
  readonly quorum: MetadataQuorum;
  readonly #options: LogManagerOptions;
  readonly #tools: LogTools;
  readonly #places: readonly Place[];
  readonly #metadataLog: Log;
  readonly #placed = new Map<Partition, Placed>();
  readonly #removals: Removals;

  /** Throws a `LogDirectoryFault`, `LogFault`, `MetadataCorrupt` or `DiskFault`; lets go of all then. */
  static async open(options: LogManagerOptions): Promise<LogManager> {
    const places: Place[] = [];
    const opened: Log[] = [];
    let onMetadataFault: (fault: DiskFault) => void = () => undefined;
    try {
      await openPlaces(options, (place) => places.push(place));
      metadataFirst(options.env.disk, places);
      const tools = logTools(options);
      const metadataLog = await openMetadataLog(places[0] as Place, tools, uniqueHex(options.env));
      opened.push(metadataLog);
      const quorum = await MetadataQuorum.open(metadataLog, {
        ...options.env,
        ...tools,
        onDiskFault: (fault) => onMetadataFault(fault),
      });
      const manager = new LogManager(options, { tools, places, metadataLog, quorum });
      await manager.#openPartitions().catch((error: unknown) => {
        opened.push(...[...manager.partitions.all()].map(({ log }) => log));
        throw error;
      });
      onMetadataFault = (fault) => manager.#onDiskFault(places[0] as Place, fault);
      quorum.onReplayed((record) => manager.#onReplayed(record));
      return manager;
    } catch (error) {
      for (const log of opened) log.closeNow();
      for (const { directory } of places) directory.abandon();
      throw error;
    }
  }

  private constructor(
    options: LogManagerOptions,
    parts: {
      readonly tools: LogTools;
      readonly places: readonly Place[];
      readonly metadataLog: Log;
      readonly quorum: MetadataQuorum;
    },
  ) {
    this.#options = options;
    this.#tools = parts.tools;
    this.#places = parts.places;
    this.#metadataLog = parts.metadataLog;
    this.#removals = new Removals(options.env.clock, (place, fault) => {
      this.#onDiskFault(place, fault);
    });
    this.quorum = parts.quorum;
  }

  get clusterId(): string {
    return (this.#places[0] as Place).directory.identity.clusterId;
  }

  /** Closes every log cleanly, writes the hints, and marks the directories as clean. */
  async close(brokerEpoch: number): Promise<void> {
    this.#removals.cancel();
    await atMost(CONCURRENT_MAX, [...this.#placed.values()], async ({ partition, place }) => {
      await partition.close(true).catch((error: unknown) => this.#onCloseFault(place, error));
    });
    const first = this.#places[0] as Place;
    await this.quorum.close().catch((error: unknown) => this.#onCloseFault(first, error));
    await Promise.all(this.#places.map((place) => this.#closePlace(place, brokerEpoch)));
  }

  /** Lets go of everything without a word: what a crash would leave. */
  abandon(): void {
    this.#removals.cancel();
    for (const { partition } of this.#placed.values()) {
      partition.goOffline();
      partition.log.closeNow();
    }
    this.#metadataLog.closeNow();
    for (const { directory } of this.#places) directory.abandon();
  }

  /** A log that could not be closed cleanly leaves its directory without the mark of a clean stop. */
  #onCloseFault(place: Place, error: unknown): void {
    if (!(error instanceof DiskFault)) throw error;
    this.#onDiskFault(place, error);
  }

  /**
   * Writes down up to where logs are durable, so that a start after a crash looks at what came later
   * only. A hint: that it could not be written costs time at most.
   */
  async writeRecoveryPoints(): Promise<void> {
    for (const place of this.#places) {
      if (!place.isOnline) continue;
      const entries = (): readonly PartitionOffset[] =>
        this.#entriesOf(place, (log) => log.recoveryPoint);
      const sum = entries().reduce((total, { offset }) => total + offset, 0);
      if (sum === place.recoveryPointSum) continue;
      try {
        // deno-lint-ignore no-await-in-loop -- one directory after the other
        await place.directory.writeCheckpoint("recoveryPoint", entries);
        place.recoveryPointSum = sum;
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        if (!isPassing(error)) this.#onDiskFault(place, error);
      }
    }
  }

  /** Forgets producers that have been silent for too long. */
  expireProducers(): void {
    const { env, settings } = this.#options;
    for (const { log } of this.partitions.all()) {
      log.producers.removeExpired(env.clock.wallMs(), settings.get("producer.id.expiration.ms"));
    }
  }

  #entriesOf(place: Place, read: (log: Log) => number): readonly PartitionOffset[] {
    const entries: PartitionOffset[] = [];
    for (const { partition, place: other } of this.#placed.values()) {
      if (other !== place) continue;
      const { topic, partitionId, log } = partition;
      entries.push({ topic, partition: partitionId, offset: toOffset(read(log)) });
    }
    if (place === this.#places[0]) {
      entries.push({ ...METADATA_PARTITION, offset: toOffset(read(this.#metadataLog)) });
    }
    return entries;
  }

  async #closePlace(place: Place, brokerEpoch: number): Promise<void> {
    const { directory } = place;
    if (!place.isOnline) {
      directory.abandon();
      return;
    }
    const entries = (read: (log: Log) => number) => () => this.#entriesOf(place, read);
    await directory.writeCheckpoint("recoveryPoint", entries((log) => log.recoveryPoint));
    await directory.writeCheckpoint("logStart", entries((log) => log.logStartOffset));
    await directory.close(brokerEpoch);
  }

  async #openPartitions(): Promise<void> {
    const { image } = this.quorum;
    const known = new Map<string, { readonly folder: PartitionFolder; readonly place: Place }>();
    for (const place of this.#places) {
      for (const folder of place.directory.partitions()) {
        if (folder.topic === METADATA_TOPIC) continue;
        if (folder.topicId !== undefined && image.wasRemoved(folder.topicId)) {
          // deno-lint-ignore no-await-in-loop -- rare: a crash in the middle of a removal
          await place.directory.deletePartition(folder, uniqueHex(this.#options.env));
        } else if (image.topic(folder.topic)?.partitions[folder.partition] === undefined) {
          this.#options.env.trace.event("warn", "a folder of no known partition is left alone", {
            path: folder.path,
          });
        } else known.set(`${folder.topic}-${folder.partition}`, { folder, place });
      }
      place.directory.removeDeleted();
    }
    image.forgetRemoved();
    const wanted = [...image.topics()].flatMap((topic) =>
      topic.partitions.map((partition) => ({ topic, partition }))
    );
    const { clock, trace } = this.#options.env;
    const beganMs = clock.monotonicMs();
    await atMost(CONCURRENT_MAX, wanted, ({ topic, partition }) => {
      const found = known.get(`${topic.name}-${partition.partitionId}`);
      return this.#openPartition(topic, partition, found);
    });
    const logs = [...known.values()].filter(({ place }) => !place.directory.wasClean).length;
    const ms = Math.round(clock.monotonicMs() - beganMs);
    if (logs > 0) trace.event("info", "recovered after an unclean stop", { logs, ms });
  }

  async #openPartition(
    topic: TopicImage,
    { partitionId, leaderEpoch }: PartitionImage,
    found: { readonly folder: PartitionFolder; readonly place: Place } | undefined,
  ): Promise<void> {
    const place = found?.place ?? this.#leastLoaded();
    place.partitionCount++;
    const { directory } = place;
    const name = { topic: topic.name, partition: partitionId };
    const folder = found?.folder ??
      await directory.createPartition(name, topic.topicId, uniqueHex(this.#options.env));
    if (folder.topicId === undefined) await directory.writeTopicId(folder, topic.topicId);
    if (folder.topicId !== undefined && folder.topicId !== topic.topicId) {
      throw new LogDirectoryFault(
        "CORRUPT",
        `Cannot open ${folder.path}: it belongs to topic id ${folder.topicId}, not ${topic.topicId}`,
        "move the folder elsewhere; nothing was changed in it",
      );
    }
    const settings = this.#settingsOf(topic);
    const log = await Log.open({
      directory: folder.path,
      settings: settings.log,
      tools: this.#tools,
      isClean: found === undefined || directory.wasClean,
      recoveryPoint: directory.checkpoint("recoveryPoint", name),
      logStartOffset: directory.checkpoint("logStart", name),
    });
    // What recovery kept may be in the page cache only; the high watermark starts at its end.
    if (log.recoveryPoint < log.logEndOffset) await log.sync();
    const partition = new Partition({
      topic: topic.name,
      topicId: topic.topicId,
      partitionId,
      leaderEpoch: toLeaderEpoch(leaderEpoch),
      log,
      settings,
      clock: this.#options.env.clock,
      trace: this.#options.env.trace,
      fsyncSeconds: this.#options.fsyncSeconds,
      appendErrors: this.#options.appendErrors,
      onDiskFault: (fault) => this.#onDiskFault(place, fault),
    });
    this.#placed.set(partition, { partition, place });
    this.partitions.add(partition);
  }

  /**
   * What a committed record asks of this broker. A disk that does not let it is told of, and the
   * partition is without a log until the next start: the decision stands whatever this disk does.
   */
  async #onReplayed(record: MetadataRecord): Promise<void> {
    try {
      if (record.kind === "partition") {
        const topic = this.quorum.image.topicById(record.topicId);
        if (topic !== undefined) await this.#openPartition(topic, record, undefined);
      } else if (record.kind === "remove-topic") await this.#removeTopic(record.topicId);
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      const place = this.#places.find(({ directory }) => error.path.startsWith(directory.path));
      const { path, message } = error;
      this.#options.env.trace.event("error", "metadata cannot be followed", {
        path,
        error: message,
      });
      if (place !== undefined && !isPassing(error)) this.#onDiskFault(place, error);
    }
  }

  async #removeTopic(topicId: Uuid): Promise<void> {
    for (const partition of this.partitions.removeTopic(topicId)) {
      const { place } = this.#placed.get(partition) as Placed;
      this.#placed.delete(partition);
      place.partitionCount--;
      // deno-lint-ignore no-await-in-loop -- one rename after the other
      await partition.close(false);
      partition.log.closeNow();
      if (!place.isOnline) continue;
      const name = { topic: partition.topic, partition: partition.partitionId };
      // deno-lint-ignore no-await-in-loop
      const deleted = await place.directory.deletePartition(name, uniqueHex(this.#options.env));
      this.#removals.later(place, deleted, partition.settings.fileDeleteDelayMs);
    }
  }

  #settingsOf(topic: TopicImage): PartitionSettings {
    return partitionSettings(topic.config, (synonym) => this.#options.settings.text(synonym));
  }

  #leastLoaded(): Place {
    const online = this.#places.filter((place) => place.isOnline);
    return online.reduce((least, place) =>
      place.partitionCount < least.partitionCount ? place : least
    );
  }

  #onDiskFault(place: Place, fault: DiskFault): void {
    if (!place.isOnline) return;
    place.isOnline = false;
    this.#options.env.trace.event("error", "log directory is offline", {
      path: place.directory.path,
      error: fault.message,
    });
    for (const placed of this.#placed.values()) {
      if (placed.place === place) placed.partition.goOffline();
    }
    if (place === this.#places[0]) this.#options.onFailed(fault);
  }
}

function logTools({ env, settings }: LogManagerOptions): LogTools {
  return {
    disk: env.disk,
    crc32c: env.crc32c,
    decompress: decompressWith(env.compressors),
    trace: env.trace,
    tail: new TailCache({ bytesMax: settings.get("mq.tail.cache.bytes") }),
    openSegments: new OpenSegments({ countMax: Math.min(OPEN_SEGMENTS_MAX, env.disk.filesMax) }),
    random: env.random,
  };
}
