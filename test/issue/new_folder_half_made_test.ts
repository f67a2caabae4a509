/**
 * A folder of which only a part could be made stayed behind when the partition was tried again in another
 * log directory, and the next start refused to choose between the two. It also outlived its topic.
 */
import { expect, test } from "bun:test";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { batchOf, type Fixture, startBroker } from "../broker/broker_fixture.ts";
import { createTopic, produceTo } from "../broker/topic_requests.ts";

const UPKEEP_MS = 30_000;

function foldersOf({ disk }: Fixture, topic: string): readonly string[] {
  return [...disk.directories].filter((path) => path.endsWith(`/${topic}-0`));
}

async function produceA(fixture: Fixture, topic: string): Promise<number> {
  return (await produceTo(await fixture.dial(), topic, batchOf(["a"]))).errorCode;
}

test("a partition is in one log directory only, also where it was tried in another one before", async () => {
  const fixture = await startBroker({ "log.dirs": "/one,/two" });
  const connection = await fixture.dial();
  fixture.disk.failNext("open", "no-handles"); // of partition.metadata
  await createTopic(connection, "t");
  expect(await produceA(fixture, "t")).not.toBe(0);
  await createTopic(connection, "u"); // where t was to be
  await fixture.clock.advance(UPKEEP_MS);
  expect(await produceA(fixture, "t")).toBe(0);
  expect(foldersOf(fixture, "t")).toEqual(["/one/t-0"]); // where a part of it lay already
  const after = await startBroker({ "log.dirs": "/one,/two" }, fixture.disk.kill());
  expect(await produceA(after, "t")).toBe(0);
});

test("a partition of which nothing could be made is free to go elsewhere", async () => {
  const fixture = await startBroker({ "log.dirs": "/one,/two" });
  const connection = await fixture.dial();
  fixture.disk.failNext("makeDirectory", "no-handles");
  await createTopic(connection, "t");
  await createTopic(connection, "u"); // where t was to be
  await fixture.clock.advance(UPKEEP_MS);
  expect(await produceA(fixture, "t")).toBe(0);
  expect(foldersOf(fixture, "t")).toEqual(["/two/t-0"]);
});

test("a folder that holds nothing is gone with its topic", async () => {
  const fixture = await startBroker();
  const connection = await fixture.dial();
  fixture.disk.failNext("open", "no-handles");
  await createTopic(connection, "t");
  await connection.ask(deleteTopics, 5, { topicNames: ["t"], timeoutMs: 1000 });
  expect(foldersOf(fixture, "t")).toEqual([]);
});
