import { describe, expect, test } from "bun:test";
import { consumerGroupDescribe } from "../../src/api/consumer_group_describe.ts";
import { deleteGroups } from "../../src/api/delete_groups.ts";
import { describeGroups } from "../../src/api/describe_groups.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { findCoordinator } from "../../src/api/find_coordinator.ts";
import { listGroups } from "../../src/api/list_groups.ts";
import { offsetFetch } from "../../src/api/offset_fetch.ts";
import type { Client } from "../../src/client/client.ts";
import { uuidFromEntropy } from "../../src/ground/uuid.ts";
import { answering, type FakeBroker } from "./fake_broker.ts";
import { endTransaction, fill } from "./filling.ts";
import { type GroupSetup, setUpGroup } from "./grouping.ts";
import { codeOf } from "./harness.ts";

interface Setup extends GroupSetup {
  readonly client: Client;
}

/** Groups "g1" and "g2" on two brokers. */
async function setUp(
  partitions = 2,
  versions: ReadonlyMap<number, readonly [number, number]> = new Map(),
): Promise<Setup> {
  const setup = await setUpGroup({ brokers: 2, partitions });
  for (const broker of setup.brokers) {
    for (const [key, range] of versions) broker.versions.set(key, range);
  }
  setup.cluster.coordinators.set("g2", 2);
  const client = await setup.connect({ requestTimeoutMs: 3000 });
  return { ...setup, client };
}

describe("GroupAdmin", () => {
  test("listGroups() asks every broker, and tells which could not be asked", async () => {
    const { client, clock, cluster, brokers } = await setUp();
    cluster.group("g2");
    cluster.group("g1");
    const { groups } = await clock.until(client.admin.groups.listGroups());
    expect(groups.map(({ groupId, coordinatorId }) => [groupId, coordinatorId]))
      .toEqual([["g1", 1], ["g2", 2]]);
    const second = brokers[1] as FakeBroker;
    second.script(
      listGroups,
      answering(listGroups, { errorCode: ErrorCode.ClusterAuthorizationFailed, groups: [] }),
    );
    const partly = await clock.until(client.admin.groups.listGroups());
    expect(partly.groups.map(({ groupId }) => groupId)).toEqual(["g1"]);
    expect(partly.errors.map(({ brokerId, error }) => [brokerId, error.code]))
      .toEqual([[2, "CLUSTER_AUTHORIZATION_FAILED"]]);
  });

  test("listGroups() filters also where the broker cannot", async () => {
    const { client, clock, cluster } = await setUp(1, new Map([[listGroups.key, [0, 3]]]));
    cluster.group("g1");
    const states = await clock.until(client.admin.groups.listGroups({ states: ["stable"] }));
    expect(states.groups).toHaveLength(1); // of which it tells nothing
    const again = await setUp();
    again.cluster.group("g1");
    const { groups } = again.client.admin;
    expect((await again.clock.until(groups.listGroups({ states: ["stable"] }))).groups).toEqual([]);
    expect((await again.clock.until(groups.listGroups({ states: ["empty"] }))).groups)
      .toHaveLength(1);
  });

  test("describeGroups() asks each coordinator, in the order asked for", async () => {
    const { client, clock, cluster, member } = await setUp();
    cluster.group("g2");
    const one = (await member("one", { groupId: "g1" })).start();
    await clock.advance(2000);
    const groups = await clock.until(
      client.admin.groups.describeGroups(["g2", "nosuch", "g1"]),
    );
    expect(groups.map(({ groupId, error }) => [groupId, error?.code])).toEqual([
      ["g2", undefined],
      ["nosuch", "GROUP_ID_NOT_FOUND"],
      ["g1", undefined],
    ]);
    expect(groups[2]?.members[0]?.assignment).toEqual([{ topic: "a", partitions: [0, 1] }]);
    expect(groups[0]?.coordinatorId).toBe(2);
    await clock.until(one.consumer.close());
  });

  test("describeGroups() takes the answer of the protocol that the group speaks", async () => {
    const { client, clock, brokers } = await setUp();
    const [broker] = brokers as [FakeBroker];
    const topicPartitions = [{
      topicId: uuidFromEntropy(new Uint8Array(16)),
      topicName: "a",
      partitions: [1],
    }];
    broker.script(
      consumerGroupDescribe,
      answering(consumerGroupDescribe, {
        groups: [{
          errorCode: 0,
          groupId: "g1",
          groupState: "Reconciling",
          groupEpoch: 5,
          assignmentEpoch: 4,
          assignorName: "uniform",
          members: [{
            memberId: "m",
            memberEpoch: 3,
            clientId: "c",
            clientHost: "/h",
            subscribedTopicNames: ["a"],
            assignment: { topicPartitions },
            targetAssignment: { topicPartitions: [] },
            memberType: 1,
          }],
          history: [{ atMs: 7, generation: 5, reason: "join", memberCount: 1, durationMs: 20 }],
        }],
      }),
    );
    const [group] = await clock.until(
      client.admin.groups.describeGroups(["g1"], { hasHistory: true }),
    );
    expect(group?.type).toBe("consumer");
    expect(group?.state).toBe("Reconciling");
    expect(group?.members[0]?.type).toBe("consumer");
    expect(group?.members[0]?.assignment).toEqual([{ topic: "a", partitions: [1] }]);
    expect(group?.members[0]?.targetAssignment).toEqual([]);
    expect(group?.history[0]?.reason).toBe("join");
    expect(broker.requestsOf(describeGroups)[0]?.body.includeHistory).toBeTrue();
  });

  test("a group that moves is asked about anew, one that loads is waited for", async () => {
    const { client, clock, cluster, brokers } = await setUp();
    cluster.group("g1").offsets.set("a 0", 3);
    const [broker] = brokers as [FakeBroker];
    for (const errorCode of [ErrorCode.NotCoordinator, ErrorCode.CoordinatorLoadInProgress]) {
      broker.script(
        offsetFetch,
        answering(offsetFetch, { groups: [{ groupId: "g1", topics: [], errorCode }] }),
      );
    }
    const offsets = await clock.until(client.admin.groups.groupOffsets("g1"));
    expect(offsets.map(({ partition, offset }) => [partition, offset])).toEqual([[0, 3]]);
    expect(broker.requestsOf(findCoordinator).length).toBeGreaterThan(2);
  });

  test("a coordinator that stays away is an error in time", async () => {
    const { client, clock, brokers } = await setUp();
    await clock.until(client.admin.listTopics());
    await (brokers[1] as FakeBroker).stop();
    const before = clock.monotonicMs();
    expect(await clock.until(codeOf(client.admin.groups.groupOffsets("g2")))).toBe("UNREACHABLE");
    expect(clock.monotonicMs() - before).toBeLessThan(10_000);
    const results = await clock.until(client.admin.groups.deleteGroups(["g2", "g1"]));
    expect(results.map(({ error }) => error?.code)).toEqual(["UNREACHABLE", "GROUP_ID_NOT_FOUND"]);
  });

  test("deleteGroups() is not asked again where the answer was lost", async () => {
    const { client, clock, cluster, brokers } = await setUp();
    cluster.group("g1");
    const [broker] = brokers as [FakeBroker];
    broker.script(deleteGroups, { kind: "close", isServed: true });
    const [result] = await clock.until(client.admin.groups.deleteGroups(["g1"]));
    expect(result?.error?.code).toBe("UNREACHABLE");
    expect(broker.requestsOf(deleteGroups)).toHaveLength(1);
  });

  test("alterGroupOffsets() commits for a group without members, and is refused where it has some", async () => {
    const { client, clock, cluster, member } = await setUp();
    const { groups } = client.admin;
    const offsets = [{ topic: "a", partition: 1, offset: 5 }, {
      topic: "a",
      partition: 0,
      offset: 4,
    }];
    const set = await clock.until(groups.alterGroupOffsets("g1", offsets));
    expect(set).toEqual([{ topic: "a", partition: 1 }, { topic: "a", partition: 0 }]);
    expect(cluster.group("g1").offsets.get("a 1")).toBe(5);
    await clock.until(groups.deleteGroupOffsets("g1", [{ topic: "a", partition: 1 }]));
    expect([...cluster.group("g1").offsets.keys()]).toEqual(["a 0"]);
    const one = (await member("one", { groupId: "g1" })).start();
    await clock.advance(2000);
    const refused = await clock.until(groups.alterGroupOffsets("g1", offsets));
    expect(refused.map(({ error }) => error?.code))
      .toEqual(["UNKNOWN_MEMBER_ID", "UNKNOWN_MEMBER_ID"]);
    const removed = await clock.until(groups.removeMembers("g1", null));
    expect(removed.map(({ error }) => error)).toEqual([undefined]);
    expect(cluster.group("g1").classic.size).toBe(0);
    await clock.advance(5000);
    expect(one.events).toContain("expelled");
    const [nobody] = await clock.until(groups.removeMembers("g1", [{ memberId: "x" }]));
    expect(nobody?.error?.code).toBe("UNKNOWN_MEMBER_ID");
  });

  test("works with brokers that take one group at a time", async () => {
    const old = new Map<number, [number, number]>([
      [findCoordinator.key, [0, 3]],
      [offsetFetch.key, [1, 7]],
    ]);
    const { client, clock, cluster } = await setUp(1, old);
    cluster.group("g2").offsets.set("a 0", 3);
    const offsets = await clock.until(client.admin.groups.groupOffsets("g2"));
    expect(offsets.map(({ offset }) => offset)).toEqual([3]);
  });
});

describe("GroupAdmin.groupLag()", () => {
  test("in records and seconds: also without members, and 0 at the end", async () => {
    const { client, clock, cluster } = await setUp(3);
    fill(cluster.partition("a", 0), ["x", "y", "z"]); // their time is 1 ms after 1970
    fill(cluster.partition("a", 1), ["x"]);
    cluster.group("g1").offsets.set("a 0", 1).set("a 1", 1);
    const lag = await clock.until(client.admin.groups.groupLag("g1"));
    const age = (clock.wallMs() - 1) / 1000;
    expect(lag.error).toBeUndefined();
    expect(
      lag.partitions.map(({ partition, committed, start, end, lag, lagSeconds }) => {
        return { partition, committed, start, end, lag, lagSeconds: Math.round(lagSeconds ?? -1) };
      }),
    ).toEqual([
      { partition: 0, committed: 1, start: 0, end: 3, lag: 2, lagSeconds: Math.round(age) },
      { partition: 1, committed: 1, start: 0, end: 1, lag: 0, lagSeconds: 0 },
    ]);
  });

  test("partitions that a member has without a commit are there, with its name", async () => {
    const { client, clock, cluster, member } = await setUp(2);
    cluster.group("g1").offsets.set("a 0", 0);
    const one = (await member("one", { groupId: "g1", commit: "manual" })).start();
    await clock.advance(2000);
    const { partitions } = await clock.until(client.admin.groups.groupLag("g1"));
    expect(partitions.map(({ committed, lag, lagSeconds }) => [committed, lag, lagSeconds]))
      .toEqual([[0, 0, 0], [null, null, null]]);
    expect(partitions[1]?.memberId).toBe(one.consumer.memberId);
  });

  test("what retention has taken counts as records, not as time", async () => {
    const { client, clock, cluster } = await setUp(1);
    const partition = cluster.partition("a", 0);
    fill(partition, ["gone"]);
    fill(partition, ["there"]);
    partition.logStartOffset = 1;
    cluster.group("g1").offsets.set("a 0", 0);
    const { partitions } = await clock.until(client.admin.groups.groupLag("g1"));
    expect(partitions[0]?.lag).toBe(2);
    expect(partitions[0]?.lagSeconds ?? 0).toBeGreaterThan(1);
  });

  test("control batches are nothing to wait for", async () => {
    const { client, clock, cluster } = await setUp(1);
    const partition = cluster.partition("a", 0);
    fill(partition, ["x"], { producerId: 1, isTransactional: true });
    endTransaction(partition, 1, 1);
    cluster.group("g1").offsets.set("a 0", 1);
    const { partitions } = await clock.until(client.admin.groups.groupLag("g1"));
    expect([partitions[0]?.lag, partitions[0]?.lagSeconds]).toEqual([1, 0]);
  });

  test("stuck: it stands still for long, with old records to read", async () => {
    const { client, clock, cluster, brokers } = await setUp(1);
    fill(cluster.partition("a", 0), ["x"]);
    const [broker] = brokers as [FakeBroker];
    const answer = (advancedAtMs: number, committedOffset: number): void => {
      const progress = { committedAtMs: clock.wallMs(), advancedAtMs };
      const partitions = [{
        partitionIndex: 0,
        committedOffset,
        metadata: "",
        errorCode: 0,
        progress,
      }];
      broker.script(
        offsetFetch,
        answering(offsetFetch, {
          groups: [{ groupId: "g1", topics: [{ name: "a", partitions }] }],
        }),
      );
    };
    const isStuck = async (advancedMsAgo: number, committed: number): Promise<boolean> => {
      cluster.group("g1");
      answer(advancedMsAgo < 0 ? -1 : clock.wallMs() - advancedMsAgo, committed);
      const lag = await clock.until(client.admin.groups.groupLag("g1", { stuckMs: 60_000 }));
      return lag.partitions[0]?.isStuck === true;
    };
    expect(await isStuck(70_000, 0)).toBeTrue();
    expect(await isStuck(50_000, 0)).toBeFalse();
    expect(await isStuck(70_000, 1)).toBeFalse(); // at the end
    expect(await isStuck(-1, 0)).toBeFalse(); // a broker that does not tell
    expect(broker.requestsOf(offsetFetch)[0]?.body.includeProgress).toBeTrue();
  });

  test("a topic that is gone is an error of its partitions, a group that is not there one of all", async () => {
    const { client, clock, cluster } = await setUp(1);
    cluster.group("g1").offsets.set("a 0", 0).set("nosuch 0", 0);
    const { partitions } = await clock.until(client.admin.groups.groupLag("g1"));
    expect(partitions.map(({ topic, error }) => [topic, error?.code])).toEqual([
      ["a", undefined],
      ["nosuch", "UNKNOWN_TOPIC_OR_PARTITION"],
    ]);
    const nobody = await clock.until(client.admin.groups.groupLag("nosuch"));
    expect(nobody.error?.code).toBe("GROUP_ID_NOT_FOUND");
  });
});
