/**
 * A program stood still for a second less than its session, the last heartbeat two seconds before that: its
 * partitions were somebody else's, and it went on with the records that it held.
 */
import { expect, test } from "bun:test";
import { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import { heartbeat } from "../../src/api/heartbeat.ts";
import type { GroupProtocol } from "../../src/client/group_options.ts";
import type { FakeBroker } from "../client/fake_broker.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

const PROTOCOLS: readonly GroupProtocol[] = ["classic", "consumer"];

for (const protocol of PROTOCOLS) {
  test(`the coordinator is heard first, ${protocol} protocol`, async () => {
    const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
    for (const value of ["0", "1", "2"]) fill(cluster.partition("a", 0), [value]);
    const one = await member("one", { protocol });
    const gate = Promise.withResolvers<void>();
    one.gate = gate.promise;
    one.start();
    await clock.advance(2000);
    expect(one.seen).toEqual(["0:0=0"]);
    clock.leap(42_000);
    cluster.group("g").expel(one.consumer.memberId);
    cluster.group("g").offsets.set("a 0", 3); // its heir was through with all
    const answered = Promise.withResolvers<void>();
    const api = protocol === "classic" ? heartbeat : consumerGroupHeartbeat;
    (brokers[0] as FakeBroker).script(api, { kind: "hold", when: answered.promise });
    clock.after(500, () => answered.resolve());
    gate.resolve();
    await clock.advance(5000);
    expect(one.seen).toEqual(["0:0=0"]);
  });
}
