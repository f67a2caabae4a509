/** Requests about groups with what a case does not care for filled in, and members made in one go. */
import { consumerGroupHeartbeat } from "../../../src/api/consumer_group_heartbeat.ts";
import { describeGroups } from "../../../src/api/describe_groups.ts";
import { heartbeat } from "../../../src/api/heartbeat.ts";
import { joinGroup } from "../../../src/api/join_group.ts";
import { leaveGroup } from "../../../src/api/leave_group.ts";
import { offsetCommit } from "../../../src/api/offset_commit.ts";
import { offsetFetch } from "../../../src/api/offset_fetch.ts";
import type { RequestInput, ResponseOf } from "../../../src/api/schema.ts";
import { syncGroup } from "../../../src/api/sync_group.ts";
import { bytesOf } from "../../../src/ground/text.ts";
import { Writer } from "../../../src/ground/writer.ts";
import type { Sent, Talk } from "./talk.ts";

export type Protocol = readonly [name: string, metadata: Uint8Array];

/** Version 0 of a consumer's subscription, written here so that it is not the code under test. */
export function subscription(...topics: readonly string[]): Uint8Array {
  const writer = new Writer();
  writer.int16(0);
  writer.int32(topics.length);
  for (const topic of topics) {
    const name = bytesOf(topic);
    writer.int16(name.length);
    writer.raw(name);
  }
  writer.int32(-1);
  return writer.finish();
}

export const RANGE: Protocol = ["range", subscription("t")];
export const ROUND_ROBIN: Protocol = ["roundrobin", subscription("t")];

export interface JoinWords {
  readonly group?: string;
  readonly version?: number;
  readonly member?: string;
  readonly instance?: string | null;
  readonly session?: number;
  readonly rebalance?: number;
  readonly type?: string;
  readonly protocols?: readonly Protocol[];
  readonly via?: string;
}

function joinBody(talk: Talk, words: JoinWords): RequestInput<typeof joinGroup> {
  return {
    groupId: words.group ?? talk.group,
    sessionTimeoutMs: words.session ?? 30_000,
    rebalanceTimeoutMs: words.rebalance ?? 30_000,
    memberId: words.member ?? "",
    groupInstanceId: words.instance ?? null,
    protocolType: words.type ?? "consumer",
    protocols: (words.protocols ?? [RANGE]).map(([name, metadata]) => ({ name, metadata })),
    reason: null,
  };
}

/** Does not bother a version with fields that it lacks and that are not at their default. */
export function join(talk: Talk, words: JoinWords = {}): Promise<ResponseOf<typeof joinGroup>> {
  return talk.ask(joinGroup, words.version ?? 9, joinBody(talk, words), words.via);
}

/** A join that may have to wait for others. */
export function sendJoin(talk: Talk, words: JoinWords = {}): Promise<Sent<typeof joinGroup>> {
  return talk.send(joinGroup, words.version ?? 9, joinBody(talk, words), words.via);
}

export interface SyncWords {
  readonly group?: string;
  readonly version?: number;
  readonly member: string;
  readonly generation: number;
  readonly instance?: string | null;
  readonly type?: string | null;
  readonly protocol?: string | null;
  readonly assignments?: readonly (readonly [member: string, assignment: string])[];
  readonly via?: string;
}

function syncBody(talk: Talk, words: SyncWords): RequestInput<typeof syncGroup> {
  return {
    groupId: words.group ?? talk.group,
    generationId: words.generation,
    memberId: words.member,
    groupInstanceId: words.instance ?? null,
    protocolType: words.type === undefined ? "consumer" : words.type,
    protocolName: words.protocol === undefined ? "range" : words.protocol,
    assignments: (words.assignments ?? []).map(([memberId, assignment]) => ({
      memberId,
      assignment: bytesOf(assignment),
    })),
  };
}

export function sync(talk: Talk, words: SyncWords): Promise<ResponseOf<typeof syncGroup>> {
  return talk.ask(syncGroup, words.version ?? 5, syncBody(talk, words), words.via);
}

export function sendSync(talk: Talk, words: SyncWords): Promise<Sent<typeof syncGroup>> {
  return talk.send(syncGroup, words.version ?? 5, syncBody(talk, words), words.via);
}

/** Where a member of a classic group stands. */
export interface Member {
  readonly member: string;
  readonly generation: number;
}

/** Joins with both rounds, as a member that is alone in its group. */
export async function joined(talk: Talk, words: JoinWords = {}): Promise<Member> {
  const first = await join(talk, words);
  const { memberId, generationId } = first.errorCode === 0
    ? first
    : await join(talk, { ...words, member: first.memberId });
  return { member: memberId, generation: generationId };
}

/** Joins and hands in an assignment for itself: the group is stable. */
export async function stable(talk: Talk, words: JoinWords = {}): Promise<Member> {
  const member = await joined(talk, words);
  await sync(talk, {
    ...member,
    ...(words.group === undefined ? {} : { group: words.group }),
    ...(words.instance === undefined ? {} : { instance: words.instance }),
    type: words.type ?? "consumer",
    protocol: (words.protocols ?? [RANGE])[0]?.[0] ?? "range",
    assignments: [[member.member, "mine"]],
  });
  return member;
}

export interface Pair {
  /** The leader, over the connection "first". */
  readonly leader: Member;
  /** Over the connection "second". */
  readonly follower: Member;
}

/** Two members in generation 2, neither of which has synced. */
export async function pair(talk: Talk, words: JoinWords = {}): Promise<Pair> {
  const leader = await stable(talk, words);
  const { memberId } = await join(talk, { ...words, via: "second" });
  const second = await sendJoin(talk, { ...words, member: memberId, via: "second" });
  const again = await join(talk, { ...words, member: leader.member });
  const { generationId } = await second.take();
  return {
    leader: { member: leader.member, generation: again.generationId },
    follower: { member: memberId, generation: generationId },
  };
}

/** Two members that are stable in generation 2. */
export async function stablePair(talk: Talk, words: JoinWords = {}): Promise<Pair> {
  const both = await pair(talk, words);
  const { leader, follower } = both;
  const assignments = [[leader.member, "a"], [follower.member, "b"]] as const;
  await sync(talk, { ...leader, assignments });
  await sync(talk, { ...follower, via: "second" });
  return both;
}

export interface BeatWords {
  readonly group?: string;
  readonly version?: number;
  readonly member: string;
  readonly generation: number;
  readonly instance?: string | null;
  readonly via?: string;
}

export function beat(talk: Talk, words: BeatWords): Promise<ResponseOf<typeof heartbeat>> {
  return talk.ask(heartbeat, words.version ?? 4, {
    groupId: words.group ?? talk.group,
    generationId: words.generation,
    memberId: words.member,
    groupInstanceId: words.instance ?? null,
  }, words.via);
}

/** Members by id, and by instance where there is one. */
export function leave(
  talk: Talk,
  members: readonly (readonly [member: string, instance?: string])[],
  words: { readonly group?: string; readonly version?: number } = {},
): Promise<ResponseOf<typeof leaveGroup>> {
  const version = words.version ?? 5;
  return talk.ask(leaveGroup, version, {
    groupId: words.group ?? talk.group,
    ...(version < 3 ? { memberId: members[0]?.[0] ?? "" } : {
      members: members.map(([memberId, groupInstanceId]) => ({
        memberId,
        groupInstanceId: groupInstanceId ?? null,
      })),
    }),
  });
}

export interface CommitWords {
  readonly group?: string;
  readonly version?: number;
  readonly member?: string;
  /** A generation, or the epoch of a member. */
  readonly generation?: number;
  readonly instance?: string | null;
  readonly topic?: string;
  readonly partitions?: readonly number[];
  readonly offset?: number;
  readonly metadata?: string | null;
  readonly via?: string;
}

export function commit(
  talk: Talk,
  words: CommitWords = {},
): Promise<ResponseOf<typeof offsetCommit>> {
  const version = words.version ?? 9;
  const topic = words.topic ?? "t";
  return talk.ask(offsetCommit, version, {
    groupId: words.group ?? talk.group,
    generationIdOrMemberEpoch: words.generation ?? -1,
    memberId: words.member ?? "",
    groupInstanceId: words.instance ?? null,
    topics: [{
      name: topic,
      ...(version < 10 ? {} : { topicId: talk.topicId(topic) }),
      partitions: (words.partitions ?? [0]).map((partitionIndex) => ({
        partitionIndex,
        committedOffset: words.offset ?? 5,
        committedMetadata: words.metadata === undefined ? "m" : words.metadata,
      })),
    }],
  }, words.via);
}

export interface FetchWords {
  readonly group?: string;
  readonly version?: number;
  readonly member?: string | null;
  readonly epoch?: number;
  /** Null = all. */
  readonly topics?: readonly (readonly [topic: string, ...partitions: readonly number[]])[] | null;
  readonly isStable?: boolean;
}

export function fetchOffsets(
  talk: Talk,
  words: FetchWords = {},
): Promise<ResponseOf<typeof offsetFetch>> {
  const version = words.version ?? 9;
  const groupId = words.group ?? talk.group;
  const asked = words.topics === undefined ? [["t", 0, 1] as const] : words.topics;
  const topics = asked?.map(([name, ...partitionIndexes]) => ({
    name,
    ...(version < 10 ? {} : { topicId: talk.topicId(name) }),
    partitionIndexes,
  })) ?? null;
  const requireStable = words.isStable ?? false;
  if (version < 8) return talk.ask(offsetFetch, version, { groupId, topics, requireStable });
  return talk.ask(offsetFetch, version, {
    groups: [{ groupId, memberId: words.member ?? null, memberEpoch: words.epoch ?? -1, topics }],
    requireStable,
  });
}

export function describe(
  talk: Talk,
  version = 6,
  groups: readonly string[] = [talk.group],
): Promise<ResponseOf<typeof describeGroups>> {
  return talk.ask(describeGroups, version, { groups });
}

type HeartbeatRequest = RequestInput<typeof consumerGroupHeartbeat>;

export interface ConsumerWords extends Partial<HeartbeatRequest> {
  readonly version?: number;
  readonly via?: string;
}

/** What a member says when it joins; a case changes what it is about. */
export function consumerBeat(
  talk: Talk,
  { version = 1, via, ...words }: ConsumerWords = {},
): Promise<ResponseOf<typeof consumerGroupHeartbeat>> {
  const isJoin = (words.memberEpoch ?? 0) === 0;
  const joins = { rebalanceTimeoutMs: 30_000, subscribedTopicNames: ["t"], topicPartitions: [] };
  return talk.ask(consumerGroupHeartbeat, version, {
    groupId: talk.group,
    memberId: "m1",
    memberEpoch: 0,
    ...(isJoin ? joins : {}),
    ...words,
  }, via);
}
