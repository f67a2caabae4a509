/**
 * A log was cut, or its topic made anew, while the application had records in its hands that it had not
 * finished. A commit then said that they were done, or set an offset of the old topic in the new one: who
 * took the partition over began behind records that nobody had dealt with.
 */
import { expect, test } from "bun:test";
import { apiVersions } from "../../src/api/api_versions.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import type { FakeBroker } from "../client/fake_broker.ts";
import type { FakePartition } from "../client/fake_cluster.ts";
import { fill } from "../client/filling.ts";
import { type GroupSetup, type Member, setUpGroup } from "../client/grouping.ts";

function write(partition: FakePartition, count: number): void {
  for (let index = 0; index < count; index++) fill(partition, ["x"]);
}

/** Reads four records and says of none that it is done with it. */
async function busy(): Promise<GroupSetup & { one: Member }> {
  const setup = await setUpGroup({ partitions: 1 });
  write(setup.cluster.partition("a", 0), 4);
  const one = await setup.member("one", { commit: "manual" });
  one.mayFinish = false;
  one.start();
  await setup.clock.advance(2000);
  expect(one.seen).toHaveLength(4);
  return { ...setup, one };
}

function makeAnew({ cluster }: GroupSetup, count: number): void {
  cluster.topics.delete("a");
  cluster.group("g").offsets.clear(); // as a coordinator does
  cluster.createTopic("a", 1);
  write(cluster.partition("a", 0), count);
}

test("what lies below the cut is not done before it is said to be", async () => {
  const { cluster, clock, one } = await busy();
  const partition = cluster.partition("a", 0);
  one.consumer.done("a", 0, 1);
  partition.cut(3);
  write(partition, 2);
  await clock.advance(5000);
  expect(one.seen).toHaveLength(6); // offsets 3 and 4 once more
  await clock.until(one.consumer.commit());
  expect(cluster.group("g").offsets.get("a 0")).toBe(1);
  one.consumer.done("a", 0, 5);
  await clock.until(one.consumer.commit());
  expect(cluster.group("g").offsets.get("a 0")).toBe(5);
});

test("an offset of the old topic is not set in the new one", async () => {
  const setup = await busy();
  const { cluster, clock, one } = setup;
  one.consumer.done("a", 0, 3);
  makeAnew(setup, 0);
  await clock.advance(5000);
  await clock.until(one.consumer.commit());
  expect(cluster.group("g").offsets.get("a 0")).toBe(0);
});

test("nor by a commit that was on its way to its coordinator", async () => {
  const setup = await busy();
  const { clock, one, brokers } = setup;
  const gate = Promise.withResolvers<void>();
  const [broker] = brokers as [FakeBroker];
  broker.script(offsetCommit, { kind: "close", isServed: false });
  broker.script(apiVersions, { kind: "hold", when: gate.promise }); // of the next connection
  one.consumer.done("a", 0, 3);
  const committed = one.consumer.commit().then(() => "done", ({ code }) => code);
  await clock.advance(100);
  makeAnew(setup, 0);
  await clock.advance(4500);
  expect(one.events).toContain("offset-reset");
  gate.resolve();
  expect(await clock.until(committed)).toBe("UNKNOWN_TOPIC_ID");
});

test("the same offset in the new topic is committed as well", async () => {
  const setup = await busy();
  const { cluster, clock, one } = setup;
  one.consumer.done("a", 0, 4);
  await clock.until(one.consumer.commit());
  makeAnew(setup, 4);
  await clock.advance(5000);
  expect(one.seen).toHaveLength(8);
  one.consumer.done("a", 0, 4);
  await clock.until(one.consumer.commit());
  expect(cluster.group("g").offsets.get("a 0")).toBe(4);
});
