/**
 * What the two ways of being a member have in common: a machine that is told what happened and the time,
 * and says what to do next.
 *
 *     next(now) ─► { ask } ───────► answered(now, …) or failed(now)
 *               ─► { revoke } ────► revoked(now, serial)     what was done is committed by then
 *               ─► { lose, assign, notice, fail }
 *
 * `next` is called again and again until it has nothing to say; then at `wakeAtMs`, and after every
 * call of anything else. Times are of the monotonic clock. Nothing here waits, draws or reads a clock, so
 * that the same machine runs in a simulated world.
 *
 * Keeps: `owned` is what may be read. A partition leaves it by `revoke`, when the driver says that it
 * was given up, or at once by `lose`, when it is somebody else's already; nothing is committed then.
 */
import type { consumerGroupHeartbeat } from "../../api/consumer_group_heartbeat.ts";
import type { heartbeat } from "../../api/heartbeat.ts";
import type { joinGroup } from "../../api/join_group.ts";
import type { leaveGroup } from "../../api/leave_group.ts";
import type { Api, RequestInput, ResponseOf } from "../../api/schema.ts";
import type { syncGroup } from "../../api/sync_group.ts";
import type { Uuid } from "../../ground/uuid.ts";
import type { GroupNotice, TopicPartition } from "../group_options.ts";
import type { PartitionCounts } from "./assignor/assignor.ts";
import type { PartitionRacks } from "./assignor/racks.ts";

/** A request by name, so that the machine names no codec. */
type AskOf<K extends string, A extends Api> = {
  readonly kind: "ask";
  readonly what: K;
  readonly body: RequestInput<A>;
  /** Answers to questions of an earlier life are not listened to. */
  readonly life: number;
  /** Beyond the usual time of a request. */
  readonly extraMs: number;
};

export type MembershipAsk =
  | AskOf<"join", typeof joinGroup>
  | AskOf<"sync", typeof syncGroup>
  | AskOf<"heartbeat", typeof heartbeat>
  | AskOf<"consumer-heartbeat", typeof consumerGroupHeartbeat>;

export type MembershipAnswer =
  & { readonly life: number }
  & (
    | { readonly what: "join"; readonly response: ResponseOf<typeof joinGroup> }
    | { readonly what: "sync"; readonly response: ResponseOf<typeof syncGroup> }
    | { readonly what: "heartbeat"; readonly response: ResponseOf<typeof heartbeat> }
    | {
      readonly what: "consumer-heartbeat";
      readonly response: ResponseOf<typeof consumerGroupHeartbeat>;
    }
  );

/** The last words, which have no answer that anybody needs. */
export type LeaveRequest =
  | { readonly what: "leave"; readonly body: RequestInput<typeof leaveGroup> }
  | {
    readonly what: "consumer-heartbeat";
    readonly body: RequestInput<typeof consumerGroupHeartbeat>;
  };

export type MembershipAction =
  | MembershipAsk
  /** Stop handing these out, let the application finish, commit, then call `revoked`. */
  | {
    readonly kind: "revoke";
    readonly partitions: readonly TopicPartition[];
    readonly serial: number;
  }
  | { readonly kind: "lose"; readonly partitions: readonly TopicPartition[] }
  | { readonly kind: "assign"; readonly partitions: readonly TopicPartition[] }
  /** Look these topics up and call `looked`: this member divides them among all. */
  | { readonly kind: "count"; readonly topics: readonly string[]; readonly life: number }
  /**
   * Look up how many partitions these topics have, and how many of them the group's members were given,
   * and call `compared`: this member looks after a division that it has not made.
   */
  | { readonly kind: "compare"; readonly topics: readonly string[]; readonly of: DivisionName }
  /** Look up which topics have these ids and call `named`. */
  | { readonly kind: "name"; readonly topicIds: readonly Uuid[] }
  | { readonly kind: "notice"; readonly notice: GroupNotice }
  /** It is over. */
  | {
    readonly kind: "fail";
    readonly errorCode: number;
    /** The coordinator's own words. */
    readonly detail: string | null;
    readonly hint?: string;
  };

/** What was looked up for a leader that is to divide. */
export interface CountAnswer {
  readonly life: number;
  readonly counts: PartitionCounts;
  readonly racks: PartitionRacks;
}

/** Which division is meant: of which generation, and of which life of the member. */
export interface DivisionName {
  readonly life: number;
  readonly generationId: number;
}

/** Answers "compare". */
export interface Comparison {
  readonly of: DivisionName;
  readonly there: PartitionCounts;
  readonly given: PartitionCounts;
}

/** As what a commit is made. */
export interface MemberIdentity {
  readonly memberId: string;
  readonly generationIdOrMemberEpoch: number;
  readonly groupInstanceId: string | null;
}

/** What a refused commit is followed by. */
export type CommitVerdict =
  /** Try again when there is an identity again; what is not owned any more falls away. */
  | "retry"
  /** It is not to be. */
  | "refused";

export interface Membership {
  readonly memberId: string;
  readonly owned: readonly TopicPartition[];
  /** Whether an assignment has come and was carried out: what is owned is all there is, for now. */
  readonly isSettled: boolean;
  /** Undefined while nothing can be committed: it is not a member, or on its way from one generation to the next. */
  readonly identity: MemberIdentity | undefined;
  readonly wakeAtMs: number;
  /** When the last question was asked to which the coordinator said that it is a member. */
  readonly confirmedAtMs: number;
  /** Topics of which it wants to know when their partitions change. */
  readonly watchedTopics: readonly string[];

  next(now: number): MembershipAction | undefined;
  answered(now: number, answer: MembershipAnswer): void;
  /** The question got lost, or its answer. */
  failed(now: number, ask: MembershipAsk): void;
  revoked(now: number, serial: number): void;
  /** These topics are what it reads: the list itself, or what the pattern matches by now. */
  subscribe(now: number, topics: readonly string[]): void;
  /**
   * What the watched topics have by now, with 0 for a topic that is not there.
   */
  counted(now: number, counts: PartitionCounts): void;
  /** Answers "count". */
  looked(now: number, answer: CountAnswer): void;
  /** Answers "compare". */
  compared(now: number, comparison: Comparison): void;
  /** Answers "name". */
  named(now: number, names: ReadonlyMap<Uuid, string>): void;
  /** A commit made as `identity` was refused with this error code. */
  commitRefused(now: number, errorCode: number, identity: MemberIdentity): CommitVerdict;
  /** Everything is lost, and it does not join before `rejoin`. What to tell the coordinator, if anything. */
  leave(isForGood: boolean): LeaveRequest | undefined;
  rejoin(now: number): void;
}

export interface MembershipOptions {
  readonly groupId: string;
  readonly groupInstanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  /** How long to wait before another try, by the number of failures in a row (from 1). */
  backoffMs(attempt: number): number;
}
