/**
 * DeleteRecords with right and wrong input, one after the other, by whatever means: Apache Kafka 4.1 was
 * asked for `kafka_4_1_delete_records.json`, the broker is asked by its test.
 *
 * There are the topics plain (deleted), compacted, both, each with one partition, and five records in
 * plain; the topic of the consumers' offsets is there with Kafka only.
 */
import { deleteRecords } from "../../src/api/delete_records.ts";
import { fetch } from "../../src/api/fetch.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import type { Api, RequestInput, ResponseOf } from "../../src/api/schema.ts";

export interface Asking {
  ask<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>>;
}

type Asked = readonly [topic: string, partition: number, offset: number];
type Answered = readonly [
  topic: string,
  partition: number,
  lowWatermark: number,
  errorCode: number,
];

export interface DeleteAnswer {
  readonly version: number;
  readonly asked: readonly Asked[];
  /** In the order of topics and partitions. */
  readonly answered: readonly Answered[];
  /** Of plain, afterwards: ListOffsets -2 and -1. */
  readonly offsets: readonly number[];
  /** Error and log start offset that Fetch tells at each offset of plain from 0 to 6. */
  readonly fetched: readonly (readonly [errorCode: number, logStartOffset: number])[];
}

export const TOPICS: readonly (readonly [name: string, cleanupPolicy: string])[] = [
  ["plain", "delete"],
  ["compacted", "compact"],
  ["both", "compact,delete"],
];
export const RECORDS = ["a", "b", "c", "d", "e"];

const END = -1;

const QUESTIONS: readonly (readonly [version: number, asked: readonly Asked[]])[] = [
  [2, [["plain", 0, 0]]],
  [2, [["plain", 0, 2]]],
  [2, [["plain", 0, 1]]],
  [2, [["plain", 0, 6]]],
  [2, [["plain", 0, -2]]],
  [2, [["plain", 0, Number.MIN_SAFE_INTEGER]]],
  [2, [["plain", 0, Number.MAX_SAFE_INTEGER]]],
  [2, [["plain", 7, 3]]],
  [2, [["plain", -1, 3]]],
  [2, [["nosuch", 0, 3]]],
  [2, [["", 0, 3]]],
  [2, [["no such", 0, 3]]],
  [2, [["compacted", 0, 0]]],
  [2, [["compacted", 0, END]]],
  [2, [["compacted", 0, 99]]],
  [2, [["both", 0, END]]],
  [2, [["both", 0, 1]]],
  [2, [["__transaction_state", 0, 0]]],
  [2, [["__cluster_metadata", 0, 0]]],
  [2, []],
  [2, [["plain", 0, 4], ["plain", 0, 3]]],
  [2, [["plain", 0, 2], ["plain", 0, 9]]],
  [2, [["nosuch", 0, 1], ["plain", 0, 4], ["plain", 1, 4], ["compacted", 0, 1]]],
  [0, [["plain", 0, 4]]],
  [1, [["plain", 0, 4]]],
  [2, [["plain", 0, END]]],
  [2, [["plain", 0, 5]]],
];

export async function exchange(connection: Asking): Promise<readonly DeleteAnswer[]> {
  const answers: DeleteAnswer[] = [];
  for (const [version, asked] of QUESTIONS) {
    // One after the other: each sees what the ones before it have deleted.
    const { topics } = await connection.ask(deleteRecords, version, {
      topics: asked.map(([name, partitionIndex, offset]) => {
        return { name, partitions: [{ partitionIndex, offset }] };
      }),
      timeoutMs: 5000,
    });
    const answered = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, lowWatermark, errorCode }): Answered => {
        return [name, partitionIndex, lowWatermark, errorCode];
      })
    ).sort((one, other) => `${one}` < `${other}` ? -1 : 1);
    const offsets = [await offsetAt(connection, -2), await offsetAt(connection, -1)];
    const fetched = [];
    for (let offset = 0; offset <= 6; offset++) fetched.push(await fetchAt(connection, offset));
    answers.push({ version, asked, answered, offsets, fetched });
  }
  return answers;
}

async function offsetAt(connection: Asking, timestamp: number): Promise<number> {
  const { topics } = await connection.ask(listOffsets, 8, {
    replicaId: -1,
    topics: [{ name: "plain", partitions: [{ partitionIndex: 0, timestamp }] }],
  });
  return topics[0]?.partitions[0]?.offset ?? NaN;
}

async function fetchAt(connection: Asking, fetchOffset: number): Promise<[number, number]> {
  const { responses } = await connection.ask(fetch, 12, {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{
      topic: "plain",
      partitions: [{
        partition: 0,
        currentLeaderEpoch: -1,
        fetchOffset,
        partitionMaxBytes: 1 << 20,
      }],
    }],
    forgottenTopicsData: [],
    rackId: "",
  });
  const found = responses[0]?.partitions[0];
  return [found?.errorCode ?? NaN, found?.logStartOffset ?? NaN];
}
