/**
 * `until: "end"`, and meanwhile the topic was deleted and made anew, or its log lost its end: the reader
 * waited for an offset of the old log for ever.
 */
import { expect, test } from "bun:test";
import type { FakeBroker } from "../client/fake_broker.ts";
import type { FakePartition } from "../client/fake_cluster.ts";
import { fill } from "../client/filling.ts";
import { type GroupSetup, type Member, setUpGroup } from "../client/grouping.ts";

function write(partition: FakePartition, count: number): void {
  for (let index = 0; index < count; index++) fill(partition, ["x"]);
}

/** Is to read nine records, has the first in its hands, and has not fetched them all. */
async function underWay(): Promise<GroupSetup & { one: Member; open(): void }> {
  const setup = await setUpGroup({ partitions: 1 });
  write(setup.cluster.partition("a", 0), 9);
  const one = await setup.member("one", { until: "end", partitionMaxBytes: 1 });
  const gate = Promise.withResolvers<void>();
  one.gate = gate.promise;
  one.start();
  await setup.clock.advance(2000);
  expect(one.seen).toHaveLength(1);
  return { ...setup, one, open: () => gate.resolve() };
}

test("a topic that was made anew is read to where it ends", async () => {
  const { cluster, clock, one, open } = await underWay();
  cluster.topics.delete("a");
  cluster.createTopic("a", 1);
  write(cluster.partition("a", 0), 2);
  const held = one.seen.length;
  open();
  let end = "";
  one.ended.then((how) => end = how);
  await clock.advance(20_000);
  expect(end).toBe("ended");
  expect(one.seen.slice(held).slice(-2)).toEqual(["0:0=x", "0:1=x"]);
  await clock.until(one.consumer.close());
  expect(cluster.group("g").offsets.get("a 0")).toBe(2);
});

test("so is a log that was cut", async () => {
  for (const knowsEpochs of [true, false]) {
    const { cluster, clock, one, brokers, open } = await underWay();
    (brokers[0] as FakeBroker).knowsEpochs = knowsEpochs;
    cluster.partition("a", 0).cut(1);
    open();
    let end = "";
    one.ended.then((how) => end = how);
    await clock.advance(20_000);
    expect(end).toBe("ended");
  }
});
