/**
 * A compacted topic that was made anew kept records that later ones had replaced.
 *
 *     1. A log was compacted, and a checkpoint said up to where it was clean.
 *     2. Its topic was deleted and made again under the same name, and the broker was killed.
 *     3. After the next start the new log was taken to be clean up to where the old one had been.
 */
import { expect, test } from "bun:test";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { type Fixture, recordsOf, startBroker } from "../broker/broker_fixture.ts";
import { createTopic, fetchFrom, produceTo } from "../broker/topic_requests.ts";
import { tools } from "../record/batches.ts";

const CHECKPOINT = "/data/cleaner-offset-checkpoint";
const COMPACTED = {
  "cleanup.policy": "compact",
  "segment.ms": "1",
  "min.cleanable.dirty.ratio": "0",
};

test("a topic made anew is compacted from its own start", async () => {
  const first = await startBroker();
  const connection = await first.dial();
  await createTopic(connection, "t", COMPACTED);
  await produceApart(first, "t", 4);
  await first.clock.advance(60_000);
  expect(checkpointOf(first)).toMatch(/^t 0 [34]$/m);

  await connection.ask(deleteTopics, 5, { topicNames: ["t"], timeoutMs: 1000 });
  await createTopic(connection, "t", COMPACTED);
  expect(checkpointOf(first)).not.toMatch(/^t 0/m);
  await produceApart(first, "t", 6);
  first.broker.halt();

  const second = await startBroker({}, first.disk.kill());
  await second.clock.advance(60_000);
  const { records } = await fetchFrom(await second.dial(), "t");
  expect(recordsOf(records)[0]).toBe("4:4"); // the last one of the closed segments
});

/** Records with one key, each in a segment of its own. */
async function produceApart(fixture: Fixture, topic: string, count: number): Promise<void> {
  const connection = await fixture.dial();
  for (let made = 0; made < count; made++) {
    await produceTo(connection, topic, keyed(`${made}`, fixture.clock.wallMs()));
    await fixture.clock.advance(10);
  }
}

function keyed(value: string, timestamp: number): Uint8Array {
  const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType: "none" });
  builder.append({ key: bytesOf("k"), value: bytesOf(value), timestamp });
  return builder.finish({}, tools);
}

function checkpointOf({ disk }: Fixture): string {
  return new TextDecoder().decode(disk.readWhole(CHECKPOINT) ?? new Uint8Array(0));
}
