/**
 * A partition that was taken away while its member was still finding out where to begin was read from
 * then on, for ever and beside its next owner: the place was found between the end of fetching and the
 * end of the revocation.
 */
import { expect, test } from "bun:test";
import { listOffsets } from "../../src/api/list_offsets.ts";
import type { FakeBroker } from "../client/fake_broker.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

test("what is given back before it began is read by its next owner only", async () => {
  const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 2 });
  const [broker] = brokers as [FakeBroker];
  const place = Promise.withResolvers<void>();
  const handover = Promise.withResolvers<void>();
  broker.script(listOffsets, { kind: "hold", when: place.promise });
  const one = await member("one", { protocol: "consumer", onRevoked: () => handover.promise });
  one.start();
  await clock.advance(1000);
  expect(one.events).toEqual(["assigned 0,1"]);

  const two = (await member("two", { protocol: "consumer" })).start();
  await clock.advance(2000);
  expect(one.events).toEqual(["assigned 0,1", "revoked 1"]);
  place.resolve(); // it knows where to begin, and the application is not through with the revocation
  await clock.advance(1000);
  handover.resolve();
  await clock.advance(5000);
  expect([one.partitions, two.partitions]).toEqual([[0], [1]]);

  for (const partition of [0, 1]) fill(cluster.partition("a", partition), ["x"]);
  await clock.advance(3000);
  expect([one.seen, two.seen]).toEqual([["0:0=x"], ["1:0=x"]]);
});
