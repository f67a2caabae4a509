/**
 * A topic was deleted and made anew under a member of its group, which went on at the offset it had reached
 * in the old one: everything before that in the new one was skipped, and a commit of the old one counted.
 */
import { expect, test } from "bun:test";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

test("a topic that was made anew is read from its start", async () => {
  const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
  for (const value of ["0", "1", "2"]) fill(cluster.partition("a", 0), [value]);
  const one = (await member("one", { from: { kind: "end" } })).start();
  await clock.advance(2000);
  fill(cluster.partition("a", 0), ["3"]);
  await clock.advance(1000);
  expect(one.seen).toEqual(["0:3=3"]);
  cluster.topics.delete("a");
  cluster.group("g").offsets.clear(); // as a coordinator does
  cluster.createTopic("a", 1);
  for (const value of ["A", "B", "C", "D", "E", "F"]) fill(cluster.partition("a", 0), [value]);
  await clock.advance(10_000);
  expect(one.seen.slice(1)).toEqual(["0:0=A", "0:1=B", "0:2=C", "0:3=D", "0:4=E", "0:5=F"]);
  expect(one.events).toContain("offset-reset");
  expect(cluster.group("g").offsets.get("a 0")).toBe(6);
});

test("a commit of the old topic does not count in the new one", async () => {
  const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
  for (const value of ["0", "1", "2"]) fill(cluster.partition("a", 0), [value]);
  const one = (await member("one")).start();
  await clock.advance(1500);
  expect(one.seen).toHaveLength(3);
  cluster.topics.delete("a");
  cluster.createTopic("a", 1);
  await clock.until(one.consumer.close()); // commits what it did in the old one
  expect(one.events).toContain("commit-failed");
  expect(cluster.group("g").offsets.size).toBe(0);
});
