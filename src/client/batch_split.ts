/**
 * Cuts a batch in two where a broker refuses it as too large (MESSAGE_TOO_LARGE), as Kafka's producer
 * does: the topic's limit is lower than the producer's batch size.
 *
 * The parts carry on the sequence of the whole, so that what stands behind it in line keeps its own.
 */
import { assert } from "../ground/assert.ts";
import { BatchBuilder, type BuildTools } from "../record/batch_builder.ts";
import { BatchView } from "../record/batch_view.ts";
import type { CompressionType, Decompress } from "../record/compression.ts";
import { sequenceAfter } from "../record/format.ts";
import { RecordCursor } from "../record/record_cursor.ts";
import type { ProducerBatch } from "./producer_batch.ts";

export interface SplitTools extends BuildTools {
  readonly compressionType: CompressionType;
  readonly decompress: Decompress;
}

/** Two batches with the records of one that has at least two. */
export function splitBatch(
  batch: ProducerBatch,
  tools: SplitTools,
): readonly [ProducerBatch, ProducerBatch] {
  assert(batch.recordCount > 1, "a batch that is split has two records");
  const cursor = new RecordCursor({
    decompress: tools.decompress,
    inflatedBytesMax: batch.bufferedBytes,
  });
  cursor.open(new BatchView(batch.bytes));
  const firstCount = Math.ceil(batch.recordCount / 2);
  const first = part(batch, cursor, { from: 0, count: firstCount }, tools);
  const rest = { from: firstCount, count: batch.recordCount - firstCount };
  return [first, part(batch, cursor, rest, tools)];
}

function part(
  batch: ProducerBatch,
  cursor: RecordCursor,
  { from, count }: { readonly from: number; readonly count: number },
  tools: SplitTools,
): ProducerBatch {
  const { compressionType } = tools;
  const builder = new BatchBuilder({ bytesMax: batch.bufferedBytes, compressionType });
  for (let index = 0; index < count; index++) {
    assert(cursor.next(), "a batch of our own can be read");
    const timestamp = cursor.timestamp();
    const headers = cursor.headerCount === 0 ? undefined : cursor.headers();
    const isIn = builder.append({ key: cursor.key(), value: cursor.value(), timestamp, headers });
    assert(isIn, "a part of a batch is smaller than the batch");
  }
  const half = Math.floor(batch.bufferedBytes / 2);
  const { stamp } = batch;
  return {
    queue: batch.queue,
    order: batch.order + from,
    place: batch.place,
    recordCount: count,
    bytes: builder.finish({}, tools),
    bufferedBytes: from === 0 ? half : batch.bufferedBytes - half, // together what is to be given back
    deadlineMs: batch.deadlineMs,
    callbacks: batch.callbacks?.slice(from, from + count),
    stamp: stamp && { ...stamp, baseSequence: sequenceAfter(stamp.baseSequence, from) },
    stamped: undefined,
    attemptCount: 0,
    isUncertain: false,
  };
}
