/**
 * A producer took a whole core and answered nothing any more, not even a signal.
 *
 *     1. A topic's leader was a broker whose address the client did not know (it was fenced).
 *     2. The pool refused at once, the sender tried again at once, and no time passed in between.
 */
import { expect, test } from "bun:test";
import { startHarness, valued } from "../client/harness.ts";

const CONNECTS_MAX = 1000;

test("a producer waits where the address of the leader is not known", async () => {
  const { cluster, clock, connect } = await startHarness();
  cluster.createTopic("a");
  const client = await connect();
  await clock.until(client.metadata.topic("a"));
  const producer = client.producer({
    batchBytes: 100,
    deliveryTimeoutMs: 2000,
    onRetry: () => {
      if (++retries > CONNECTS_MAX) throw new Error("it goes on for ever");
    },
  });
  let retries = 0;
  for (const partition of cluster.topics.get("a")?.partitions ?? []) partition.leaderId = 99;
  await clock.until(client.metadata.refresh("a"));
  const sent = producer.send("a", valued("x")).then(() => "sent", (error: Error) => error.message);
  expect(await clock.until(sent)).toMatch("not delivered within 2000 ms");
  expect(retries).toBeGreaterThan(0);
  expect(retries).toBeLessThan(200);
});
