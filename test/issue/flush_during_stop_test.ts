/**
 * A graceful stop died when the background flush came in its middle.
 *
 *     1. A topic of the class `memory` had records that were not durable yet.
 *     2. The stop closed its log while others were still being closed.
 *     3. The timer of the background flush synced the closed log, which is an assertion.
 */
import { expect, test } from "bun:test";
import { batchOf, startBroker } from "../broker/broker_fixture.ts";
import { createTopic, produceTo } from "../broker/topic_requests.ts";

test("a partition that is closed is not flushed", async () => {
  const { dial, broker, clock, disk } = await startBroker({ "mq.background.flush.ms": "100" });
  const connection = await dial();
  await createTopic(connection, "t", { "mq.durability": "memory" });
  await produceTo(connection, "t", batchOf(["a"]));
  const stopping = broker.stop();
  await clock.advance(1000);
  await stopping;
  expect((await broker.stopped).kind).toBe("graceful");
  expect(disk.info("/data/.cleanshutdown")).toBeDefined();
});
