/**
 * ListOffsets: the offset at a time, or one of the named ends.
 *
 * -1 latest (the high watermark), -2 earliest, -3 the record with the largest timestamp, -4 earliest
 * that is local (here the same as earliest), -5 latest in an object store (there is none: -1).
 */
import { ErrorCode } from "../../api/error_code.ts";
import { listOffsets } from "../../api/list_offsets.ts";
import type { RequestOf, ResponseInput } from "../../api/schema.ts";
import { DiskFault } from "../../env/disk.ts";
import { LogFault } from "../../log/log_fault.ts";
import type { Partition } from "../../runtime/partition.ts";
import type { BrokerContext } from "../broker_context.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { partitionOf } from "../partition_of.ts";

type Asked = RequestOf<typeof listOffsets>["topics"][number]["partitions"][number];
type Found = ResponseInput<typeof listOffsets>["topics"][number]["partitions"][number];

const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;

export const listOffsetsHandler = defineHandler({
  api: listOffsets,
  async handle(broker, request): Promise<Answer<typeof listOffsets>> {
    const topics = await Promise.all(request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(partitions.map((asked) => find(broker, name, asked))),
    })));
    return { topics };
  },
});

async function find(broker: BrokerContext, topic: string, asked: Asked): Promise<Found> {
  const partition = partitionOf(broker, topic, asked.partitionIndex);
  if (typeof partition === "number") return failed(asked, partition);
  if (asked.currentLeaderEpoch >= 0 && asked.currentLeaderEpoch !== partition.leaderEpoch) {
    const isOld = asked.currentLeaderEpoch < partition.leaderEpoch;
    return failed(asked, isOld ? ErrorCode.FencedLeaderEpoch : ErrorCode.UnknownLeaderEpoch);
  }
  if (asked.timestamp < LATEST_TIERED) return failed(asked, ErrorCode.UnsupportedVersion);
  try {
    return await findIn(partition, asked);
  } catch (error) {
    if (error instanceof LogFault) return failed(asked, ErrorCode.CorruptMessage);
    if (!(error instanceof DiskFault)) throw error;
    return failed(asked, ErrorCode.KafkaStorageError);
  }
}

async function findIn(
  { log, highWatermark, leaderEpoch }: Partition,
  asked: Asked,
): Promise<Found> {
  switch (asked.timestamp) {
    case LATEST:
      return found(asked, { offset: highWatermark, timestamp: -1, leaderEpoch });
    case EARLIEST:
    case EARLIEST_LOCAL:
      return found(asked, {
        offset: log.logStartOffset,
        timestamp: -1,
        leaderEpoch: log.epochs.epochFor(log.logStartOffset) ?? -1,
      });
    case LATEST_TIERED:
      return found(asked, undefined);
    case MAX_TIMESTAMP:
      return found(asked, await log.maxTimestampOffset(highWatermark));
    default:
      return found(asked, await log.offsetForTimestamp(asked.timestamp, highWatermark));
  }
}

function found(
  { partitionIndex }: Asked,
  at: { offset: number; timestamp: number; leaderEpoch: number } | undefined,
): Found {
  return {
    partitionIndex,
    errorCode: ErrorCode.None,
    offset: at?.offset ?? -1,
    timestamp: at?.timestamp ?? -1,
    leaderEpoch: at?.leaderEpoch ?? -1,
  };
}

function failed({ partitionIndex }: Asked, errorCode: ErrorCode): Found {
  return { partitionIndex, errorCode };
}
