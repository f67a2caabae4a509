/** Requests to groups in few words. */
import { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import { findCoordinator } from "../../src/api/find_coordinator.ts";
import { joinGroup } from "../../src/api/join_group.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import { offsetFetch } from "../../src/api/offset_fetch.ts";
import type { RequestInput, ResponseOf } from "../../src/api/schema.ts";
import { syncGroup } from "../../src/api/sync_group.ts";
import { bytesOf } from "../../src/ground/text.ts";
import type { ManualClock } from "../client/manual_clock.ts";
import { type Fixture, type RawConnection, startBroker } from "./broker_fixture.ts";
import { createTopic } from "./topic_requests.ts";

export const FEW_PARTITIONS = { "offsets.topic.num.partitions": "4" };

export interface GroupsFixture extends Fixture {
  readonly connection: RawConnection;
}

/** A broker with a topic "orders" of one partition, and a connection that knows the coordinator. */
export async function startWithGroups(
  settings: Readonly<Record<string, string>> = {},
): Promise<GroupsFixture> {
  const fixture = await startBroker({ ...FEW_PARTITIONS, ...settings });
  const connection = await fixture.dial();
  await createTopic(connection, "orders");
  await findGroup(connection, "g");
  return { ...fixture, connection };
}

/** The error, or 0, of asking who coordinates the group. */
export async function findGroup(connection: RawConnection, groupId: string): Promise<number> {
  const { coordinators } = await connection.ask(findCoordinator, 6, {
    keyType: 0,
    coordinatorKeys: [groupId],
  });
  return coordinators[0]?.errorCode ?? -1;
}

/** Of a consumer that is no member, for partition 0. */
export function commitBody(
  groupId: string,
  topic: string,
  committedOffset: number,
): RequestInput<typeof offsetCommit> {
  const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: "at" }];
  return { groupId, topics: [{ name: topic, partitions }] };
}

/** The error of each partition. */
export async function commit(
  connection: RawConnection,
  groupId: string,
  topic: string,
  committedOffset: number,
): Promise<number> {
  const { topics } = await connection.ask(
    offsetCommit,
    9,
    commitBody(groupId, topic, committedOffset),
  );
  return topics[0]?.partitions[0]?.errorCode ?? -1;
}

/** The committed offset of partition 0, -1 for none; the group's error as a negative number below. */
export async function committed(
  connection: RawConnection,
  groupId: string,
  topic: string,
): Promise<number> {
  const { groups } = await connection.ask(offsetFetch, 9, {
    groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [0] }] }],
  });
  const [group] = groups;
  if (group !== undefined && group.errorCode !== 0) return -1000 - group.errorCode;
  return group?.topics[0]?.partitions[0]?.committedOffset ?? -2;
}

export function joinBody(groupId: string, memberId = ""): RequestInput<typeof joinGroup> {
  return {
    groupId,
    memberId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: bytesOf(`metadata of ${groupId}`) }],
  };
}

/** Becomes the only member: joins as no id is known yet, joins with it, hands in its assignment. */
export async function becomeMember(
  { connection, clock }: { readonly connection: RawConnection; readonly clock: ManualClock },
  groupId: string,
): Promise<ResponseOf<typeof joinGroup>> {
  const { memberId } = await connection.ask(joinGroup, 9, joinBody(groupId));
  connection.send(joinGroup, 9, joinBody(groupId, memberId));
  await clock.advance(0);
  const joined = connection.answer(joinGroup, 9);
  await connection.ask(syncGroup, 5, {
    groupId,
    memberId,
    generationId: joined.generationId,
    protocolType: "consumer",
    protocolName: "range",
    assignments: [{ memberId, assignment: bytesOf("all of it") }],
  });
  return joined;
}

/** A first heartbeat of a member of a group of KIP-848. */
export function consumerBeat(
  groupId: string,
  topics: readonly string[],
): RequestInput<typeof consumerGroupHeartbeat> {
  return {
    groupId,
    memberId: `member of ${groupId}`,
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 10_000,
    subscribedTopicNames: topics,
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: [],
  };
}
