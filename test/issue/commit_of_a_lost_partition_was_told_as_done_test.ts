/**
 * An application that was through with a batch after its partition was lost was told by `commit` that all
 * was well: nothing was committed.
 */
import { expect, test } from "bun:test";
import type { GroupProtocol } from "../../src/client/group_options.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";
import { codeOf } from "../client/harness.ts";

const PROTOCOLS: readonly GroupProtocol[] = ["classic", "consumer"];

for (const protocol of PROTOCOLS) {
  test(`commit tells of what was lost before it was done, ${protocol} protocol`, async () => {
    const { cluster, clock, member } = await setUpGroup({ partitions: 2 });
    fill(cluster.partition("a", 0), ["x"]);
    const one = await member("one", { protocol, commit: "manual" });
    const gate = Promise.withResolvers<void>();
    one.gate = gate.promise;
    one.start();
    await clock.advance(2000);
    cluster.group("g").expel(one.consumer.memberId);
    await clock.advance(1500);
    gate.resolve(); // `done` follows at once
    await clock.settle();
    expect(await clock.until(codeOf(one.consumer.commit()))).toBe("UNKNOWN_MEMBER_ID");
    await clock.advance(3000); // read again, and done
    await clock.until(one.consumer.commit());
    expect(one.seen).toEqual(["0:0=x", "0:0=x"]);
    expect(cluster.group("g").offsets.get("a 0")).toBe(1);
  });
}
