/** ListOffsets over partitions of a topic. */
import { ErrorCode } from "../api/error_code.ts";
import { listOffsets } from "../api/list_offsets.ts";
import type { ListedOffset, OffsetSpec } from "./admin_results.ts";
import { actionOn, askLeaders, type LeaderQuestion } from "./ask_leaders.ts";
import { errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Isolation } from "./consumer_options.ts";
import type { RetryReport } from "./retry_report.ts";

export interface ListOffsetsOptions {
  /** All where left out. */
  readonly partitions?: readonly number[];
  /** With "read_committed", "end" is the last stable offset. */
  readonly isolation?: Isolation;
  /** Hears of every failure behind which a partition is asked about again. */
  readonly onRetry?: (report: RetryReport) => void;
}

export async function listOffsetsOf(
  tools: ClientTools,
  topic: string,
  spec: OffsetSpec,
  options: ListOffsetsOptions = {},
): Promise<readonly ListedOffset[]> {
  const timestamp = timestampOf(spec);
  const question: LeaderQuestion<ListedOffset> = {
    topic,
    action: "Cannot look up offsets of",
    async ask(connection, partitions): Promise<readonly ListedOffset[]> {
      const answer = await connection.request(listOffsets, {
        replicaId: -1,
        isolationLevel: options.isolation === "read_committed" ? 1 : 0,
        topics: [{
          name: topic,
          partitions: partitions.map(({ partition, leaderEpoch }) => {
            return { partitionIndex: partition, currentLeaderEpoch: leaderEpoch, timestamp };
          }),
        }],
        timeoutMs: tools.requestTimeoutMs,
      });
      return answer.topics.flatMap((answered) => answered.partitions).map((result) => {
        const { partitionIndex: partition, offset, leaderEpoch, errorCode } = result;
        if (errorCode === ErrorCode.None) {
          return { partition, offset, timestamp: result.timestamp, leaderEpoch };
        }
        return this.failed(partition, errorOfCode(errorCode, actionOn(this, partition)));
      });
    },
    failed: (partition, error) => ({
      partition,
      offset: -1,
      timestamp: -1,
      leaderEpoch: -1,
      error,
    }),
    onRetry: options.onRetry,
  };
  return await askLeaders(tools, question, options.partitions);
}

/** Kafka's reserved timestamps stand for the special offsets. */
function timestampOf(spec: OffsetSpec): number {
  if (spec === "end") return -1;
  if (spec === "start") return -2;
  return spec === "max-timestamp" ? -3 : spec.timestamp;
}
