/** Where the metadata log lies, and how it is opened. */
import type { Disk } from "../env/disk.ts";
import { parseUuid, type Uuid } from "../ground/uuid.ts";
import { Log, type LogTools } from "../log/log.ts";
import { LogDirectoryFault } from "../log/directory/log_directory_fault.ts";
import { METADATA_TOPIC } from "../metadata/topic_name.ts";
import type { OpenedPlaces, Place } from "./log_places.ts";
import { partitionSettings } from "./partition_settings.ts";

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

/** With the settings of a topic that has none of its own: nothing may make metadata less durable. */
export async function openMetadataLog(
  { directory }: Place,
  tools: LogTools,
  uniqueHex: string,
): Promise<Log> {
  const path = `${directory.path}/${METADATA_TOPIC}-0`;
  const isNew = tools.disk.info(path) === undefined;
  if (isNew) await directory.createPartition(METADATA_PARTITION, METADATA_TOPIC_ID, uniqueHex);
  const log = await Log.open({
    directory: path,
    settings: partitionSettings(new Map(), () => undefined).log,
    tools,
    isClean: isNew || directory.wasClean,
    recoveryPoint: directory.checkpoint("recoveryPoint", METADATA_PARTITION),
    isRecoveryPointWritten: directory.hasCheckpoint("recoveryPoint"),
  });
  if (log.recoveryPoint < log.logEndOffset) await log.sync();
  return log;
}
