/**
 * What every group tells its shard, whatever its protocol.
 *
 * The questions of the protocols themselves (join, sync, heartbeat, …) are not here: they are methods
 * of the classes, `classic/classic_group.ts` and `consumer/consumer_group.ts`.
 */
import type { ErrorCode } from "../api/error_code.ts";
import type { Ms } from "../ground/numbers.ts";
import type { History } from "./history.ts";
import type { Turn } from "./turn.ts";

export type GroupKind = "classic" | "consumer";

/** Who commits, as the group has to know it. */
export interface Commit {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** The generation of a classic group, the member's epoch of a consumer group; -1 = none. */
  readonly generationIdOrMemberEpoch: number;
  readonly apiVersion: number;
  readonly isTransactional: boolean;
}

/**
 * From when the retention of a committed offset counts (kafka: OffsetExpirationConditionImpl).
 *
 *   never    no offset of the group expires now
 *   commit   from its commit
 *   a time   from then: the group is empty since
 */
export type ExpiryBase = "never" | "commit" | Ms;

export interface Group {
  readonly groupId: string;
  readonly kind: GroupKind;
  /** "" = none. */
  readonly protocolType: string;
  readonly history: History;
  readonly memberCount: number;
  /** Kafka's `isEmpty`: in state Empty. */
  readonly isEmpty: boolean;
  /**
   * Whether nothing would be lost with the group: nothing of it was ever replayed, and nobody is a
   * member, or waits to be one. The shard forgets such a group.
   */
  readonly isForgettable: boolean;
  /** When `wake` has something to do; asked after every turn and replay, so it must cost little. */
  readonly wakeAt: Ms | undefined;
  /** Kafka's name of the state: "Empty", "Stable", "PreparingRebalance", "Reconciling", … */
  state(): string;
  wake(turn: Turn): void;
  /** The log was replayed to its end: every member has a whole session from now. */
  loaded(turn: Turn): void;
  /** Whether committed offsets of the topic are in use by members now. */
  isSubscribedTo(topic: string): boolean;
  /** Why a commit is refused; where it is not, the session of a classic member is renewed. */
  refuseCommit(commit: Commit, turn: Turn): ErrorCode | undefined;
  refuseFetch(memberId: string | null, memberEpoch: number): ErrorCode | undefined;
  refuseDelete(): ErrorCode | undefined;
  refuseOffsetDelete(): ErrorCode | undefined;
  /** Records that remove all that is durable of the group but its offsets. */
  writeTombstones(turn: Turn): void;
  expiryBase(): ExpiryBase;
  /**
   * What of the group is durable, in a form that two equal groups give alike: the state after running
   * live is compared with the state after a replay. Undefined where nothing of it is durable.
   */
  dump(): unknown;
}
