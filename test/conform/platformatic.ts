/** Reading a topic with @platformatic/kafka's own fetch, which needs no consumer group. */
import { type Connection, Consumer, type RecordsBatch } from "@platformatic/kafka";
import type { Subject } from "./subject.ts";

export interface ReadRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string | null, string | null])[];
}

export type { Connection };

const BYTES_MAX = 1 << 24;

/** All records of partition 0, by Fetch requests until the high watermark. */
export async function recordsOf(subject: Subject, topic: string): Promise<readonly ReadRecord[]> {
  const batches = await batchesOf(subject, topic);
  return batches.flatMap((batch) =>
    batch.records.map(({ key, value, headers }) => ({
      key: text(key),
      value: text(value),
      headers: headers.map(([name, content]) => [text(name), text(content)] as const),
    }))
  );
}

/** The batches of partition 0, as they were read. */
export async function batchesOf(subject: Subject, topic: string): Promise<readonly RecordsBatch[]> {
  const bootstrapBrokers = [subject.kafka];
  const consumer = new Consumer({ clientId: "reader", groupId: "none", bootstrapBrokers });
  try {
    const metadata = await consumer.metadata({ topics: [topic] });
    const found = metadata.topics.get(topic);
    if (found === undefined) throw new Error(`Cannot read ${topic}: it is not in the metadata`);
    const node = found.partitions[0]?.leader ?? -1;
    const batches: RecordsBatch[] = [];
    let offset = 0n;
    let end = 1n;
    while (offset < end) {
      const partition = { partition: 0, currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
      const place = { ...partition, fetchOffset: offset, partitionMaxBytes: BYTES_MAX };
      const answer = await consumer.fetch({
        node,
        topics: [{ topicId: found.id, partitions: [place] }],
        maxBytes: BYTES_MAX,
        maxWaitTime: 1000,
      });
      const read = answer.responses[0]?.partitions[0];
      const more = read?.records ?? [];
      batches.push(...more);
      end = read?.highWatermark ?? 0n;
      const last = more.at(-1);
      if (last === undefined) break;
      offset = last.firstOffset + BigInt(last.lastOffsetDelta) + 1n;
    }
    return batches;
  } finally {
    await consumer.close(true);
  }
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}
