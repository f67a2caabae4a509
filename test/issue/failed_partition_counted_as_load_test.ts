/**
 * Partitions that could not be made were counted as the load of their directory all the same, so that
 * new ones went elsewhere for ever; and with no directory left to choose the choice itself threw.
 */
import { expect, test } from "bun:test";
import { leastLoaded } from "../../src/runtime/partition_opener.ts";
import { startBroker } from "../broker/broker_fixture.ts";
import { createTopic } from "../broker/topic_requests.ts";

test("what could not be made is no load", async () => {
  const { dial, disk } = await startBroker({ "log.dirs": "/one,/two" });
  const connection = await dial();
  for (let count = 0; count < 10; count++) {
    disk.failNext("rename", "not-permitted"); // of partition.metadata
    await createTopic(connection, `failed${count}`);
  }
  for (let count = 0; count < 10; count++) await createTopic(connection, `made${count}`);
  for (const directory of ["/one", "/two"]) {
    const made = disk.list(directory).filter(({ name }) => name.startsWith("made"));
    expect(made).toHaveLength(5);
  }
});

test("among no directories none is chosen", () => {
  expect(leastLoaded([])).toBeUndefined();
});
