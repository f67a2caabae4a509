/** DeleteRecords over partitions of a topic. */
import { deleteRecords } from "../api/delete_records.ts";
import { ErrorCode } from "../api/error_code.ts";
import type { DeletedRecords } from "./admin_results.ts";
import { actionOn, askLeaders, type LeaderQuestion } from "./ask_leaders.ts";
import { errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";

/** `offsets` by partition: the first that stays. */
export async function deleteRecordsOf(
  tools: ClientTools,
  topic: string,
  offsets: ReadonlyMap<number, number>,
): Promise<readonly DeletedRecords[]> {
  const question: LeaderQuestion<DeletedRecords> = {
    topic,
    action: "Cannot delete records of",
    async ask(connection, partitions): Promise<readonly DeletedRecords[]> {
      const answer = await connection.request(deleteRecords, {
        topics: [{
          name: topic,
          partitions: partitions.map(({ partition }) => {
            return { partitionIndex: partition, offset: offsets.get(partition) as number };
          }),
        }],
        timeoutMs: tools.requestTimeoutMs,
      });
      return answer.topics.flatMap((answered) => answered.partitions).map((result) => {
        const { partitionIndex: partition, lowWatermark, errorCode } = result;
        if (errorCode === ErrorCode.None) return { partition, lowWatermark };
        return this.failed(partition, errorOfCode(errorCode, actionOn(this, partition)));
      });
    },
    failed: (partition, error) => ({ partition, lowWatermark: -1, error }),
  };
  return await askLeaders(tools, question, [...offsets.keys()]);
}
