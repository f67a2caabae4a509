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
import { atMost } from "../../runtime/at_most.ts";
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

/** Named ends and the version that brought each; below it the name is not known. */
const NAMED_FROM_VERSION: ReadonlyMap<number, number> = new Map([
  [LATEST, 0],
  [EARLIEST, 0],
  [MAX_TIMESTAMP, 7], // KIP-734
  [EARLIEST_LOCAL, 8], // KIP-405
  [LATEST_TIERED, 9], // KIP-1005
]);
/** Searches of one request at a time: each may hold a batch that it inflates. */
const SEARCHES_MAX = 4;

export const listOffsetsHandler = defineHandler({
  api: listOffsets,
  async handle(broker, request, { apiVersion }): Promise<Answer<typeof listOffsets>> {
    const twice = askedTwice(request);
    const searches: Search[] = [];
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((asked): Found => {
        const isTwice = twice.has(keyOf(name, asked));
        const answer = failed(asked, ErrorCode.InvalidRequest);
        if (!isTwice) searches.push({ topic: name, asked, apiVersion, answer });
        return answer;
      }),
    }));
    await atMost(SEARCHES_MAX, searches, async (search) => {
      Object.assign(search.answer, await find(broker, search));
    });
    return { topics };
  },
});

interface Search {
  readonly topic: string;
  readonly asked: Asked;
  readonly apiVersion: number;
  /** Where what was found goes. */
  readonly answer: Found;
}

/** Kafka answers INVALID_REQUEST for a partition that is named twice (KafkaApis.handleListOffsetRequest). */
function askedTwice({ topics }: RequestOf<typeof listOffsets>): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name, partitions } of topics) {
    for (const asked of partitions) {
      const key = keyOf(name, asked);
      (seen.has(key) ? twice : seen).add(key);
    }
  }
  return twice;
}

function keyOf(topic: string, { partitionIndex }: Asked): string {
  return `${topic}-${partitionIndex}`;
}

async function find(
  broker: BrokerContext,
  { topic, asked, apiVersion }: Search,
): Promise<Found> {
  const partition = partitionOf(broker, topic, asked.partitionIndex);
  if (typeof partition === "number") return failed(asked, partition);
  if (asked.currentLeaderEpoch >= 0 && asked.currentLeaderEpoch !== partition.leaderEpoch) {
    const isOld = asked.currentLeaderEpoch < partition.leaderEpoch;
    return failed(asked, isOld ? ErrorCode.FencedLeaderEpoch : ErrorCode.UnknownLeaderEpoch);
  }
  if (asked.timestamp < 0 && apiVersion < (NAMED_FROM_VERSION.get(asked.timestamp) ?? Infinity)) {
    return failed(asked, ErrorCode.UnsupportedVersion);
  }
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
