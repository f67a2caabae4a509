/** What the admin answers about groups. One refused item never hides the others' answers. */
import type { ClientError } from "./client_error.ts";
import type { TopicPartition } from "./group_options.ts";

/** Kafka's: "classic", "consumer", "share", "streams", or "unknown" to a broker that does not tell. */
export type GroupType = "classic" | "consumer" | "share" | "streams" | "unknown";

export interface ListedGroup {
  readonly groupId: string;
  /** "consumer" for consumer groups of both protocols; empty for one that only commits. */
  readonly protocolType: string;
  /** Kafka's: Empty, PreparingRebalance, CompletingRebalance, Stable, Dead, Assigning, Reconciling. */
  readonly state: string;
  readonly type: GroupType;
  /** The broker that told of it. */
  readonly coordinatorId: number;
}

export interface ListedGroups {
  /** In the order of their ids. */
  readonly groups: readonly ListedGroup[];
  /** Brokers that could not be asked: groups may be missing. */
  readonly errors: readonly { readonly brokerId: number; readonly error: ClientError }[];
}

export interface ListGroupsOptions {
  readonly states?: readonly string[];
  readonly types?: readonly GroupType[];
}

export interface TopicAssignment {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface DescribedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rackId: string | null;
  /** Which protocol it speaks; in a group of type "consumer" both may be there. */
  readonly type: "classic" | "consumer" | "unknown";
  /** -1 for classic ones. */
  readonly memberEpoch: number;
  readonly subscribedTopics: readonly string[];
  readonly subscribedPattern: string | null;
  readonly assignment: readonly TopicAssignment[];
  /** What it is on the way to; null for classic groups, which know no such thing. */
  readonly targetAssignment: readonly TopicAssignment[] | null;
}

/** One rebalance. */
export interface GroupHistoryEntry {
  readonly atMs: number;
  /** Or the group epoch. */
  readonly generation: number;
  readonly reason: string;
  readonly memberCount: number;
  /** How long partitions stood still; -1 while it goes on. */
  readonly durationMs: number;
}

export interface DescribedGroup {
  readonly groupId: string;
  /** Where it is there, the rest says nothing. */
  readonly error?: ClientError;
  readonly type: GroupType;
  readonly protocolType: string;
  readonly state: string;
  /** The assignor. */
  readonly assignor: string;
  /** -1 for classic groups, of which it is not told. */
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  readonly coordinatorId: number;
  readonly members: readonly DescribedMember[];
  /** Newest first; empty where it was not asked for, and with brokers that keep none, as Kafka's. */
  readonly history: readonly GroupHistoryEntry[];
}

export interface CommittedOffset extends TopicPartition {
  readonly error?: ClientError;
  /** -1 where nothing is committed. */
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** When it was committed last, and when it last moved on; -1 where that is not told. */
  readonly committedAtMs: number;
  readonly advancedAtMs: number;
}

export interface NewOffset extends TopicPartition {
  readonly offset: number;
  readonly leaderEpoch?: number;
  readonly metadata?: string;
}

export interface PartitionResult extends TopicPartition {
  readonly error?: ClientError;
}

export interface GroupResult {
  readonly groupId: string;
  readonly error?: ClientError;
}

/** By its member id, or a static member by its instance id. */
export interface MemberToRemove {
  readonly memberId?: string;
  readonly groupInstanceId?: string;
}

export interface RemovedMember extends MemberToRemove {
  readonly error?: ClientError;
}

export interface GroupLagOptions {
  /** Whether `lagSeconds` is looked for, which reads a batch of each partition that lags; true. */
  readonly hasSeconds?: boolean;
  /** What counts as stuck; 5 min. */
  readonly stuckMs?: number;
}

export interface PartitionLag extends TopicPartition {
  readonly error?: ClientError;
  /** Null where nothing is committed: who begins there decides where. */
  readonly committed: number | null;
  readonly metadata: string;
  /** First and next offset of the partition; null where it has gone or cannot be asked. */
  readonly start: number | null;
  readonly end: number | null;
  /** end - committed, at least 0; null where one of them is not known. */
  readonly lag: number | null;
  /** Age of the first record that was not read; 0 where all were; null where it is not known. */
  readonly lagSeconds: number | null;
  /** When the committed offset last moved on; -1 where that is not told. */
  readonly advancedAtMs: number;
  /** The committed offset stands still while there is something to read, for `stuckMs`. */
  readonly isStuck: boolean;
  /** Who reads it at this moment. */
  readonly memberId: string | null;
  readonly groupInstanceId: string | null;
  readonly clientId: string | null;
  readonly clientHost: string | null;
}

export interface GroupLag {
  readonly groupId: string;
  readonly error?: ClientError;
  readonly state: string;
  /** By topic and partition: those with a commit and those that a member has. */
  readonly partitions: readonly PartitionLag[];
}
