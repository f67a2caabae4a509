/** Where the metadata log of a voter lies, and how it is opened. */
import type { Disk } from "../env/disk.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import { parseUuid, type Uuid } from "../ground/uuid.ts";
import { Log, type LogTools } from "../log/log.ts";
import { LogDirectoryFault } from "../log/directory/log_directory_fault.ts";
import { METADATA_TOPIC } from "../metadata/topic_name.ts";
import type { OpenedPlaces, Place } from "./log_places.ts";
import { partitionSettings } from "./partition_settings.ts";
import { RaftStorage } from "./quorum/raft_storage.ts";

/** Kafka: Uuid.METADATA_TOPIC_ID. */
const METADATA_TOPIC_ID = parseUuid("AAAAAAAAAAAAAAAAAAAAAQ") as Uuid;
export const METADATA_PARTITION = { topic: METADATA_TOPIC, partition: 0 };

/**
 * The directory that has the metadata log stays the first, in whatever order they are named. Where none
 * has it and one is absent it may lie in that one: a new log would begin another cluster.
 */
export function metadataFirst(disk: Disk, { places, absent }: OpenedPlaces): void {
  const has = ({ directory }: Place): boolean =>
    disk.info(`${directory.path}/${METADATA_TOPIC}-0`) !== undefined;
  const at = places.findIndex(has);
  const [missing] = absent;
  if (at < 0 && missing !== undefined) {
    throw new LogDirectoryFault(
      missing.fault.code,
      `${missing.fault.message}, and none of the other log directories holds the metadata log`,
      missing.fault.hint,
    );
  }
  places.unshift(...places.splice(Math.max(at, 0), 1));
}

/** Of a voter: its log, vote and snapshots in one log directory. */
export interface MetadataStorageOptions {
  readonly place: Place;
  readonly tools: LogTools;
  readonly uniqueHex: string;
  /** Files that are out of the log. */
  removeLater(paths: readonly string[]): void;
}

/**
 * With the settings of a topic that has none of its own: nothing may make metadata less durable. Throws
 * `MetadataCorrupt`, `LogFault` or a `DiskFault`.
 */
export async function openMetadataStorage(options: MetadataStorageOptions): Promise<RaftStorage> {
  const { place: { directory }, tools } = options;
  const path = `${directory.path}/${METADATA_TOPIC}-0`;
  const isNew = tools.disk.info(path) === undefined;
  if (isNew) {
    const folder = await directory.createPartition(
      METADATA_PARTITION,
      METADATA_TOPIC_ID,
      options.uniqueHex,
    );
    await directory.syncPartition(folder); // a vote lies in it before any record does
  }
  let isClean = isNew || directory.wasClean;
  return await RaftStorage.open({
    ...tools,
    directory: path,
    openLog: async (logStartOffset) => {
      const log = await Log.open({
        directory: path,
        settings: partitionSettings(new Map(), () => undefined).log,
        tools,
        isClean,
        recoveryPoint: directory.checkpoint("recoveryPoint", METADATA_PARTITION),
        isRecoveryPointWritten: directory.hasCheckpoint("recoveryPoint"),
        logStartOffset: toOffset(
          Math.max(logStartOffset ?? 0, directory.checkpoint("logStart", METADATA_PARTITION)),
        ),
      });
      isClean = false; // whoever opens it again has changed it
      if (log.recoveryPoint < log.logEndOffset) await log.sync();
      return log;
    },
    // What a clean stop wrote down last is where the log ended then.
    isWhole: ({ logEndOffset }) =>
      directory.wasClean &&
      directory.checkpoint("recoveryPoint", METADATA_PARTITION) === logEndOffset,
    writeRecoveryPoint: (offset) => writeHint(directory, "recoveryPoint", offset),
    writeLogStart: (offset) => writeHint(directory, "logStart", offset),
    removeLater: options.removeLater,
  });
}

/** What the checkpoint says of all other logs stays: they may not be open yet. */
async function writeHint(
  directory: Place["directory"],
  kind: "recoveryPoint" | "logStart",
  offset: Offset,
): Promise<void> {
  await directory.writeCheckpoint(kind, () => {
    const others = directory.partitions().filter(({ topic }) => topic !== METADATA_TOPIC);
    const entries = others.map(({ topic, partition }) => {
      return { topic, partition, offset: directory.checkpoint(kind, { topic, partition }) };
    });
    return [...entries, { ...METADATA_PARTITION, offset }].filter((entry) => entry.offset > 0);
  });
}
