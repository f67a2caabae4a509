/**
 * Opens the log of one partition, in the folder that it has or in a new one on the least loaded place,
 * and makes the partition of it. What cannot be opened is told as a reason, not thrown: the others go on.
 */
import { DiskFault, isPassing } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import { toLeaderEpoch, toOffset } from "../ground/numbers.ts";
import { damageFault } from "../log/loading/damage_fault.ts";
import { Log, type LogTools } from "../log/log.ts";
import type { PartitionFolder } from "../log/directory/log_directory.ts";
import { folderName } from "../log/directory/partition_folder.ts";
import type { KnownDirectory } from "../log/directory/known_directories.ts";
import { LogFault } from "../log/log_fault.ts";
import type { PartitionImage, TopicImage } from "../metadata/image.ts";
import { type AbsentDirectory, type Place, uniqueHex } from "./log_places.ts";
import type { Counter, Histogram } from "./metrics.ts";
import { damagedLog, Partition } from "./partition.ts";
import { NewFolders } from "./new_folders.ts";
import type { PartitionSettings } from "./partition_settings.ts";

/** Where the folder of a partition lies. */
export interface FoundFolder {
  readonly folder: PartitionFolder;
  readonly place: Place;
}

export interface WantedPartition {
  readonly topic: TopicImage;
  readonly partition: PartitionImage;
  readonly settings: PartitionSettings;
  /** Undefined where no directory that is online has it. */
  readonly found: FoundFolder | undefined;
  /** It was decided in this life of the broker: no directory can have it from before. */
  readonly isNew: boolean;
}

export type OpenedPartition =
  | { readonly kind: "open"; readonly partition: Partition; readonly place: Place }
  | {
    readonly kind: "offline";
    readonly reason: string;
    /** Whether it is worth to try again: what was missing was room or handles. */
    readonly isPassing: boolean;
    /** Where its folder is known to be. */
    readonly place: Place | undefined;
  };

export interface PartitionOpenerOptions {
  readonly env: Env;
  /** This node: it leads what metadata says it leads. */
  readonly nodeId: number;
  readonly tools: LogTools;
  readonly places: readonly Place[];
  readonly absent: readonly AbsentDirectory[];
  /** Directories that were there at an earlier start. */
  readonly lost: readonly KnownDirectory[];
  readonly fsyncSeconds: Histogram;
  readonly appendErrors: Counter;
}

export class PartitionOpener {
  readonly #options: PartitionOpenerOptions;
  readonly #onDiskFault = new Map<Place, (fault: DiskFault) => void>();
  readonly #newFolders: NewFolders;

  constructor(options: PartitionOpenerOptions) {
    this.#options = options;
    this.#newFolders = new NewFolders(options.env.clock);
    for (const place of options.places) {
      this.#onDiskFault.set(place, (fault) => place.onFault(fault));
    }
  }

  /** A new partition, which is nowhere yet. */
  make(wanted: WantedPartition): Promise<OpenedPartition> {
    const place = leastLoaded(this.#options.places);
    if (place !== undefined) return this.#openIn(place, wanted);
    return Promise.resolve(offline("no log directory is online"));
  }

  /**
   * A partition that was there before, or a new one that was tried. Where no directory has the folder of
   * the former and one is absent, it is not made anew: it may lie in that one, and an empty log in its
   * place would be taken for the truth.
   * `tried`: where an earlier try has left a folder. A second one elsewhere would be as good as the first,
   * and a start refuses to choose.
   */
  open(wanted: WantedPartition, tried?: Place): Promise<OpenedPartition> {
    const place = wanted.found?.place ?? tried;
    if (place !== undefined) return this.#openIn(place, wanted);
    if (wanted.isNew) return this.make(wanted);
    const missing = this.#options.absent.map(({ path }) => path);
    for (const { isOnline, directory } of this.#options.places) {
      if (!isOnline) missing.push(directory.path);
    }
    if (missing.length > 0) {
      return Promise.resolve(
        offline(`its log may lie in ${missing.join(" or ")}, which is offline`),
      );
    }
    const [lost] = this.#options.lost;
    if (lost === undefined) return this.make(wanted);
    const { path, directoryId } = lost;
    return Promise.resolve(offline(
      `its log may lie in the log directory that was ${path} (directory.id ${directoryId}): is it ` +
        "mounted, and named in log.dirs?",
    ));
  }

  async #openIn(place: Place, wanted: WantedPartition): Promise<OpenedPartition> {
    const refuse = (refused: Refused): OpenedPartition => {
      return { ...refused, place: this.#hasFolder(place, wanted) ? place : undefined };
    };
    if (!place.isOnline) return refuse(offline(place.refusal ?? "its log directory is offline"));
    place.partitionCount++; // before it waits: others choose meanwhile
    let log: Log | undefined;
    try {
      log = await this.#openLog(place, wanted);
      refuseLaterEpoch(log, wanted);
      // What recovery kept may be in the page cache only, and the high watermark starts at its end.
      const isAhead = log.recoveryPoint < log.logEndOffset;
      if (isAhead && wanted.settings.durability !== "memory") await log.sync();
      return { kind: "open", partition: this.#partitionOf(log, place, wanted), place };
    } catch (error) {
      place.partitionCount--;
      log?.closeNow();
      return refuse(this.#onFault(error, place, wanted));
    }
  }

  /** Also where only a part of it could be made. */
  #hasFolder({ directory }: Place, { topic, partition, found }: WantedPartition): boolean {
    if (found !== undefined) return true;
    try {
      return directory.hasFolder({ topic: topic.name, partition: partition.partitionId });
    } catch (error) {
      if (error instanceof DiskFault) return true; // nobody knows
      throw error;
    }
  }

  /** A disk that cannot write is the directory's matter, anything else the partition's alone. */
  #onFault(error: unknown, place: Place, { topic, partition }: WantedPartition): Refused {
    const isOfDisk = error instanceof DiskFault;
    if (!isOfDisk && !(error instanceof LogFault)) throw error;
    if (isOfDisk && (error.kind === "io" || isPassing(error))) place.onFault(error);
    const reason = isOfDisk ? error.message : damagedLog(error);
    this.#options.env.trace.event("error", "partition is offline", {
      partition: `${topic.name}-${partition.partitionId}`,
      path: error.path,
      error: reason,
    });
    return { ...offline(reason), isPassing: isOfDisk && isPassing(error) };
  }

  async #openLog(
    place: Place,
    wanted: WantedPartition,
  ): Promise<Log> {
    const { topic, partition, settings, found } = wanted;
    const { directory } = place;
    const name = { topic: topic.name, partition: partition.partitionId };
    if (found === undefined) {
      const hex = (): string => uniqueHex(this.#options.env);
      const isThere = await directory.preparePartition(name, topic.topicId, hex);
      if (!isThere && !this.#newFolders.takeNow()) return await this.#openLater(place, wanted);
    }
    const folder = found === undefined
      ? directory.makePartition(name, topic.topicId)
      : found.folder.fault === undefined
      ? found.folder
      : directory.lookAgain(found.folder);
    if (folder.topicId === undefined) directory.writeTopicId(folder, topic.topicId);
    if (folder.topicId !== undefined && folder.topicId !== topic.topicId) {
      throw new LogFault(
        folder.path,
        `Cannot open ${folder.path}: it belongs to topic id ${folder.topicId}, not ${topic.topicId}`,
      );
    }
    const recoveryPoint = directory.checkpoint("recoveryPoint", name);
    return await Log.open({
      directory: folder.path,
      settings: settings.log,
      tools: this.#options.tools,
      shared: directory.syncs,
      isClean: found === undefined || directory.wasClean,
      recoveryPoint,
      isRecoveryPointWritten: directory.hasCheckpoint("recoveryPoint"),
      logStartOffset: directory.checkpoint("logStart", name),
      // Nothing is written down as durable before the folder is; the page cache tells nothing of that.
      isFolderDurable: found !== undefined && folder.topicId !== undefined && recoveryPoint > 0,
    });
  }

  /** A new log whose folder is made by its first record, or when there is time. */
  async #openLater(place: Place, { topic, partition, settings }: WantedPartition): Promise<Log> {
    const { directory } = place;
    const name = { topic: topic.name, partition: partition.partitionId };
    const log = await Log.open({
      directory: `${directory.path}/${folderName(name)}`,
      settings: settings.log,
      tools: this.#options.tools,
      shared: directory.syncs,
      isClean: true,
      recoveryPoint: toOffset(0),
      isFolderDurable: false,
      makeFolder: () => void directory.makePartition(name, topic.topicId),
    });
    const onFault = this.#onDiskFault.get(place) as (fault: DiskFault) => void;
    this.#newFolders.later({ log, onFault });
    return log;
  }

  #partitionOf(log: Log, place: Place, { topic, partition, settings }: WantedPartition): Partition {
    const { env, nodeId, fsyncSeconds, appendErrors } = this.#options;
    return new Partition({
      topic: topic.name,
      topicId: topic.topicId,
      partitionId: partition.partitionId,
      leaderEpoch: toLeaderEpoch(partition.leaderEpoch),
      isLeader: partition.leader === nodeId,
      log,
      settings,
      clock: env.clock,
      trace: env.trace,
      fsyncSeconds,
      appendErrors,
      onDiskFault: this.#onDiskFault.get(place) as (fault: DiskFault) => void,
      place,
    });
  }
}

/**
 * A leader epoch is given out by metadata before a batch has it: a later one in the log is damage, or
 * these are the files of another life of this topic.
 */
function refuseLaterEpoch(log: Log, { topic, partition }: WantedPartition): void {
  const latest = log.epochs.latest();
  if (latest === undefined || latest.leaderEpoch <= partition.leaderEpoch) return;
  const { leaderEpoch, startOffset } = latest;
  const where = `${topic.name}-${partition.partitionId}`;
  throw damageFault(
    log.directory,
    `its records from offset ${startOffset} on have leader epoch ${leaderEpoch}, and metadata knows ` +
      `of none above ${partition.leaderEpoch} for ${where}`,
  );
}

type Refused = Extract<OpenedPartition, { readonly kind: "offline" }>;

function offline(reason: string): Refused {
  return { kind: "offline", reason, isPassing: false, place: undefined };
}

/** The fewest partitions, then the most room; one that is full only where all are. */
export function leastLoaded(places: readonly Place[]): Place | undefined {
  const online = places.filter(({ isOnline }) => isOnline);
  const withRoom = online.filter(({ refusal }) => refusal === undefined);
  const [first, ...others] = withRoom.length > 0 ? withRoom : online;
  return others.reduce(
    (least, place) => isLessLoaded(place, least as Place) ? place : least,
    first,
  );
}

function isLessLoaded(one: Place, other: Place): boolean {
  return one.partitionCount === other.partitionCount
    ? one.directory.health.freeBytes > other.directory.health.freeBytes
    : one.partitionCount < other.partitionCount;
}
