/**
 * A member that reads what is committed, and whose offset is gone, was set to the high watermark: records of
 * a transaction that was open then, and was committed later, were skipped. The last stable offset is meant.
 */
import { expect, test } from "bun:test";
import { listOffsets } from "../../src/api/list_offsets.ts";
import type { FakeBroker } from "../client/fake_broker.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

test("a reset asks for the end that the reader may see", async () => {
  for (const [isolation, level] of [["read_committed", 1], ["read_uncommitted", 0]] as const) {
    const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
    fill(cluster.partition("a", 0), ["x"]);
    cluster.group("g").offsets.set("a 0", 7);
    const one = (await member("one", { isolation, onOutOfRange: "end" })).start();
    await clock.advance(5000);
    expect(one.events).toEqual(["assigned 0", "offset-reset"]);
    const asked = (brokers[0] as FakeBroker).requestsOf(listOffsets).map(({ body }) =>
      body.isolationLevel
    );
    expect(asked).toEqual([level]);
  }
});
