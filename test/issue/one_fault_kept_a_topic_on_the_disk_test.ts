/**
 * One partition of a deleted topic could not be put aside, and the others stayed on the disk with their
 * files open until the next start: the fault ended the loop over all of them.
 */
import { expect, test } from "bun:test";
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { batchOf, type Fixture, startBroker } from "../broker/broker_fixture.ts";
import { createTopic, produceTo } from "../broker/topic_requests.ts";

const PARTITIONS = 6;

async function brokerWithTopic(directories: string): Promise<Fixture> {
  const fixture = await startBroker({ "log.dirs": directories });
  const connection = await fixture.dial();
  const topic = {
    name: "t",
    numPartitions: PARTITIONS,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  };
  await connection.ask(createTopics, 7, { topics: [topic], timeoutMs: 1000 });
  await produceTo(connection, "t", batchOf(["a"]));
  return fixture;
}

async function deleteTopic({ dial }: Fixture): Promise<void> {
  await (await dial()).ask(deleteTopics, 5, { topicNames: ["t"], timeoutMs: 1000 });
}

function foldersOf({ disk }: Fixture, directory: string): readonly string[] {
  return disk.list(directory).map(({ name }) => name).filter((name) => /^t-\d$/.test(name));
}

test("a folder that cannot be renamed now does not keep the others", async () => {
  const fixture = await brokerWithTopic("/data");
  fixture.disk.failNext("rename", "no-space");
  await deleteTopic(fixture);
  expect(foldersOf(fixture, "/data")).toHaveLength(1);
  await fixture.clock.advance(120_000);
  expect(fixture.disk.list("/data").filter(({ name }) => name.endsWith("-delete"))).toEqual([]);
  await fixture.clock.until(fixture.broker.stop());
  expect(fixture.disk.openCount).toBe(0);
  const after = await startBroker({}, fixture.disk.kill());
  expect(foldersOf(after, "/data")).toEqual([]);
});

test("a directory that fails does not keep the others", async () => {
  const fixture = await brokerWithTopic("/one,/two,/three");
  fixture.disk.treeFaults.set("/two", "io");
  await deleteTopic(fixture);
  fixture.disk.treeFaults.clear();
  expect(foldersOf(fixture, "/one")).toEqual([]);
  expect(foldersOf(fixture, "/three")).toEqual([]);
  expect(foldersOf(fixture, "/two")).toHaveLength(2);
  const connection = await fixture.dial();
  await createTopic(connection, "next");
  expect((await produceTo(connection, "next", batchOf(["a"]))).errorCode).toBe(0);
});
