/**
 * DeleteRecords: moves the start of partitions forward, up to their high watermark at most.
 *
 * Answered only when the new starts are on the disk: what was said to be gone never comes back, not
 * even after a loss of power (Kafka writes them down within a minute). One write serves all partitions
 * of a request, and all requests that come while another write is under way. A run of retention takes
 * the files away at once, or a second after the last one: who trims may want the room. Refusals, and that the last word counts where a partition is named twice, are
 * Kafka's (ReplicaManager.deleteRecordsOnLocalLog, Partition.deleteRecordsOnLeader).
 */
import { deleteRecords } from "../../api/delete_records.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { RequestOf, ResponseInput } from "../../api/schema.ts";
import { DiskFault } from "../../env/disk.ts";
import { toOffset } from "../../ground/numbers.ts";
import { isInternalTopic } from "../../metadata/topic_name.ts";
import type { Partition } from "../../runtime/partition.ts";
import type { BrokerContext } from "../broker_context.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { partitionOf } from "../partition_of.ts";

type Result = ResponseInput<typeof deleteRecords>["topics"][number]["partitions"][number];

const HIGH_WATERMARK = -1;
const NO_WATERMARK = -1;

/** A partition whose start is where it shall be, in memory; or why not. */
interface Trim {
  readonly partitionIndex: number;
  readonly found: Partition | ErrorCode;
  readonly lowWatermark: number;
}

export const deleteRecordsHandler = defineHandler({
  api: deleteRecords,
  async handle(broker, request): Promise<Answer<typeof deleteRecords>> {
    const topics = [...askedOf(request)].map(([name, offsets]) => ({
      name,
      trims: [...offsets].map(([index, offset]) => trim(broker, name, index, offset)),
    }));
    const trimmed = topics.flatMap(({ trims }) =>
      trims.flatMap(({ found }) => typeof found === "number" ? [] : [found])
    );
    const isWritten = trimmed.length === 0 || await isWrittenDown(broker);
    // Also where the disk had no room to write it down: memory has moved, and this makes room.
    for (const partition of trimmed) broker.retention.onTrimmed(partition);
    return {
      topics: topics.map(({ name, trims }) => ({
        name,
        partitions: trims.map((trimmed) => resultOf(trimmed, isWritten)),
      })),
    };
  },
});

/** Offsets by topic and partition. */
function askedOf(
  { topics }: RequestOf<typeof deleteRecords>,
): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const asked = new Map<string, Map<number, number>>();
  for (const { name, partitions } of topics) {
    for (const { partitionIndex, offset } of partitions) {
      const offsets = asked.get(name) ?? new Map<number, number>();
      asked.set(name, offsets.set(partitionIndex, offset));
    }
  }
  return asked;
}

function trim(broker: BrokerContext, topic: string, partitionIndex: number, asked: number): Trim {
  const found = partitionOf(broker, topic, partitionIndex);
  const refused = (errorCode: ErrorCode): Trim => {
    return { partitionIndex, found: errorCode, lowWatermark: NO_WATERMARK };
  };
  if (typeof found === "number") return refused(found);
  if (isInternalTopic(topic)) return refused(ErrorCode.InvalidTopicException);
  const { log, highWatermark, settings } = found;
  if (!settings.isDeleted) return refused(ErrorCode.PolicyViolation);
  if (!log.isUsable) return refused(ErrorCode.KafkaStorageError);
  const offset = asked === HIGH_WATERMARK ? highWatermark : asked;
  if (offset < 0 || offset > highWatermark) return refused(ErrorCode.OffsetOutOfRange);
  log.moveStart(toOffset(offset));
  return { partitionIndex, found, lowWatermark: log.logStartOffset };
}

/** Also where nothing moved: another request may have moved it a moment ago. */
async function isWrittenDown({ logs }: BrokerContext): Promise<boolean> {
  try {
    await logs.writeLogStarts();
    return true;
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    return false;
  }
}

function resultOf({ partitionIndex, found, lowWatermark }: Trim, isWritten: boolean): Result {
  if (typeof found === "number") return { partitionIndex, lowWatermark, errorCode: found };
  // The disk may have failed, or the topic been deleted, while the write was waited for.
  if (isWritten && found.isOnline) {
    return { partitionIndex, lowWatermark, errorCode: ErrorCode.None };
  }
  const errorCode = found.isClosed
    ? ErrorCode.UnknownTopicOrPartition
    : ErrorCode.KafkaStorageError;
  return { partitionIndex, lowWatermark: NO_WATERMARK, errorCode };
}
