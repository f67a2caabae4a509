/** The Produce request for some batches, and which part of the answer is whose. */
import type { produce } from "../api/produce.ts";
import type { RequestInput, ResponseOf } from "../api/schema.ts";
import type { ProducerBatch } from "./producer_batch.ts";

/** Shape: at most one batch per partition. */
export function produceRequest(
  batches: readonly ProducerBatch[],
  acks: number,
  timeoutMs: number,
): RequestInput<typeof produce> {
  const topics = new Map<string, { index: number; records: Uint8Array }[]>();
  for (const { queue, bytes } of batches) {
    const partitionData = topics.get(queue.topic);
    const partition = { index: queue.partition, records: bytes };
    if (partitionData === undefined) topics.set(queue.topic, [partition]);
    else partitionData.push(partition);
  }
  const topicData = [...topics].map(([name, partitionData]) => ({ name, partitionData }));
  return { transactionalId: null, acks, timeoutMs, topicData };
}

type Answers = ResponseOf<typeof produce>;
export type ProduceAnswer = Answers["responses"][number]["partitionResponses"][number];

/** A function that finds the answer for a batch; undefined where the broker left it out. */
export function produceAnswers(
  response: Answers,
): (batch: ProducerBatch) => ProduceAnswer | undefined {
  const answers = new Map<string, ProduceAnswer>();
  for (const { name, partitionResponses } of response.responses) {
    for (const answer of partitionResponses) answers.set(`${answer.index} ${name}`, answer);
  }
  return ({ queue }) => answers.get(`${queue.partition} ${queue.topic}`);
}
