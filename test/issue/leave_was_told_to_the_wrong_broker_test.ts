/**
 * A member that left told so the broker that it knew as its coordinator, and did not listen: where the
 * group had moved, its partitions stood still until its session had timed out.
 */
import { expect, test } from "bun:test";
import type { GroupProtocol } from "../../src/client/group_options.ts";
import { setUpGroup } from "../client/grouping.ts";

const PROTOCOLS: readonly GroupProtocol[] = ["classic", "consumer"];

for (const protocol of PROTOCOLS) {
  test(`a member leaves a group that has moved, ${protocol} protocol`, async () => {
    const { cluster, clock, member } = await setUpGroup({ brokers: 2, partitions: 1 });
    const one = (await member("one", { protocol, commit: "manual" })).start();
    await clock.advance(3000);
    cluster.coordinators.set("g", 2);
    await clock.until(one.consumer.close());
    const { classic, consumers } = cluster.group("g");
    expect(classic.size + consumers.size).toBe(0);
  });
}
