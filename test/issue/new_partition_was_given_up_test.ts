/**
 * A new partition that could not be made for want of handles was never made: when it was tried again, a
 * log directory was absent, and it was said that its log may lie there.
 */
import { expect, test } from "bun:test";
import { batchOf, startBroker } from "../broker/broker_fixture.ts";
import { TWO } from "../broker/disk_questions.ts";
import { createTopic, produceTo } from "../broker/topic_requests.ts";

const UPKEEP_MS = 30_000;

test("a new partition is made when there are handles again, though a log directory is absent", async () => {
  const first = await startBroker(TWO);
  await createTopic(await first.dial(), "before");
  await first.clock.until(first.broker.stop());
  const disk = first.disk.kill();
  disk.treeFaults.set("/two", "io");
  const fixture = await startBroker(TWO, disk);
  const connection = await fixture.dial();
  disk.failNext("makeDirectory", "no-handles");
  await createTopic(connection, "t");
  expect((await produceTo(connection, "t", batchOf(["a"]))).errorCode).not.toBe(0);
  await fixture.clock.advance(UPKEEP_MS);
  expect((await produceTo(connection, "t", batchOf(["a"]))).errorMessage).toBeNull();
  expect(disk.info("/one/t-0")).toBeDefined();
});
