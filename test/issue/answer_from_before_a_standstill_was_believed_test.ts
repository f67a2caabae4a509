/**
 * A program stood still while the answer to a heartbeat was on its way. It was the first thing that was read
 * afterwards and counted as a word of the coordinator, which had given the partitions to somebody else since.
 */
import { expect, test } from "bun:test";
import { heartbeat } from "../../src/api/heartbeat.ts";
import type { FakeBroker } from "../client/fake_broker.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

test("what was asked before a standstill counts for nothing", async () => {
  const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
  for (const value of ["0", "1", "2"]) fill(cluster.partition("a", 0), [value]);
  const one = await member("one", { sessionTimeoutMs: 3000 });
  const gate = Promise.withResolvers<void>();
  one.gate = gate.promise;
  one.start();
  await clock.advance(2000);
  expect(one.seen).toEqual(["0:0=0"]);
  const [broker] = brokers as [FakeBroker];
  const onItsWay = Promise.withResolvers<void>();
  broker.script(heartbeat, { kind: "hold", when: onItsWay.promise });
  const askedCount = broker.requestsOf(heartbeat).length;
  while (broker.requestsOf(heartbeat).length === askedCount) await clock.advance(50);
  clock.leap(3200);
  cluster.group("g").expel(one.consumer.memberId);
  cluster.group("g").offsets.set("a 0", 3); // its heir was through with all
  clock.after(100, () => onItsWay.resolve());
  gate.resolve();
  await clock.advance(8000);
  expect(one.seen).toEqual(["0:0=0"]);
});
