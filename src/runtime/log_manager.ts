/**
 * The log directories of a broker, the metadata log in the first of them, and the logs of all
 * partitions: opened at the start, made and removed as metadata says, closed at the end.
 *
 * A directory owns the faults of its disk (`log/directory/directory_health.ts`); here it is listened to: one that
 * has failed takes its partitions offline, and without the one of the metadata log the broker cannot go
 * on. What cannot be opened is an offline partition, and the others go on.
 * Not here: which partition lies where (`placed_partitions.ts`), what a start finds
 * (`found_folders.ts`), checkpoints (`log_hints.ts`). Longer than most: background work asks here for all
 * that those know.
 */
import { DiskFault } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import type { Offset } from "../ground/numbers.ts";
import type { Log, LogTools } from "../log/log.ts";
import type { KnownDirectory } from "../log/directory/known_directories.ts";
import { LogFault } from "../log/log_fault.ts";
import { OpenSegments } from "../log/segment/open_segments.ts";
import { ReadChecks } from "../log/reading/read_checks.ts";
import { TailCache } from "../log/reading/tail_cache.ts";
import type { MetadataRecord } from "../metadata/record.ts";
import { decompressWith } from "../record/compression.ts";
import type { BrokerSettings } from "./broker_settings.ts";
import { findFolders } from "./found_folders.ts";
import { type HintedLog, LogHints } from "./log_hints.ts";
import { type OpenedPlaces, openPlaces, type Place, uniqueHex } from "./log_places.ts";
import { lostDirectories, noteDirectories } from "./lost_directories.ts";
import type { ManagedLog, ManagedLogs } from "./managed_logs.ts";
import { METADATA_PARTITION, metadataFirst, openMetadataLog } from "./metadata_place.ts";
import { MetadataQuorum } from "./metadata_quorum.ts";
import type { Counter, Histogram } from "./metrics.ts";
import { damagedLog } from "./partition.ts";
import { PartitionOpener } from "./partition_opener.ts";
import type { PartitionTable } from "./partition_table.ts";
import { PlacedPartitions } from "./placed_partitions.ts";
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

/** A log directory, for metrics and health. */
export interface DirectoryReport {
  readonly path: string;
  readonly state: "online" | "full" | "offline";
  /** As measured last; undefined where it could not be opened. */
  readonly freeBytes: number | undefined;
}

const OPEN_SEGMENTS_MAX = 1024;

export class LogManager implements ManagedLogs {
  readonly partitions: PartitionTable;
  readonly quorum: MetadataQuorum;
  /** Shared by the reads of all logs. */
  readonly reads: ReadChecks;
  readonly #options: LogManagerOptions;
  readonly #opened: OpenedPlaces;
  readonly #metadata: HintedLog & { readonly log: Log };
  readonly #hints: LogHints;
  readonly #placed: PlacedPartitions;
  readonly #removals: Removals;
  #onNoRoom: () => void = () => undefined;

  /** Throws a `LogDirectoryFault`, `LogFault`, `MetadataCorrupt` or `DiskFault`; lets go of all then. */
  static async open(options: LogManagerOptions): Promise<LogManager> {
    const opened: OpenedPlaces = { places: [], absent: [] };
    let manager: LogManager | undefined;
    let metadataLog: Log | undefined;
    try {
      const { env } = options;
      await openPlaces(options, opened);
      metadataFirst(env.disk, opened);
      const tools = logTools(options);
      const first = opened.places[0] as Place;
      metadataLog = await openMetadataLog(first, tools, uniqueHex(env));
      const onDiskFault = (fault: DiskFault): void => first.onFault(fault);
      const quorum = await MetadataQuorum.open(metadataLog, { ...env, ...tools, onDiskFault });
      const lost = lostDirectories(env.disk, opened);
      manager = new LogManager(options, { tools, opened, lost, metadataLog, quorum });
      await manager.#openPartitions(lost);
      if (!first.isOnline) throw new DiskFault("io", first.directory.path, first.refusal ?? "");
      await manager.#hints.writeRecoveryPoints();
      manager.#listen();
      return manager;
    } catch (error) {
      manager?.abandon();
      metadataLog?.closeNow();
      for (const { directory } of opened.places) directory.abandon();
      throw error;
    }
  }

  private constructor(
    options: LogManagerOptions,
    { tools, opened, lost, metadataLog, quorum }: {
      readonly tools: LogTools;
      readonly opened: OpenedPlaces;
      readonly lost: readonly KnownDirectory[];
      readonly metadataLog: Log;
      readonly quorum: MetadataQuorum;
    },
  ) {
    const { env } = options;
    this.#options = options;
    this.#opened = opened;
    this.#metadata = {
      name: METADATA_PARTITION,
      place: opened.places[0] as Place,
      log: metadataLog,
      writtenLogStart: metadataLog.logStartOffset,
    };
    this.#removals = new Removals(env.clock, env.disk);
    this.#placed = new PlacedPartitions({
      ...options,
      image: quorum.image,
      opener: new PartitionOpener({ ...options, ...opened, lost, tools }),
      removals: this.#removals,
    });
    this.partitions = this.#placed.table;
    this.#hints = new LogHints({
      places: opened.places,
      logs: () => this.#hintedLogs(),
      unopened: () => this.#placed.unopened(),
    });
    this.reads = tools.reads;
    this.quorum = quorum;
  }

  get clusterId(): string {
    return this.#metadata.place.directory.identity.clusterId;
  }

  /** All that were named, also those that could not be opened. */
  directories(): readonly DirectoryReport[] {
    const { places, absent } = this.#opened;
    const opened = places.map(({ directory: { path, health } }): DirectoryReport => {
      return { path, state: health.state.kind, freeBytes: health.freeBytes };
    });
    const missing = absent.map(({ path }): DirectoryReport => {
      return { path, state: "offline", freeBytes: undefined };
    });
    return [...opened, ...missing];
  }

  /** Closes every log cleanly, writes the hints, and marks the directories as clean. */
  async close(brokerEpoch: number): Promise<void> {
    this.#removals.cancel();
    await this.#placed.close((place, fault) => this.#onCloseFault(place, fault));
    const first = this.#metadata.place;
    if (first.isOnline) {
      await this.quorum.close().catch((error: unknown) => this.#onCloseFault(first, error));
    }
    await Promise.all(this.#opened.places.map((place) => this.#closePlace(place, brokerEpoch)));
  }

  /** Lets go of everything without a word: what a crash would leave. */
  abandon(): void {
    this.#removals.cancel();
    this.#placed.abandon();
    this.quorum.abandon();
    for (const { directory } of this.#opened.places) directory.abandon();
  }

  managed(): readonly ManagedLog[] {
    return [...this.#placed.all()].filter(({ partition }) => partition.isOnline);
  }

  /** Whether a log directory is full now. */
  get isFull(): boolean {
    return this.#opened.places.some((place) => place.isFull);
  }

  /** Hears when a log directory has become full, and whenever a write finds no room. */
  onNoRoom(listener: () => void): void {
    this.#onNoRoom = listener;
  }

  writeLogStarts(): Promise<void> {
    return this.#hints.writeLogStarts();
  }

  writeRecoveryPoint({ partition }: ManagedLog, offset: Offset): Promise<boolean> {
    return this.#hints.writeRecoveryPoint(this.#placed.get(partition), offset);
  }

  cleanedUpTo({ partition }: ManagedLog): Offset {
    return this.#hints.cleanedUpTo(this.#placed.get(partition));
  }

  writeCleanedUpTo({ partition }: ManagedLog, offset: Offset): Promise<void> {
    return this.#hints.writeCleanedUpTo(this.#placed.get(partition), offset);
  }

  removeLater({ partition }: ManagedLog, paths: readonly string[]): void {
    // Where the topic was deleted meanwhile, its folder goes as a whole.
    const place = this.#placed.placeOf(partition);
    if (place !== undefined) {
      this.#removals.later(place, paths, partition.settings.fileDeleteDelayMs);
    }
  }

  onFault({ partition }: ManagedLog, fault: unknown): void {
    const name = `${partition.topic}-${partition.partitionId}`;
    if (fault instanceof DiskFault) {
      this.#tell("work on a log has failed", name, fault.message);
      this.#placed.placeOf(partition)?.onFault(fault);
    } else if (fault instanceof LogFault) this.#tell("log is damaged", name, damagedLog(fault));
    else throw fault;
  }

  /** What is looked after once in a while: hints, disks that nothing is written to, what had no room. */
  async keepUp(): Promise<void> {
    for (const { directory } of this.#opened.places) directory.health.measure();
    await this.#hints.writeRecoveryPoints();
    const { clock } = this.#options.env;
    await this.#hints.writeSnapshots(() => new Promise((resolve) => clock.after(0, resolve)));
    await this.#placed.retryUnopened();
  }

  /** Forgets producers that have been silent for too long. */
  expireProducers(): void {
    const { env, settings } = this.#options;
    for (const { log } of this.partitions.all()) {
      log.producers.removeExpired(env.clock.wallMs(), settings.get("producer.id.expiration.ms"));
    }
  }

  #listen(): void {
    for (const place of this.#opened.places) {
      place.directory.health.onOffline((fault) => this.#onOffline(place, fault));
      place.directory.health.onNoRoom(() => {
        this.#removals.hurry(place);
        this.#onNoRoom();
      });
      if (!place.isOnline) this.#placed.goOffline(place); // while others were being opened
    }
    this.quorum.onReplayed((record) => this.#onReplayed(record));
  }

  #onOffline(place: Place, fault: DiskFault): void {
    this.#placed.goOffline(place);
    if (place === this.#metadata.place) this.#options.onFailed(fault);
  }

  /** A log that could not be closed cleanly leaves its directory without the mark of a clean stop. */
  #onCloseFault(place: Place, error: unknown): void {
    if (!(error instanceof DiskFault)) throw error;
    place.isUnclean = true;
    place.onFault(error);
    const { path } = place.directory;
    this.#tell("a log could not be closed: the next start recovers it", path, error.message);
  }

  /** A hint or a mark that finds no room costs the next start time, no more. */
  async #closePlace(place: Place, brokerEpoch: number): Promise<void> {
    if (place.isOnline && !place.isUnclean) {
      try {
        await this.#hints.writeAll(place);
        await place.directory.close(brokerEpoch);
        return;
      } catch (error) {
        this.#onCloseFault(place, error);
      }
    }
    place.directory.abandon();
  }

  async #openPartitions(lost: readonly KnownDirectory[]): Promise<void> {
    const { clock, trace } = this.#options.env;
    const { image } = this.quorum;
    const beganMs = clock.monotonicMs();
    const known = await findFolders(this.#options.env, this.#opened.places, {
      image,
      onDeleted: (place, paths) => this.#removals.later(place, paths, 0),
    });
    image.forgetRemoved();
    await this.#placed.openAll(known);
    const isMissed = [...this.partitions.offline()].some(({ topic, partitionId }) => {
      return !known.has(`${topic}-${partitionId}`);
    });
    await noteDirectories(this.#options.env, this.#opened, isMissed ? lost : []);
    const logs = [...known.values()].filter(({ place }) => !place.directory.wasClean).length;
    const ms = Math.round(clock.monotonicMs() - beganMs);
    if (logs > 0) trace.event("info", "recovered after an unclean stop", { logs, ms });
  }

  /**
   * What a committed record asks of this broker. Where a disk does not let it, the partition is offline:
   * the decision stands whatever this disk does.
   */
  async #onReplayed(record: MetadataRecord): Promise<void> {
    if (record.kind === "partition") await this.#placed.make(record.topicId, record);
    else if (record.kind === "remove-topic") await this.#placed.removeTopic(record.topicId);
    else if (record.kind === "config") this.#placed.configure(record.resourceName);
  }

  *#hintedLogs(): Iterable<HintedLog> {
    yield this.#metadata;
    yield* this.#placed.all();
  }

  #tell(message: string, where: string, error: string): void {
    this.#options.env.trace.event("error", message, { where, error });
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
    reads: new ReadChecks({
      clock: env.clock,
      crc32c: env.crc32c,
      trace: env.trace,
      intervalMs: settings.get("mq.read.verify.interval.ms"),
    }),
    random: env.random,
  };
}
