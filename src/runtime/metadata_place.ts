/** Where the metadata log lies, and how it is opened. */
import type { Disk } from "../env/disk.ts";
import { parseUuid, type Uuid } from "../ground/uuid.ts";
import { Log, type LogTools } from "../log/log.ts";
import { METADATA_TOPIC } from "../metadata/topic_name.ts";
import type { Place } from "./log_places.ts";
import { partitionSettings } from "./partition_settings.ts";

/** Kafka: Uuid.METADATA_TOPIC_ID. */
const METADATA_TOPIC_ID = parseUuid("AAAAAAAAAAAAAAAAAAAAAQ") as Uuid;
export const METADATA_PARTITION = { topic: METADATA_TOPIC, partition: 0 };

/** The directory that has the metadata log stays the first, in whatever order they are named. */
export function metadataFirst(disk: Disk, places: Place[]): void {
  const has = ({ directory }: Place): boolean =>
    disk.info(`${directory.path}/${METADATA_TOPIC}-0`) !== undefined;
  const at = Math.max(places.findIndex(has), 0);
  places.unshift(...places.splice(at, 1));
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
  });
  if (log.recoveryPoint < log.logEndOffset) await log.sync();
  return log;
}
