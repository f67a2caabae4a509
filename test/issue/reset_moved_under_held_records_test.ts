/**
 * A log was cut while records that had been fetched before were waiting to be handed out. The position was set
 * back at once; the old records moved it forward again, and what was written in their place was skipped.
 */
import { expect, test } from "bun:test";
import type { FakeBroker } from "../client/fake_broker.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

test("what took the place of lost records is read behind them", async () => {
  const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
  (brokers[0] as FakeBroker).knowsEpochs = false;
  const partition = cluster.partition("a", 0);
  for (const value of ["0", "1", "2", "3"]) fill(partition, [value]);
  const one = await member("one", { onOutOfRange: "end" });
  const gate = Promise.withResolvers<void>();
  one.gate = gate.promise;
  one.start();
  await clock.advance(2000);
  expect(one.seen).toEqual(["0:0=0"]); // the others are held
  partition.cut(2);
  await clock.advance(5000);
  gate.resolve();
  await clock.advance(5000);
  for (const value of ["2 anew", "3 anew", "4"]) fill(partition, [value]);
  await clock.advance(5000);
  expect(one.seen).toEqual([
    ...["0:0=0", "0:1=1", "0:2=2", "0:3=3"],
    ...["0:2=2 anew", "0:3=3 anew", "0:4=4"],
  ]);
});
