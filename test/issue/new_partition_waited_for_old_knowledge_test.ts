/**
 * A member was given a partition that was newer than what it knew of the topic. Where it had no commit it was
 * asked in that old knowledge where to begin, over and over, until that was five minutes old.
 */
import { expect, test } from "bun:test";
import type { FakePartition } from "../client/fake_cluster.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

test("a partition that is new to a member is read at once", async () => {
  const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
  const leader = (await member("leader", { metadataMaxAgeMs: 2000 })).start();
  await clock.advance(3000);
  const other = (await member("other")).start();
  await clock.advance(5000);
  expect([leader.partitions, other.partitions]).toEqual([[0], []]);
  const added = cluster.createTopic("donor").partitions[0] as FakePartition;
  cluster.topics.get("a")?.partitions.push(added);
  fill(added, ["x"]);
  await clock.advance(10_000);
  expect(other.partitions).toEqual([1]);
  expect(other.seen).toEqual(["1:0=x"]);
});
