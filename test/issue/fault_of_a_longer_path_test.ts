/**
 * A topic could not be made in /data/ab, and /data/a went offline for it, with the metadata log in it:
 * the directory of a fault was found by how its path begins, without the slash behind it.
 */
import { pageOf } from "../broker/broker_fixture.ts";
import { expect, test } from "bun:test";
import { batchOf, startBroker } from "../broker/broker_fixture.ts";
import { createTopic, produceTo } from "../broker/topic_requests.ts";

test("a fault below /data/ab is not one of /data/a", async () => {
  const { dial, disk, broker } = await startBroker({ "log.dirs": "/data/a,/data/ab" });
  const connection = await dial();
  await createTopic(connection, "first");
  const onFirst = disk.info("/data/a/first-0") !== undefined;
  if (!onFirst) await createTopic(connection, "second");
  disk.treeFaults.set("/data/ab", "io");
  await createTopic(connection, "t"); // it was decided, whatever the disk says
  expect((await produceTo(connection, "t", batchOf(["a"]))).errorCode).toBe(56);
  const onA = onFirst ? "first" : "second";
  expect((await produceTo(connection, onA, batchOf(["a"]))).errorCode).toBe(0);
  expect(pageOf({ broker }, "/health/ready").status).toBe(200);
  await createTopic(connection, "later");
  expect(disk.info("/data/a/later-0")?.isDirectory).toBeTrue();
});
