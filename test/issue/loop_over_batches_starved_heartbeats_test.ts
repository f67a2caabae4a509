/**
 * A loop over batches that were fetched already ran in promise jobs alone: an application that computed for
 * a while over each of them sent no heartbeat until the last one, and was taken for dead.
 */
import { expect, test } from "bun:test";
import { heartbeat } from "../../src/api/heartbeat.ts";
import type { FakeBroker } from "../client/fake_broker.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

const BATCHES = 40;
const WORK_MS = 500;

test("heartbeats go out while an application computes from batch to batch", async () => {
  const { cluster, clock, connect, brokers } = await setUpGroup({ partitions: 1 });
  for (let index = 0; index < BATCHES; index++) fill(cluster.partition("a", 0), ["x"]);
  const [broker] = brokers as [FakeBroker];
  const consumer = (await connect()).groupConsumer({
    groupId: "g",
    topics: ["a"],
    from: { kind: "start" },
    heartbeatIntervalMs: 1000,
  });
  const heard: number[] = [];
  const work = (async () => {
    for await (const batch of consumer.batches()) {
      clock.leap(WORK_MS); // computing: the loop of the program stands still
      heard.push(broker.requestsOf(heartbeat).length);
      if (batch.nextOffset === BATCHES) break;
    }
  })();
  await clock.until(work);
  expect(heard).toHaveLength(BATCHES);
  // One for every second, give or take the first, which may come earlier.
  expect(heard.at(-1)).toBeGreaterThan(BATCHES * WORK_MS / 1000 - 2);
  await clock.until(consumer.close());
});
