/**
 * Groups as clients meet them on the wire. Longer than most: a broker is started for each of many APIs
 * that belong together.
 */
import { describe, expect, test } from "bun:test";
import { consumerGroupDescribe } from "../../src/api/consumer_group_describe.ts";
import { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteGroups } from "../../src/api/delete_groups.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { describeGroups } from "../../src/api/describe_groups.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { findCoordinator } from "../../src/api/find_coordinator.ts";
import { heartbeat } from "../../src/api/heartbeat.ts";
import { joinGroup } from "../../src/api/join_group.ts";
import { leaveGroup } from "../../src/api/leave_group.ts";
import { listGroups } from "../../src/api/list_groups.ts";
import { metadata } from "../../src/api/metadata.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import { offsetDelete } from "../../src/api/offset_delete.ts";
import { offsetFetch } from "../../src/api/offset_fetch.ts";
import { syncGroup } from "../../src/api/sync_group.ts";
import { updateFeatures } from "../../src/api/update_features.ts";
import { textOf } from "../../src/ground/text.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { isInternalTopic, OFFSETS_TOPIC } from "../../src/metadata/topic_name.ts";
import { batchOf, type Fixture, startBroker } from "./broker_fixture.ts";
import {
  becomeMember,
  commit,
  commitBody,
  committed,
  consumerBeat,
  FEW_PARTITIONS,
  findGroup,
  joinBody,
  startWithGroups as start,
} from "./group_requests.ts";
import { createTopic, produceTo } from "./topic_requests.ts";

function topicIdOf({ broker }: Fixture, topic: string): string {
  return broker.metadata?.image.topic(topic)?.topicId ?? "";
}

describe("FindCoordinator", () => {
  test("makes the topic of groups when the first one is asked for, as Kafka has it", async () => {
    const { broker, dial } = await startBroker();
    const connection = await dial();
    expect(broker.metadata?.image.topic(OFFSETS_TOPIC)).toBeUndefined();
    expect(await findGroup(connection, "g")).toBe(ErrorCode.None);
    const topic = broker.metadata?.image.topic(OFFSETS_TOPIC);
    expect(topic?.partitions).toHaveLength(50);
    expect(Object.fromEntries(topic?.config ?? [])).toEqual({
      "cleanup.policy": "compact",
      "compression.type": "producer",
      "segment.bytes": "104857600",
    });
    const { topics } = await connection.ask(metadata, 12, {
      topics: [{ topicId: ZERO_UUID, name: OFFSETS_TOPIC }],
      allowAutoTopicCreation: false,
    });
    expect(topics[0]?.isInternal).toBeTrue();
  });

  test("gives the topic that settings ask for, also where a client names it by chance", async () => {
    const { broker, dial } = await startBroker(FEW_PARTITIONS);
    const connection = await dial();
    const topics = [{ topicId: ZERO_UUID, name: OFFSETS_TOPIC }];
    await connection.ask(metadata, 12, { topics, allowAutoTopicCreation: true });
    const topic = broker.metadata?.image.topic(OFFSETS_TOPIC);
    expect(topic?.partitions).toHaveLength(4);
    expect(topic?.config.get("cleanup.policy")).toBe("compact");
  });

  test("answers in both shapes, for many keys at once", async () => {
    const { dial } = await startBroker(FEW_PARTITIONS);
    const connection = await dial();
    const one = await connection.ask(findCoordinator, 3, { key: "g" });
    expect([one.errorCode, one.nodeId, one.host, one.port]).toEqual([0, 1, "127.0.0.1", 9092]);
    const { coordinators } = await connection.ask(findCoordinator, 4, {
      coordinatorKeys: ["g", "h"],
    });
    expect(coordinators.map(({ key, nodeId, errorCode }) => [key, nodeId, errorCode]))
      .toEqual([["g", 1, 0], ["h", 1, 0]]);
  });

  test("knows no transactions and no share groups, and makes no topic for them", async () => {
    const { broker, dial } = await startBroker(FEW_PARTITIONS);
    const connection = await dial();
    const codeOf = async (keyType: number): Promise<number | undefined> => {
      const body = { keyType, coordinatorKeys: ["k"] };
      return (await connection.ask(findCoordinator, 6, body)).coordinators[0]?.errorCode;
    };
    expect(await codeOf(1)).toBe(ErrorCode.CoordinatorNotAvailable);
    expect(await codeOf(2)).toBe(ErrorCode.InvalidRequest);
    expect(broker.metadata?.image.topic(OFFSETS_TOPIC)).toBeUndefined();
  });
});

describe("OffsetCommit and OffsetFetch", () => {
  test("keep what a consumer without membership commits, over a restart and a crash", async () => {
    const { broker, disk, connection, clock } = await start();
    expect(await commit(connection, "g", "orders", 5)).toBe(ErrorCode.None);
    expect(await committed(connection, "g", "orders")).toBe(5);
    await clock.until(broker.stop());
    const again = await startBroker(FEW_PARTITIONS, disk);
    const second = await again.dial();
    expect(await committed(second, "g", "orders")).toBe(5);
    expect(await commit(second, "g", "orders", 6)).toBe(ErrorCode.None);
    again.broker.halt();
    const third = await (await startBroker(FEW_PARTITIONS, again.disk.crash())).dial();
    expect(await committed(third, "g", "orders")).toBe(6);
  });

  test("answer in all shapes, from the first version to the one with ids", async () => {
    const fixture = await start();
    const { connection } = fixture;
    const topicId = topicIdOf(fixture, "orders") as typeof ZERO_UUID;
    const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: null }];
    const ten = await connection.ask(offsetCommit, 10, {
      groupId: "g",
      topics: [{ topicId, partitions }],
    });
    expect(ten.topics[0]).toEqual({
      name: "",
      topicId,
      partitions: [{ partitionIndex: 0, errorCode: 0 }],
    });
    const byId = await connection.ask(offsetFetch, 10, {
      groups: [{ groupId: "g", topics: [{ topicId, partitionIndexes: [0] }] }],
    });
    expect(byId.groups[0]?.topics[0]?.topicId).toBe(topicId);
    expect(byId.groups[0]?.topics[0]?.partitions[0]?.committedOffset).toBe(7);
    const all = await connection.ask(offsetFetch, 10, { groups: [{ groupId: "g", topics: null }] });
    expect(all.groups[0]?.topics.map((topic) => topic.topicId)).toEqual([topicId]);
    for (const version of [1, 2, 5, 7]) {
      // deno-lint-ignore no-await-in-loop -- one connection
      const { topics, errorCode } = await connection.ask(offsetFetch, version, {
        groupId: "g",
        topics: [{ name: "orders", partitionIndexes: [0] }],
      });
      expect([topics[0]?.partitions[0]?.committedOffset, errorCode]).toEqual([7, 0]);
    }
    const { topics } = await connection.ask(offsetFetch, 7, { groupId: "g", topics: null });
    expect(topics[0]?.name).toBe("orders");
  });

  test("refuse topics and partitions that are not there, each by itself", async () => {
    const { connection } = await start();
    const at = (
      partitionIndex: number,
    ): { partitionIndex: number; committedOffset: number; committedMetadata: null } => {
      return { partitionIndex, committedOffset: 1, committedMetadata: null };
    };
    const { topics } = await connection.ask(offsetCommit, 9, {
      groupId: "g",
      topics: [
        { name: "orders", partitions: [at(0), at(1), at(-1)] },
        { name: "nowhere", partitions: [at(0)] },
      ],
    });
    const { None, UnknownTopicOrPartition, UnknownTopicId } = ErrorCode;
    const codes = topics.map(({ name, partitions }) => [
      name,
      ...partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
    ]);
    expect(codes).toEqual([
      ["orders", [1, UnknownTopicOrPartition], [-1, UnknownTopicOrPartition], [0, None]],
      ["nowhere", [0, UnknownTopicOrPartition]],
    ]);
    const topicId = "00000000-0000-0000-0000-0000000000ff" as typeof ZERO_UUID;
    const unknown = await connection.ask(offsetCommit, 10, {
      groupId: "g",
      topics: [{ topicId, partitions: [at(0)] }],
    });
    expect(unknown.topics[0]?.partitions[0]?.errorCode).toBe(UnknownTopicId);
    const fetched = await connection.ask(offsetFetch, 10, {
      groups: [{ groupId: "g", topics: [{ topicId, partitionIndexes: [0] }] }],
    });
    expect(fetched.groups[0]?.topics[0]?.partitions[0]?.errorCode).toBe(UnknownTopicId);
  });

  test("are not for a broker that does not coordinate the group yet", async () => {
    const { dial } = await startBroker(FEW_PARTITIONS);
    const connection = await dial();
    await createTopic(connection, "orders");
    expect(await commit(connection, "g", "orders", 1)).toBe(ErrorCode.NotCoordinator);
    expect(await committed(connection, "g", "orders")).toBe(-1000 - ErrorCode.NotCoordinator);
    const body = { groupId: "g", topics: [{ name: "orders", partitionIndexes: [0] }] };
    const { topics } = await connection.ask(offsetFetch, 1, body);
    expect(topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.NotCoordinator);
  });

  test("many commits of one connection share the syncs of the disk", async () => {
    const { connection, disk, clock } = await start();
    await commit(connection, "g", "orders", 0);
    const before = disk.calls["sync"] ?? 0;
    for (let at = 1; at <= 100; at++) {
      connection.send(offsetCommit, 9, commitBody("g", "orders", at));
    }
    for (let turn = 0; turn < 20 && connection.answerCount < 100; turn++) await clock.settle();
    expect(connection.answerCount).toBe(100);
    expect((disk.calls["sync"] ?? 0) - before).toBeLessThan(30);
  });

  test("forget the offsets of a topic that is deleted, and of no later one of its name", async () => {
    const { connection, clock } = await start();
    await commit(connection, "g", "orders", 5);
    await createTopic(connection, "other");
    await commit(connection, "g", "other", 6);
    await connection.ask(deleteTopics, 5, { topicNames: ["orders"], timeoutMs: 1000 });
    await createTopic(connection, "orders");
    await clock.advance(100);
    expect(await committed(connection, "g", "orders")).toBe(-1);
    expect(await committed(connection, "g", "other")).toBe(6);
  });
});

describe("a group", () => {
  test("of the classic protocol is joined, synced, left and deleted", async () => {
    const { connection, clock } = await start();
    const { memberId, generationId } = await becomeMember({ connection, clock }, "g");
    const beat = { groupId: "g", memberId, generationId };
    expect((await connection.ask(heartbeat, 4, beat)).errorCode).toBe(ErrorCode.None);
    const { groups } = await connection.ask(describeGroups, 6, { groups: ["g", "nobody"] });
    expect(groups.map(({ groupState, errorCode }) => [groupState, errorCode]))
      .toEqual([["Stable", 0], ["Dead", ErrorCode.GroupIdNotFound]]);
    const [member] = groups[0]?.members ?? [];
    expect([member?.clientId, member?.clientHost]).toEqual(["test", "/client"]);
    // Kept over the request that brought them: its frame has been used again, and poisoned.
    expect(textOf(member?.memberMetadata ?? new Uint8Array(0))).toBe("metadata of g");
    expect(textOf(member?.memberAssignment ?? new Uint8Array(0))).toBe("all of it");
    const old = await connection.ask(leaveGroup, 2, { groupId: "g", memberId: "unknown" });
    expect(old.errorCode).toBe(ErrorCode.UnknownMemberId);
    const left = await connection.ask(leaveGroup, 2, { groupId: "g", memberId });
    expect(left.errorCode).toBe(ErrorCode.None);
    const listed = await connection.ask(listGroups, 5, {});
    expect(listed.groups).toEqual([
      { groupId: "g", protocolType: "consumer", groupState: "Empty", groupType: "classic" },
    ]);
    const { results } = await connection.ask(deleteGroups, 2, { groupsNames: ["g", "g", "h"] });
    expect(results.map(({ groupId, errorCode }) => [groupId, errorCode]))
      .toEqual([["g", 0], ["h", ErrorCode.GroupIdNotFound]]);
  });

  test("is there again after a restart, with its members and their time", async () => {
    const { connection, broker, disk, clock } = await start();
    const { memberId, generationId } = await becomeMember({ connection, clock }, "g");
    await clock.until(broker.stop());
    const again = await startBroker(FEW_PARTITIONS, disk);
    const second = await again.dial();
    await again.clock.advance(9000);
    const beat = await second.ask(heartbeat, 4, { groupId: "g", memberId, generationId });
    expect(beat.errorCode).toBe(ErrorCode.None);
    await again.clock.advance(10_001);
    const { groups } = await second.ask(describeGroups, 6, { groups: ["g"] });
    expect(groups[0]?.groupState).toBe("Empty");
  });

  test("is refused by an id that is none", async () => {
    const { connection } = await start();
    const { InvalidGroupId } = ErrorCode;
    expect((await connection.ask(joinGroup, 9, joinBody(""))).errorCode).toBe(InvalidGroupId);
    const beat = { groupId: "", memberId: "m", generationId: 1 };
    expect((await connection.ask(heartbeat, 4, beat)).errorCode).toBe(InvalidGroupId);
    const left = await connection.ask(leaveGroup, 5, { groupId: "", members: [] });
    expect(left.errorCode).toBe(InvalidGroupId);
    const sync = { ...beat, assignments: [], protocolType: "consumer", protocolName: "range" };
    expect((await connection.ask(syncGroup, 5, sync)).errorCode).toBe(InvalidGroupId);
    const unnamed = { ...sync, groupId: "g", protocolName: null };
    expect((await connection.ask(syncGroup, 5, unnamed)).errorCode)
      .toBe(ErrorCode.InconsistentGroupProtocol);
    const deleted = await connection.ask(offsetDelete, 0, { groupId: "", topics: [] });
    expect(deleted.errorCode).toBe(InvalidGroupId);
    expect(await commit(connection, "", "orders", 1)).toBe(ErrorCode.None); // as in Kafka
  });

  test("of KIP-848 is joined, described and told of new topics", async () => {
    const { connection } = await start();
    const first = await connection.ask(consumerGroupHeartbeat, 1, consumerBeat("k", ["orders"]));
    expect([first.errorCode, first.memberEpoch, first.heartbeatIntervalMs]).toEqual([0, 1, 5000]);
    expect(first.assignment?.topicPartitions[0]?.partitions).toEqual([0]);
    const { groups } = await connection.ask(consumerGroupDescribe, 1, { groupIds: ["k", ""] });
    expect(groups.map(({ groupId, errorCode }) => [groupId, errorCode]))
      .toEqual([["k", 0], ["", ErrorCode.InvalidGroupId]]);
    expect(groups[0]?.members).toHaveLength(1);
  });

  test("of KIP-848 takes patterns, and refuses what is none", async () => {
    const { connection } = await start();
    const body = { ...consumerBeat("k", []), subscribedTopicNames: null };
    connection.send(consumerGroupHeartbeat, 1, { ...body, subscribedTopicRegex: "ord.*" });
    // The engine of patterns is loaded from files, whose time the clock of the test does not tell.
    // deno-lint-ignore no-await-in-loop
    while (connection.answerCount === 0) await settleFiles();
    expect(connection.answer(consumerGroupHeartbeat, 1).errorCode).toBe(ErrorCode.None);
    const second = { ...body, groupId: "other", subscribedTopicRegex: "(a" };
    const refused = await connection.ask(consumerGroupHeartbeat, 1, second);
    expect(refused.errorCode).toBe(ErrorCode.InvalidRegularExpression);
  });

  test("of KIP-848 is not there below the level of the feature", async () => {
    const { connection } = await start();
    const off = { feature: "group.version", maxVersionLevel: 0, upgradeType: 2 };
    await connection.ask(updateFeatures, 1, { timeoutMs: 1000, featureUpdates: [off] });
    const beat = await connection.ask(consumerGroupHeartbeat, 1, consumerBeat("k", ["orders"]));
    expect(beat.errorCode).toBe(ErrorCode.UnsupportedVersion);
    const { groups } = await connection.ask(consumerGroupDescribe, 1, { groupIds: ["k"] });
    expect(groups[0]?.errorCode).toBe(ErrorCode.UnsupportedVersion);
  });

  test("that waits for members is sent away when the broker stops, and holds it up no longer", async () => {
    const { connection, broker, clock } = await start({
      "group.initial.rebalance.delay.ms": "8000",
    });
    const { memberId } = await connection.ask(joinGroup, 9, joinBody("g"));
    connection.send(joinGroup, 9, joinBody("g", memberId));
    await clock.settle();
    const beganMs = clock.monotonicMs();
    await clock.until(broker.stop());
    expect(clock.monotonicMs() - beganMs).toBeLessThan(1000);
    expect(connection.answer(joinGroup, 9).errorCode).toBe(ErrorCode.NotCoordinator);
  });
});

describe("the topic of groups", () => {
  test("is not produced to by clients", async () => {
    const { connection } = await start();
    const produced = await produceTo(connection, OFFSETS_TOPIC, batchOf(["x"]));
    expect(produced.errorCode).toBe(ErrorCode.InvalidTopicException);
    expect(isInternalTopic(OFFSETS_TOPIC)).toBeTrue();
  });

  test("comes again where it was deleted, and its groups begin anew", async () => {
    const { connection } = await start();
    await commit(connection, "g", "orders", 5);
    await connection.ask(deleteTopics, 5, { topicNames: [OFFSETS_TOPIC], timeoutMs: 1000 });
    expect(await commit(connection, "g", "orders", 6)).toBe(ErrorCode.NotCoordinator);
    expect(await findGroup(connection, "g")).toBe(ErrorCode.None);
    expect(await committed(connection, "g", "orders")).toBe(-1);
    expect(await commit(connection, "g", "orders", 7)).toBe(ErrorCode.None);
  });

  test("may be made beforehand, with any number of partitions", async () => {
    const { dial } = await startBroker(FEW_PARTITIONS);
    const connection = await dial();
    await connection.ask(createTopics, 5, {
      topics: [{
        name: OFFSETS_TOPIC,
        numPartitions: 3,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      }],
      timeoutMs: 1000,
    });
    await createTopic(connection, "orders");
    expect(await findGroup(connection, "g")).toBe(ErrorCode.None);
    expect(await commit(connection, "g", "orders", 5)).toBe(ErrorCode.None);
  });
});

/** Lets the runtime see to its files. */
function settleFiles(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
