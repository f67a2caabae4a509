/**
 * A member in each of its states: which question is under way, and what happens then. The coordinator keeps
 * silent, or is another one by now, or the connection breaks, at each step of the way; and the consumer is
 * closed, aborted, or left alone at each of them.
 */
import { describe, expect, test } from "bun:test";
import { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import { fetch } from "../../src/api/fetch.ts";
import { findCoordinator } from "../../src/api/find_coordinator.ts";
import { heartbeat } from "../../src/api/heartbeat.ts";
import { joinGroup } from "../../src/api/join_group.ts";
import { leaveGroup } from "../../src/api/leave_group.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import { metadata } from "../../src/api/metadata.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import { offsetFetch } from "../../src/api/offset_fetch.ts";
import type { Api } from "../../src/api/schema.ts";
import { syncGroup } from "../../src/api/sync_group.ts";
import type { GroupProtocol } from "../../src/client/group_options.ts";
import type { FakeBroker, Step } from "./fake_broker.ts";
import { fill } from "./filling.ts";
import { type Member, setUpGroup } from "./grouping.ts";

const SHARED: readonly Api[] = [
  findCoordinator,
  metadata,
  offsetFetch,
  listOffsets,
  fetch,
  offsetCommit,
];
const STEPS: readonly { readonly protocol: GroupProtocol; readonly api: Api }[] = [
  ...[...SHARED, joinGroup, syncGroup, heartbeat].map((api) => {
    return { protocol: "classic", api } as const;
  }),
  ...[...SHARED, consumerGroupHeartbeat].map((api) => ({ protocol: "consumer", api } as const)),
];
/** Of the lookups that come first, the one that the member makes by itself. */
const SERVED: ReadonlyMap<Api, number> = new Map<Api, number>([[metadata, 1], [joinGroup, 1]]);

interface State {
  readonly one: Member;
  readonly setup: Awaited<ReturnType<typeof setUpGroup>>;
}

/** A member of which the question `api` meets `step`, and which had time for it. */
async function inState(protocol: GroupProtocol, api: Api, step: Step): Promise<State> {
  const setup = await setUpGroup({ brokers: 2, partitions: 2 });
  for (const partition of [0, 1]) fill(setup.cluster.partition("a", partition), ["x"]);
  const one = await setup.member("one", { protocol });
  const served = Array.from({ length: SERVED.get(api) ?? 0 }, (): Step => ({ kind: "serve" }));
  for (const broker of setup.brokers) broker.script(api, ...served, step);
  one.start();
  await setup.clock.advance(5500); // beyond the first commit
  return { one, setup };
}

/** In milliseconds. */
async function timeOf({ clock }: State["setup"], promise: Promise<unknown>): Promise<number> {
  const beganMs = clock.monotonicMs();
  await clock.until(promise);
  return clock.monotonicMs() - beganMs;
}

for (const { protocol, api } of STEPS) {
  describe(`A member that waits for ${api.name}, ${protocol} protocol`, () => {
    test("is closed in bounded time, and its loop ends", async () => {
      const { one, setup } = await inState(protocol, api, { kind: "silence" });
      expect(await timeOf(setup, one.consumer.close())).toBeLessThanOrEqual(15_000);
      expect(await setup.clock.until(one.ended)).toBe("ended");
      await setup.clock.until(one.client.close());
    });

    test("is ended at once by its signal, and by its client", async () => {
      for (const end of ["abort", "close"] as const) {
        const setup = await setUpGroup({ brokers: 2, partitions: 2 });
        const stopping = new AbortController();
        const one = await setup.member("one", { protocol, signal: stopping.signal });
        for (const broker of setup.brokers) broker.script(api, { kind: "silence" });
        one.start();
        await setup.clock.advance(3000);
        if (end === "abort") stopping.abort();
        else one.client.close();
        expect(await timeOf(setup, one.ended)).toBe(0);
        expect(await one.ended).toBe("ABORTED");
        expect(await timeOf(setup, one.consumer.close())).toBe(0);
      }
    });

    test("goes on behind silence and behind a broken connection", async () => {
      const steps: readonly Step[] = [
        { kind: "silence" },
        { kind: "close", isServed: false },
        { kind: "close", isServed: true },
      ];
      for (const step of steps) {
        const { one, setup } = await inState(protocol, api, step);
        const { cluster, clock } = setup;
        // A JoinGroup may take as long as a rebalance; what was lost in it is found out only then.
        await clock.advance(80_000);
        fill(cluster.partition("a", 0), ["y"]);
        await clock.advance(8000);
        expect(new Set(one.seen)).toEqual(new Set(["0:0=x", "1:0=x", "0:1=y"]));
        expect([...cluster.group("g").offsets].sort()).toEqual([["a 0", 2], ["a 1", 1]]);
        await clock.until(one.consumer.close());
      }
    });

    test("finds a coordinator that moves at this very moment", async () => {
      const setup = await setUpGroup({ brokers: 2, partitions: 2 });
      const { cluster, clock, brokers } = setup;
      fill(cluster.partition("a", 0), ["x"]);
      const one = await setup.member("one", { protocol });
      const moving = Promise.withResolvers<void>();
      for (const broker of brokers) broker.script(api, { kind: "hold", when: moving.promise });
      one.start();
      await clock.advance(3000);
      cluster.coordinators.set("g", 2);
      moving.resolve();
      await clock.advance(30_000);
      fill(cluster.partition("a", 1), ["y"]);
      await clock.advance(8000);
      expect(new Set(one.seen)).toEqual(new Set(["0:0=x", "1:0=y"]));
      expect(cluster.group("g").offsets.get("a 1")).toBe(1);
      await clock.until(one.consumer.close());
      const { classic, consumers } = cluster.group("g");
      expect(classic.size + consumers.size).toBe(0);
    });
  });
}

describe("The loop of a group consumer", () => {
  for (const protocol of ["classic", "consumer"] as const) {
    test(`is left by return and by throw; what was not done is not committed, ${protocol}`, async () => {
      for (const way of ["return", "throw"] as const) {
        const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
        for (const value of ["0", "1", "2"]) fill(cluster.partition("a", 0), [value]);
        const { consumer } = await member("one", { protocol });
        const batches = consumer.batches();
        const first = await clock.until(batches.next());
        const second = await clock.until(batches.next());
        const [done, open] = [first.value, second.value];
        if (done === undefined || open === undefined) throw new Error("There is no batch");
        consumer.done("a", 0, done.nextOffset);
        if (way === "return") await clock.until(batches.return());
        else await clock.until(batches.throw(new Error("mine")).catch(() => undefined));
        expect((await batches.next()).done).toBe(true);
        await clock.until(consumer.close());
        expect(cluster.group("g").offsets.get("a 0")).toBe(1);
        const { classic, consumers } = cluster.group("g");
        expect(classic.size + consumers.size).toBe(0);
      }
    });

    test(`close in onRevoked, in the loop and twice, ${protocol}`, async () => {
      const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 2 });
      fill(cluster.partition("a", 0), ["0"]);
      const one = await member("one", { protocol, onRevoked: () => one.consumer.close() });
      one.start();
      await clock.advance(2000);
      const two = (await member("two", { protocol })).start();
      await clock.advance(20_000);
      expect(await clock.until(one.ended)).toBe("ended");
      expect(two.partitions).toEqual([0, 1]);
      await clock.until(Promise.all([one.consumer.close(), one.consumer.close()]));
      expect(cluster.group("g").offsets.get("a 0")).toBe(1);
      const left = (brokers[0] as FakeBroker).requestsOf(leaveGroup).length;
      expect(left).toBe(protocol === "classic" ? 1 : 0);
    });
  }
});
