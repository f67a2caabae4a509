/**
 * A member that was being closed, and waited for its last commit, was still told of partitions that came
 * to it meanwhile. It never read them, and was never told that it had lost them.
 */
import { expect, test } from "bun:test";
import { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import type { FakeBroker } from "../client/fake_broker.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

test("nothing is assigned to a member that is being closed", async () => {
  const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 2 });
  const [broker] = brokers as [FakeBroker];
  const one = (await member("one", { protocol: "consumer" })).start();
  await clock.advance(3000);
  const two = (await member("two", { protocol: "consumer" })).start();
  await clock.advance(5000);
  expect([one.partitions, two.partitions]).toEqual([[0], [1]]);
  fill(cluster.partition("a", 0), ["x"]);
  await clock.advance(1000);

  await clock.until(two.consumer.close()); // its partition is the other's from now on
  const before = [...one.events];
  const heard = Promise.withResolvers<void>();
  broker.script(consumerGroupHeartbeat, { kind: "hold", when: heard.promise });
  const beatCount = broker.requestsOf(consumerGroupHeartbeat).length;
  await clock.advance(1000);
  expect(broker.requestsOf(consumerGroupHeartbeat).length).toBe(beatCount + 1);
  const closing = one.consumer.close();
  await clock.advance(100);
  heard.resolve();
  await clock.until(closing);
  expect(one.events).toEqual(before);
  expect(cluster.group("g").offsets.get("a 0")).toBe(1);
});
