/**
 * The log directories of a broker, the metadata log in the first of them, and the logs of all
 * partitions: opened at the start, made and removed as metadata says, closed at the end.
 *
 * A directory owns the faults of its disk (`log/directory/directory_health.ts`); here it is listened to: one that
 * has failed takes its partitions offline, and without the one of the metadata log the broker cannot go
 * on, nor without any. Where metadata comes from is decided by who opens this: a voter has its log here,
 * a broker that only follows has none. What cannot be opened is an offline partition, and the others go on.
 * Not here: which partition lies where (`placed_partitions.ts`), what a start finds
 * (`found_folders.ts`), checkpoints (`log_hints.ts`). Longer than most: background work asks here for all
 * that those know.
 */
import { DiskFault } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import { assert } from "../ground/assert.ts";
import type { Offset } from "../ground/numbers.ts";
import { parseUuid, type Uuid } from "../ground/uuid.ts";
import type { Log, LogTools } from "../log/log.ts";
import type { KnownDirectory } from "../log/directory/known_directories.ts";
import { LogDirectoryFault } from "../log/directory/log_directory_fault.ts";
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
import { METADATA_PARTITION, metadataFirst, openMetadataStorage } from "./metadata_place.ts";
import type { Counter, Histogram } from "./metrics.ts";
import { damagedLog } from "./partition.ts";
import { PartitionOpener } from "./partition_opener.ts";
import type { PartitionTable } from "./partition_table.ts";
import { PlacedPartitions } from "./placed_partitions.ts";
import { MetadataQuorum } from "./quorum/metadata_quorum.ts";
import type { OpenMetadata } from "./quorum/metadata_view.ts";
import type { RaftStorage } from "./quorum/raft_storage.ts";
import { Removals } from "./removals.ts";

export interface LogManagerOptions {
  readonly env: Env;
  readonly settings: BrokerSettings;
  /** At least one. */
  readonly directories: readonly string[];
  readonly fsyncSeconds: Histogram;
  readonly appendErrors: Counter;
  /** The broker cannot go on: the disk of the metadata log has failed, or all disks have. */
  readonly onFailed: (fault: DiskFault) => void;
  /** The last partition of a topic has gone from here. */
  readonly onTopicRemoved?: (topic: string) => void;
  /** Where metadata comes from; left out: a quorum in which this node votes alone. */
  readonly openMetadata?: (source: MetadataDirectories) => Promise<OpenMetadata>;
}

/** What the log directories have for metadata. */
export interface MetadataDirectories {
  readonly clusterId: string;
  /** Of the first log directory; where the metadata log is, once the storage was opened. */
  readonly directoryId: Uuid;
  /** Of all log directories that could be opened, that one first. */
  readonly directoryIds: readonly Uuid[];
  /** Of the last stop, where all of them were closed cleanly by it; -1 otherwise. */
  readonly lastBrokerEpoch: number;
  /** For a voter: its storage, opened once. A node that only follows leaves it. */
  openStorage(): Promise<RaftStorage>;
  /** Owns the disk of that storage. */
  onDiskFault(fault: DiskFault): void;
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
  readonly metadata: OpenMetadata;
  /** Shared by the reads of all logs. */
  readonly reads: ReadChecks;
  readonly #options: LogManagerOptions;
  readonly #opened: OpenedPlaces;
  /** Of a voter. */
  readonly #metadataLog: MetadataLog | undefined;
  readonly #hints: LogHints;
  readonly #placed: PlacedPartitions;
  readonly #removals: Removals;
  /** Partitions have been opened. */
  #isOpen = false;
  #hasMissed = false;
  #onNoRoom: () => void = () => undefined;

  /** Throws a `LogDirectoryFault`, `LogFault`, `MetadataCorrupt` or `DiskFault`; lets go of all then. */
  static async open(options: LogManagerOptions): Promise<LogManager> {
    const opened: OpenedPlaces = { places: [], absent: [] };
    let manager: LogManager | undefined;
    let metadata: OpenMetadata | undefined;
    const removals = new Removals(options.env.clock, options.env.disk);
    const voter: { log?: MetadataLog } = {};
    try {
      const { env } = options;
      await openPlaces(options, opened);
      const tools = logTools(options);
      const source = metadataDirectories({ options, opened, tools, removals, voter });
      let alone: MetadataQuorum | undefined;
      if (options.openMetadata !== undefined) metadata = await options.openMetadata(source);
      else metadata = alone = await openAlone(options, source);
      const lost = lostDirectories(env.disk, opened);
      const { log } = voter;
      manager = new LogManager(options, { tools, opened, lost, metadata, log, removals });
      manager.#followMetadata();
      await manager.#openPartitions(lost);
      await manager.#catchUp();
      manager.#refuseOffline();
      // A hint on metadata alone is not worth the time of a start; the upkeep writes it soon.
      if (manager.managed().length > 0) await manager.#hints.writeRecoveryPoints();
      manager.#refuseOffline(); // nobody listens yet, and a hint may have found the disk broken
      manager.#listen();
      await alone?.lead();
      return manager;
    } catch (error) {
      manager?.abandon();
      metadata?.abandon();
      voter.log?.storage.closeNow();
      for (const { directory } of opened.places) directory.abandon();
      throw error;
    }
  }

  private constructor(
    options: LogManagerOptions,
    { tools, opened, lost, metadata, log, removals }: {
      readonly tools: LogTools;
      readonly opened: OpenedPlaces;
      readonly lost: readonly KnownDirectory[];
      readonly metadata: OpenMetadata;
      readonly log: MetadataLog | undefined;
      readonly removals: Removals;
    },
  ) {
    this.#options = options;
    this.#opened = opened;
    this.#metadataLog = log;
    this.metadata = metadata;
    this.#removals = removals;
    const nodeId = options.settings.get("node.id");
    this.#placed = new PlacedPartitions({
      ...options,
      nodeId,
      image: metadata.image,
      opener: new PartitionOpener({ ...options, ...opened, nodeId, lost, tools }),
      removals: this.#removals,
    });
    this.partitions = this.#placed.table;
    this.#hints = new LogHints({
      places: opened.places,
      logs: () => this.#hintedLogs(),
      unopened: () => this.#placed.unopened(),
    });
    this.reads = tools.reads;
  }

  /** Of a voter; a node that only follows is not asked. */
  get quorum(): MetadataQuorum {
    const { metadata } = this;
    assert(metadata instanceof MetadataQuorum, "only a voter has a quorum");
    return metadata;
  }

  get clusterId(): string {
    return (this.#opened.places[0] as Place).directory.identity.clusterId;
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
    const place = this.#metadataLog?.place;
    if (place === undefined) await this.metadata.close();
    else if (place.isOnline) {
      await this.metadata.close().catch((error: unknown) => this.#onCloseFault(place, error));
    }
    await Promise.all(this.#opened.places.map((place) => this.#closePlace(place, brokerEpoch)));
  }

  /** Lets go of everything without a word: what a crash would leave. */
  abandon(): void {
    this.#removals.cancel();
    this.#placed.abandon();
    this.metadata.abandon();
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
  }

  /** Before partitions are opened: a cluster goes on deciding meanwhile, and must not wait for that. */
  #followMetadata(): void {
    this.metadata.onReplayed(async (record) => {
      if (this.#isOpen) await this.#onReplayed(record);
      else this.#hasMissed = true;
    });
    this.metadata.onImageReplaced(async () => {
      if (this.#isOpen) await this.#placed.reconcile();
      else this.#hasMissed = true;
    });
  }

  /** Makes up for what was decided while partitions were being opened. */
  async #catchUp(): Promise<void> {
    this.#isOpen = true;
    if (this.#hasMissed) await this.#placed.reconcile();
  }

  #onOffline(place: Place, fault: DiskFault): void {
    this.#placed.goOffline(place);
    const isLast = this.#opened.places.every(({ isOnline }) => !isOnline);
    if (place === this.#metadataLog?.place || isLast) this.#options.onFailed(fault);
  }

  /** While partitions were opened, nobody listened. */
  #refuseOffline(): void {
    const [first] = this.#opened.places as [Place];
    const place = this.#metadataLog?.place;
    const isOver = place === undefined
      ? this.#opened.places.every(({ isOnline }) => !isOnline)
      : !place.isOnline;
    if (isOver) throw new DiskFault("io", first.directory.path, first.refusal ?? "");
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
    const { image } = this.metadata;
    const beganMs = clock.monotonicMs();
    const known = await findFolders(this.#options.env, this.#opened.places, {
      image,
      onDeleted: (place, paths) => this.#removals.later(place, paths, 0),
    });
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
    if (record.kind === "partition" || record.kind === "partition-change") {
      await this.#placed.follow(record.topicId, record.partitionId);
    } else if (record.kind === "remove-topic") await this.#placed.removeTopic(record.topicId);
    else if (record.kind === "config") this.#placed.configure(record.resourceName);
  }

  *#hintedLogs(): Iterable<HintedLog> {
    if (this.#metadataLog !== undefined) yield this.#metadataLog;
    yield* this.#placed.all();
  }

  #tell(message: string, where: string, error: string): void {
    this.#options.env.trace.event("error", message, { where, error });
  }
}

/** The log is another object after it has begun anew behind a snapshot. */
class MetadataLog implements HintedLog {
  readonly name = METADATA_PARTITION;
  readonly place: Place;
  readonly storage: RaftStorage;
  writtenLogStart: Offset;

  constructor(place: Place, storage: RaftStorage) {
    this.place = place;
    this.storage = storage;
    this.writtenLogStart = storage.log.logStartOffset;
  }

  get log(): Log {
    return this.storage.log;
  }
}

function metadataDirectories({ options: { env }, opened, tools, removals, voter }: {
  readonly options: LogManagerOptions;
  readonly opened: OpenedPlaces;
  readonly tools: LogTools;
  readonly removals: Removals;
  readonly voter: { log?: MetadataLog };
}): MetadataDirectories {
  const first = (): Place => opened.places[0] as Place;
  return {
    get clusterId(): string {
      return first().directory.identity.clusterId;
    },
    get directoryId(): Uuid {
      return directoryIdOf(first());
    },
    get directoryIds(): readonly Uuid[] {
      return opened.places.flatMap(({ directory: { identity } }) => {
        return parseUuid(identity.directoryId) ?? [];
      });
    },
    get lastBrokerEpoch(): number {
      const epochs = opened.places.map(({ directory }) => directory.lastBrokerEpoch ?? -1);
      const [epoch = -1] = epochs;
      return epochs.every((other) => other === epoch) ? epoch : -1;
    },
    openStorage: async () => {
      metadataFirst(env.disk, opened);
      const place = first();
      const removeLater = (paths: readonly string[]): void => removals.later(place, paths, 0);
      const hex = uniqueHex(env);
      const storage = await openMetadataStorage({ place, tools, uniqueHex: hex, removeLater });
      voter.log = new MetadataLog(place, storage);
      return storage;
    },
    onDiskFault: (fault) => first().onFault(fault),
  };
}

function directoryIdOf({ directory: { path, identity } }: Place): Uuid {
  const directoryId = parseUuid(identity.directoryId);
  if (directoryId !== undefined) return directoryId;
  throw new LogDirectoryFault(
    "CORRUPT",
    `Cannot use log directory ${path}: its directory.id ${identity.directoryId} is no uuid`,
    "nothing was changed: put meta.properties back from a copy",
  );
}

/** Reached by nobody: whoever lets others in names the address at which they find it. */
async function openAlone(
  { env, settings }: LogManagerOptions,
  source: MetadataDirectories,
): Promise<MetadataQuorum> {
  const storage = await source.openStorage();
  const { directoryId } = source;
  const self = { id: settings.get("node.id"), directoryId, host: "", port: 0 };
  const snapshots = {
    bytesMax: settings.get("metadata.log.max.record.bytes.between.snapshots"),
    intervalMs: settings.get("metadata.log.max.snapshot.interval.ms"),
  };
  const onDiskFault = (fault: DiskFault): void => source.onDiskFault(fault);
  return await MetadataQuorum.alone(storage, self, { ...env, onDiskFault, snapshots });
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
