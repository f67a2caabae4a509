/** Group consumers on scripted brokers. Long: what holds for one protocol is asked of both. */
import { describe, expect, test } from "bun:test";
import { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { fetch } from "../../src/api/fetch.ts";
import { heartbeat } from "../../src/api/heartbeat.ts";
import { joinGroup } from "../../src/api/join_group.ts";
import { leaveGroup } from "../../src/api/leave_group.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import type { GroupProtocol } from "../../src/client/group_options.ts";
import { answering, type FakeBroker } from "./fake_broker.ts";
import type { FakeTopic } from "./fake_cluster.ts";
import { fill } from "./filling.ts";
import { setUpGroup } from "./grouping.ts";
import { codeOf } from "./harness.ts";

const PROTOCOLS: readonly GroupProtocol[] = ["classic", "consumer"];

for (const protocol of PROTOCOLS) {
  describe(`GroupConsumer, ${protocol} protocol`, () => {
    test("reads from the start, commits what is done, and begins there again", async () => {
      const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 2 });
      fill(cluster.partition("a", 0), ["x", "y"]);
      fill(cluster.partition("a", 1), ["z"]);
      const first = (await member("first", { protocol })).start();
      await clock.advance(2000);
      expect(first.seen.toSorted()).toEqual(["0:0=x", "0:1=y", "1:0=z"]);
      const hold = Promise.withResolvers<void>();
      const api = protocol === "classic" ? leaveGroup : consumerGroupHeartbeat;
      (brokers[0] as FakeBroker).script(api, { kind: "hold", when: hold.promise });
      const closing = first.consumer.close();
      await clock.advance(4000); // the coordinator takes its time over the leave
      hold.resolve();
      await clock.until(closing);
      expect(first.events).toEqual(["assigned 0,1"]);
      expect(await clock.until(first.ended)).toBe("ended");
      expect([...cluster.group("g").offsets].sort()).toEqual([["a 0", 2], ["a 1", 1]]);

      fill(cluster.partition("a", 0), ["later"]);
      const second = (await member("second", { protocol })).start();
      await clock.advance(2000);
      expect(second.seen).toEqual(["0:2=later"]);
    });

    test("divides among members that come and go, and nothing is read twice or left out", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 6 });
      const wanted: string[] = [];
      const produce = (count: number): void => {
        for (let index = 0; index < count; index++) {
          const partition = cluster.partition("a", index % 6);
          wanted.push(`${index % 6}:${partition.logEndOffset}=v`);
          fill(partition, ["v"]);
        }
      };
      produce(20);
      const one = (await member("one", { protocol })).start();
      await clock.advance(5000);
      const two = (await member("two", { protocol })).start();
      await clock.advance(10_000);
      produce(20);
      const three = (await member("three", { protocol })).start();
      await clock.advance(10_000);
      expect([one, two, three].map(({ partitions }) => partitions.length)).toEqual([2, 2, 2]);
      produce(20);
      await clock.until(one.consumer.close());
      await clock.advance(10_000);
      expect([...two.partitions, ...three.partitions].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      produce(20);
      await clock.advance(3000);
      expect([...one.seen, ...two.seen, ...three.seen].sort()).toEqual(wanted.sort());
    });

    test("partitions that stay are read without a pause while others move", async () => {
      const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 2 });
      const one = (await member("one", { protocol })).start();
      await clock.advance(5000);
      const two = (await member("two", { protocol })).start();
      const [broker] = brokers as [FakeBroker];
      let at = broker.requests.length;
      for (let step = 0; step < 100 && two.partitions.length === 0; step++) {
        const kept = one.partitions;
        const before = broker.requestsOf(fetch).length;
        await clock.advance(600); // a long poll is over after 500
        const asked = broker.requests.slice(at).filter(({ clientId, api }) =>
          clientId === "one" && api === fetch
        );
        expect(broker.requestsOf(fetch).length).toBeGreaterThan(before);
        expect(asked.length).toBeGreaterThan(0);
        expect(kept.length).toBeGreaterThan(0);
        at = broker.requests.length;
      }
      expect([one.partitions.length, two.partitions.length]).toEqual([1, 1]);
      fill(cluster.partition("a", 0), ["x"]);
      await clock.advance(1000);
      expect(one.seen.length + two.seen.length).toBe(1);
    });

    test("gives nothing back before the application is through with it", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 2 });
      fill(cluster.partition("a", 1), ["slow"]); // this one is to move
      const one = await member("one", { protocol });
      const gate = Promise.withResolvers<void>();
      one.gate = gate.promise;
      one.start();
      await clock.advance(2000);
      expect(one.seen).toHaveLength(1);
      const two = (await member("two", { protocol })).start();
      await clock.advance(20_000); // heartbeats go on: it is not taken for dead
      expect(two.partitions).toEqual([]);
      expect(one.events.filter((event) => event.startsWith("lost"))).toEqual([]);
      gate.resolve();
      await clock.advance(10_000);
      expect([one.seen, two.seen]).toEqual([["1:0=slow"], []]);
      expect([one.partitions, two.partitions]).toEqual([[0], [1]]);
    });

    test("does not commit what was handed out and is not done", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
      fill(cluster.partition("a", 0), ["0", "1", "2"]);
      const one = await member("one", { protocol });
      one.mayFinish = false;
      one.start();
      await clock.advance(2000);
      one.consumer.done("a", 0, 2);
      await clock.advance(6000);
      expect(cluster.group("g").offsets.get("a 0")).toBe(2);
      one.consumer.done("a", 0, 99); // never beyond what was handed out
      await clock.until(one.consumer.close());
      expect(cluster.group("g").offsets.get("a 0")).toBe(3);
    });

    test("manual: commits when it is told to, and close does not", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
      fill(cluster.partition("a", 0), ["0"]);
      const one = (await member("one", { protocol, commit: "manual" })).start();
      await clock.advance(20_000);
      expect(cluster.group("g").offsets.size).toBe(0);
      await clock.until(one.consumer.commit());
      expect(cluster.group("g").offsets.get("a 0")).toBe(1);
      fill(cluster.partition("a", 0), ["1"]);
      await clock.advance(1000);
      expect(one.seen).toHaveLength(2);
      await clock.until(one.consumer.close());
      expect(cluster.group("g").offsets.get("a 0")).toBe(1);
    });

    test("manual: what is committed inside onRevoked counts", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 2 });
      for (const partition of [0, 1]) fill(cluster.partition("a", partition), ["x"]);
      const one = await member("one", {
        protocol,
        commit: "manual",
        onRevoked: () => one.consumer.commit(),
      });
      one.start();
      await clock.advance(2000);
      const two = (await member("two", { protocol, commit: "manual" })).start();
      await clock.advance(10_000);
      expect(two.partitions).toHaveLength(1);
      expect([...one.seen, ...two.seen].sort()).toEqual(["0:0=x", "1:0=x"]);
    });

    test("an expelled member loses all, says so, and joins anew", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 2 });
      fill(cluster.partition("a", 0), ["x"]);
      const one = (await member("one", { protocol })).start();
      await clock.advance(8000); // what was read is committed
      cluster.group("g").expel(one.consumer.memberId);
      await clock.advance(5000);
      expect(one.events).toEqual(["assigned 0,1", "lost 0,1", "expelled", "assigned 0,1"]);
      expect(one.seen).toEqual(["0:0=x"]);
    });

    test("a late word about a life that is over commits nothing", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
      fill(cluster.partition("a", 0), ["0", "1", "2"]);
      const one = await member("one", { protocol });
      one.mayFinish = false;
      one.start();
      await clock.advance(1000);
      expect(one.seen).toHaveLength(3);
      cluster.group("g").expel(one.consumer.memberId);
      cluster.group("g").offsets.set("a 0", 1); // somebody else has done this much
      const gate = Promise.withResolvers<void>();
      one.gate = gate.promise;
      await clock.advance(5000);
      expect(one.seen).toHaveLength(5); // 1 and 2 once more
      one.consumer.done("a", 0, 2);
      await clock.advance(6000);
      expect(cluster.group("g").offsets.get("a 0")).toBe(2);
      gate.resolve();
    });

    test("an application that asks for nothing more loses its place until it does", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
      fill(cluster.partition("a", 0), ["x"]);
      const one = await member("one", { protocol, maxProcessingMs: 30_000 });
      const gate = Promise.withResolvers<void>();
      one.gate = gate.promise;
      one.start();
      await clock.advance(29_000);
      expect(one.events).toEqual(["assigned 0"]);
      await clock.advance(5000);
      expect(one.events).toEqual(["assigned 0", "too-slow", "lost 0"]);
      const { classic, consumers } = cluster.group("g");
      expect(classic.size + consumers.size).toBe(0);
      gate.resolve();
      await clock.advance(3000);
      expect(one.events.at(-1)).toBe("assigned 0");
      expect(one.seen).toEqual(["0:0=x", "0:0=x"]); // it was not committed
    });

    test("until end: ends by itself when all that was there is read", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 3 });
      for (const partition of [0, 1]) fill(cluster.partition("a", partition), ["x", "y"]);
      const one = (await member("one", { protocol, until: "end" })).start();
      expect(await clock.until(one.ended)).toBe("ended");
      expect(one.seen.toSorted()).toEqual(["0:0=x", "0:1=y", "1:0=x", "1:1=y"]);
      await clock.until(one.consumer.close());
      expect(cluster.group("g").offsets.get("a 1")).toBe(2);
    });

    test("a place is kept where nothing was read yet: what comes later is not skipped", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
      fill(cluster.partition("a", 0), ["old"]);
      const one = (await member("one", { protocol, from: { kind: "end" } })).start();
      await clock.advance(2000);
      await clock.until(one.consumer.close());
      fill(cluster.partition("a", 0), ["new"]);
      const two = (await member("two", { protocol, from: { kind: "end" } })).start();
      await clock.advance(2000);
      expect(two.seen).toEqual(["0:1=new"]);
    });

    test("its coordinator moves: found again, and nothing is lost", async () => {
      const { cluster, clock, member } = await setUpGroup({ brokers: 2, partitions: 2 });
      const one = (await member("one", { protocol })).start();
      await clock.advance(3000);
      cluster.coordinators.set("g", 2);
      fill(cluster.partition("a", 0), ["x"]);
      await clock.advance(10_000);
      expect(one.events).toEqual(["assigned 0,1"]);
      expect(cluster.group("g").offsets.get("a 0")).toBe(1);
    });

    test("its coordinator moves: heartbeats alone find it", async () => {
      const { cluster, clock, member, brokers } = await setUpGroup({ brokers: 2, partitions: 1 });
      const one = (await member("one", { protocol, commit: "manual" })).start();
      await clock.advance(3000);
      cluster.coordinators.set("g", 2);
      await clock.advance(10_000);
      const api = protocol === "classic" ? heartbeat : consumerGroupHeartbeat;
      expect((brokers[1] as FakeBroker).requestsOf(api).length).toBeGreaterThan(2);
      expect(one.events).toEqual(["assigned 0"]);
    });

    test("broken connections: it stays a member and goes on", async () => {
      const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 2 });
      const one = (await member("one", { protocol })).start();
      const [broker] = brokers as [FakeBroker];
      for (let round = 0; round < 10; round++) {
        await clock.advance(1700);
        broker.drop();
        fill(cluster.partition("a", round % 2), ["x"]);
      }
      await clock.advance(8000);
      expect(one.seen).toHaveLength(10);
      expect(one.events).toEqual(["assigned 0,1"]);
      expect(cluster.group("g").offsets.get("a 0")).toBe(5);
    });

    test("abort ends it at once: nothing is committed, nobody is told", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
      fill(cluster.partition("a", 0), ["x"]);
      const stopping = new AbortController();
      const one = (await member("one", { protocol, signal: stopping.signal })).start();
      await clock.advance(1000);
      stopping.abort();
      expect(await clock.until(one.ended)).toBe("ABORTED");
      await clock.until(one.consumer.close());
      expect(cluster.group("g").offsets.size).toBe(0);
      const { classic, consumers } = cluster.group("g");
      expect(classic.size + consumers.size).toBe(1);
    });

    test("closing the client ends a loop that waits", async () => {
      const { clock, member } = await setUpGroup({ partitions: 1 });
      const one = (await member("one", { protocol })).start();
      await clock.advance(1000);
      await clock.until(one.client.close());
      expect(await clock.until(one.ended)).toBe("ABORTED");
    });

    test("leaving the loop without a word: it is taken out in time", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
      fill(cluster.partition("a", 0), ["x"]);
      const one = await member("one", { protocol, maxProcessingMs: 20_000 });
      await clock.until((async () => {
        for await (const _ of one.consumer.batches()) break;
      })());
      await clock.advance(30_000);
      const { classic, consumers } = cluster.group("g");
      expect(classic.size + consumers.size).toBe(0);
    });

    test("what onRevoked throws ends the consumer, with its words", async () => {
      const { clock, member } = await setUpGroup({ partitions: 2 });
      const one = await member("one", {
        protocol,
        onRevoked: () => Promise.reject(new Error("no")),
      });
      one.start();
      await clock.advance(3000);
      (await member("two", { protocol })).start();
      await clock.advance(10_000);
      expect(await clock.until(one.ended)).toBe("PROTOCOL");
    });

    test("a partition whose committed offset is gone is read from what is there", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
      const partition = cluster.partition("a", 0);
      fill(partition, ["0"]);
      fill(partition, ["1"]);
      cluster.group("g").offsets.set("a 0", 0);
      partition.logStartOffset = 1;
      const one = (await member("one", { protocol })).start();
      await clock.advance(6000);
      expect(one.seen).toEqual(["0:1=1"]);
      expect(cluster.group("g").offsets.get("a 0")).toBe(2);
    });

    test("a topic that is deleted does not end it", async () => {
      const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
      cluster.createTopic("b");
      const one = (await member("one", { protocol, topics: ["a", "b"] })).start();
      await clock.advance(3000);
      cluster.topics.delete("b");
      await clock.advance(60_000);
      fill(cluster.partition("a", 0), ["x"]);
      await clock.advance(3000);
      expect(one.seen).toEqual(["0:0=x"]);
    });
  });
}

describe("GroupConsumer, classic protocol, in particular", () => {
  test("eager assignors: everything is given back and committed before JoinGroup", async () => {
    const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 4 });
    for (let index = 0; index < 4; index++) fill(cluster.partition("a", index), ["x"]);
    const one = (await member("one", { assignors: ["range"] })).start();
    await clock.advance(2000);
    const two = (await member("two", { assignors: ["range"] })).start();
    await clock.advance(3000);
    expect(one.events).toEqual(["assigned 0,1,2,3", "revoked 0,1,2,3", "assigned 0,1"]);
    expect(two.events).toEqual(["assigned 2,3"]);
    expect(two.seen).toEqual([]);
    const [broker] = brokers as [FakeBroker];
    const order = broker.requests.filter(({ clientId, api }) =>
      clientId === "one" && (api === joinGroup || api === offsetCommit)
    ).map(({ api }) => api.name);
    expect(order).toEqual(["JoinGroup", "JoinGroup", "OffsetCommit", "JoinGroup"]);
  });

  test("range: a member gets the partitions whose replicas stand in its rack", async () => {
    const { clock, member, brokers } = await setUpGroup({ brokers: 2, partitions: 2 });
    for (const [index, broker] of brokers.entries()) broker.rack = `rack-${index}`;
    const range = { assignors: ["range"] } as const;
    const one = (await member("one", { ...range, rackId: "rack-1" })).start();
    await clock.advance(2000);
    const two = (await member("two", { ...range, rackId: "rack-0" })).start();
    await clock.advance(5000);
    expect([one.partitions, two.partitions]).toEqual([[1], [0]]);
  });

  test("new partitions of its topic, and a topic that is made later, are noticed", async () => {
    const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
    const one = (await member("one", { topics: ["a", "later"], metadataMaxAgeMs: 10_000 })).start();
    await clock.advance(3000);
    expect(one.events).toEqual(["topic-missing", "assigned 0"]);
    cluster.createTopic("later");
    await clock.advance(3000);
    expect(one.consumer.assignment()).toEqual([
      { topic: "a", partition: 0 },
      { topic: "later", partition: 0 },
    ]);
    const { partitions } = cluster.topics.get("a") as { partitions: unknown[] };
    partitions.push(cluster.createTopic("donor").partitions[0]);
    await clock.advance(15_000);
    expect(one.consumer.assignment()).toHaveLength(3);
  });

  test("a pattern takes the topics whose whole name it matches, also later ones", async () => {
    const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
    cluster.createTopic("ab");
    cluster.createTopic("xab");
    const one = (await member("one", {
      topics: { pattern: "a.?" },
      metadataMaxAgeMs: 10_000,
    })).start();
    await clock.advance(3000);
    const topics = (): string[] => one.consumer.assignment().map(({ topic }) => topic).sort();
    expect(topics()).toEqual(["a", "ab"]);
    cluster.createTopic("ac");
    await clock.advance(15_000);
    expect(topics()).toEqual(["a", "ab", "ac"]);
  });

  test("a static member is not reported as gone, and another one with its name fences it", async () => {
    const { clock, member, brokers, cluster } = await setUpGroup({ partitions: 1 });
    const one = (await member("one", { instanceId: "i" })).start();
    await clock.advance(2000);
    await clock.until(one.consumer.close());
    const [broker] = brokers as [FakeBroker];
    expect(broker.requestsOf(leaveGroup)).toHaveLength(0);
    expect(cluster.group("g").classic.size).toBe(1);
    const two = (await member("two", { instanceId: "i" })).start();
    await clock.advance(2000);
    expect(two.partitions).toEqual([0]);
    (await member("three", { instanceId: "i" })).start();
    await clock.advance(5000);
    expect(await clock.until(two.ended)).toBe("FENCED_INSTANCE_ID");
    const four = (await member("four", { instanceId: "j" })).start();
    await clock.advance(5000);
    await clock.until(four.consumer.close({ leave: true }));
    expect(broker.requestsOf(leaveGroup)).toHaveLength(1);
  });

  test("refusals that will not change end it with their name and advice", async () => {
    const codes = [
      ErrorCode.InconsistentGroupProtocol,
      ErrorCode.InvalidSessionTimeout,
      ErrorCode.GroupMaxSizeReached,
      ErrorCode.InvalidGroupId,
      ErrorCode.GroupAuthorizationFailed,
    ];
    for (const errorCode of codes) {
      const { clock, member, brokers } = await setUpGroup();
      const [broker] = brokers as [FakeBroker];
      const nothing = { protocolName: "", leader: "", memberId: "", members: [] };
      broker.script(joinGroup, answering(joinGroup, { errorCode, ...nothing }));
      const one = (await member("one")).start();
      expect(await clock.until(one.ended)).not.toBe("ended");
      expect(broker.requestsOf(joinGroup)).toHaveLength(1);
    }
  });

  test("a commit from an old generation is refused, thrown, and the member joins anew", async () => {
    const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
    fill(cluster.partition("a", 0), ["x"]);
    const one = (await member("one", { commit: "manual" })).start();
    await clock.advance(1000);
    const [broker] = brokers as [FakeBroker];
    const { topicId } = cluster.topics.get("a") as FakeTopic;
    const partitions = [{ partitionIndex: 0, errorCode: ErrorCode.IllegalGeneration }];
    broker.script(
      offsetCommit,
      answering(offsetCommit, { topics: [{ topicId, partitions }] }),
    );
    expect(await clock.until(codeOf(one.consumer.commit()))).toBe("ILLEGAL_GENERATION");
    await clock.advance(3000);
    expect(one.events).toEqual(["assigned 0", "lost 0", "expelled", "assigned 0"]);
  });

  test("a commit that meets a rebalance is made behind it", async () => {
    const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
    fill(cluster.partition("a", 0), ["x"]);
    const one = (await member("one", { commit: "manual" })).start();
    await clock.advance(1000);
    const [broker] = brokers as [FakeBroker];
    const { topicId } = cluster.topics.get("a") as FakeTopic;
    const partitions = [{ partitionIndex: 0, errorCode: ErrorCode.RebalanceInProgress }];
    broker.script(
      offsetCommit,
      answering(offsetCommit, { topics: [{ topicId, partitions }] }),
    );
    await clock.until(one.consumer.commit());
    expect(cluster.group("g").offsets.get("a 0")).toBe(1);
    expect(one.events).toEqual(["assigned 0"]);
    expect(broker.requestsOf(joinGroup)).toHaveLength(3);
  });

  test("a commit between two generations waits for the next", async () => {
    const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
    fill(cluster.partition("a", 0), ["x"]);
    const one = (await member("one", { commit: "manual" })).start();
    await clock.advance(3000);
    const [broker] = brokers as [FakeBroker];
    const gate = Promise.withResolvers<void>();
    // Of the newcomer: once for an id, once to wait; then the one that is here joins anew.
    broker.script(joinGroup, { kind: "serve" }, { kind: "serve" }, {
      kind: "hold",
      when: gate.promise,
    });
    (await member("two", { commit: "manual" })).start();
    await clock.advance(2000);
    const commit = one.consumer.commit();
    await clock.advance(1000);
    expect(broker.requestsOf(offsetCommit)).toHaveLength(0);
    gate.resolve();
    await clock.until(commit);
    const generations = broker.requestsOf(offsetCommit).map(({ body }) => {
      return body.generationIdOrMemberEpoch;
    });
    expect(generations).toEqual([cluster.group("g").generationId]);
    expect(cluster.group("g").offsets.get("a 0")).toBe(1);
  });

  test("old brokers: works with the versions of Kafka 2.4", async () => {
    const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 2 });
    const [broker] = brokers as [FakeBroker];
    const old: [number, number][] = [[8, 8], [9, 6], [10, 3], [11, 6], [12, 4], [13, 4], [14, 4]];
    for (const [key, high] of old) broker.versions.set(key, [key === 9 || key === 8 ? 2 : 0, high]);
    fill(cluster.partition("a", 0), ["x"]);
    const one = (await member("one")).start();
    await clock.advance(3000);
    expect(one.seen).toEqual(["0:0=x"]);
    await clock.until(one.consumer.close());
    expect(cluster.group("g").offsets.get("a 0")).toBe(1);
    expect(broker.requestsOf(heartbeat)[0]?.version).toBe(4);
  });

  test("options that make no sense are refused", async () => {
    const { member } = await setUpGroup();
    expect(await codeOf(member("one", { groupId: "" }))).toBe("INVALID_REQUEST");
    expect(await codeOf(member("one", { topics: [] }))).toBe("INVALID_REQUEST");
    const senseless = [
      { groupId: "g".repeat(0x8000) },
      { groupId: "ö".repeat(0x4000) },
      { groupId: " \t", protocol: "consumer" },
      { instanceId: "" },
      { instanceId: "." },
      { instanceId: "two words" },
      { instanceId: "i".repeat(250) },
      { rackId: " " },
    ] as const;
    for (const options of senseless) {
      expect(await codeOf(member("one", options))).toBe("INVALID_REQUEST");
    }
    expect(await codeOf(member("one", { groupId: " " }))).toBe("it did not fail");
    const longest = { groupId: "g".repeat(0x7fff), instanceId: "i".repeat(249) };
    expect(await codeOf(member("one", longest))).toBe("it did not fail");
    expect(await codeOf(member("one", { topics: { pattern: "(" } })))
      .toBe("INVALID_REGULAR_EXPRESSION");
  });
});
