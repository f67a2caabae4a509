/**
 * When the record at an offset, or the next one that is there, was written: one batch is read for it, and
 * where that holds none that anybody is handed, the next ones, a few of them.
 *
 * Answers undefined where it is not known: the partition cannot be read at this moment, or its batch
 * not; and -1 where there is no such record up to the end.
 */
import { ErrorCode } from "../api/error_code.ts";
import { fetch } from "../api/fetch.ts";
import { decompressWith } from "../record/compression.ts";
import { BatchWalk } from "../record/batch_walk.ts";
import type { ClientTools } from "./client_tools.ts";
import { consumerSettings } from "./consumer_options.ts";
import { newPosition } from "./fetch_position.ts";
import { fetchAnswers, fetchRequest } from "./fetch_request.ts";
import { FetchedRecords } from "./fetched_batch.ts";

const TRIES = 2; // the leader may have moved
const BATCH_COUNT_MAX = 8;

export interface FirstRecordQuestion {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The end of what counts. */
  readonly until: number;
}

export async function firstRecordTime(
  tools: ClientTools,
  question: FirstRecordQuestion,
): Promise<number | undefined> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      return await timeIn(tools, question);
    } catch {
      await tools.metadata.refresh(question.topic).catch(() => undefined);
    }
  }
  return undefined;
}

async function timeIn(
  tools: ClientTools,
  { topic, partition, offset, until }: FirstRecordQuestion,
): Promise<number> {
  // The first batch comes whole, however little is asked for (KIP-74).
  const settings = consumerSettings(
    { assignments: [], maxBytes: 1, partitionMaxBytes: 1, maxWaitMs: 0 },
    tools.requestTimeoutMs,
  );
  const { inflatedBytesMax } = settings;
  const decompress = decompressWith(tools.env.compressors);
  await tools.metadata.topic(topic);
  const position = newPosition({ topic, partition, from: offset });
  position.topicId = tools.metadata.known(topic)?.topicId;
  for (let count = 0; count < BATCH_COUNT_MAX && position.fetchOffset < until; count++) {
    const connection = await tools.pool.broker(tools.metadata.leaderOf(topic, partition));
    const { metadata } = tools;
    const { body, version } = fetchRequest(connection, {
      positions: [position],
      settings,
      metadata,
    });
    const response = await connection.requestAt(fetch, version, body);
    const answer = fetchAnswers(response)(position);
    if (answer === undefined || answer.errorCode !== ErrorCode.None) {
      throw new Error(`Cannot read ${topic}-${partition}: error ${answer?.errorCode}`);
    }
    const bytes = answer.records ?? new Uint8Array(0);
    const walk = new BatchWalk(bytes);
    if (!walk.next()) return -1;
    const { batch } = walk;
    position.fetchOffset = batch.nextOffset();
    if (batch.isControl()) continue;
    const records = new FetchedRecords({
      topic,
      partition,
      bytes,
      at: batch.position(),
      from: offset,
      until,
      highWatermark: answer.highWatermark,
      cursor: { decompress, inflatedBytesMax },
    });
    if (records.next()) return records.timestamp();
  }
  return -1;
}
