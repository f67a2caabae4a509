/**
 * A member found out together where to begin with all partitions that it was given at once: one of them that
 * had no leader, or a topic that was gone by then, kept it from reading the others.
 */
import { expect, test } from "bun:test";
import { offsetFetch } from "../../src/api/offset_fetch.ts";
import type { GroupProtocol } from "../../src/client/group_options.ts";
import type { FakeBroker } from "../client/fake_broker.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

const PROTOCOLS: readonly GroupProtocol[] = ["classic", "consumer"];

for (const protocol of PROTOCOLS) {
  test(`a partition without a leader keeps no other one waiting, ${protocol} protocol`, async () => {
    const { cluster, clock, member } = await setUpGroup({ partitions: 3 });
    for (const partition of [0, 1, 2]) fill(cluster.partition("a", partition), ["x"]);
    const { leaderId } = cluster.partition("a", 1);
    cluster.partition("a", 1).leaderId = -1;
    const one = (await member("one", { protocol })).start();
    await clock.advance(3000);
    expect(one.seen.toSorted()).toEqual(["0:0=x", "2:0=x"]);
    cluster.partition("a", 1).leaderId = leaderId;
    await clock.advance(3000);
    expect(one.seen.toSorted()).toEqual(["0:0=x", "1:0=x", "2:0=x"]);
    await clock.until(one.consumer.close());
  });

  test(`a topic that has gone keeps no other one waiting, ${protocol} protocol`, async () => {
    const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
    cluster.createTopic("b");
    fill(cluster.partition("a", 0), ["x"]);
    const gate = Promise.withResolvers<void>();
    (brokers[0] as FakeBroker).script(offsetFetch, { kind: "hold", when: gate.promise });
    const one = (await member("one", { protocol, topics: ["a", "b"] })).start();
    await clock.advance(2000);
    expect(one.consumer.assignment()).toHaveLength(2);
    cluster.topics.delete("b");
    gate.resolve();
    await clock.advance(3000);
    expect(one.seen).toEqual(["0:0=x"]);
    await clock.until(one.consumer.close());
  });
}
