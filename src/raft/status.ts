/**
 * What a replica knows of itself and, as leader, of the others: for DescribeQuorum, metrics, tests.
 */
import type { Offset } from "../ground/numbers.ts";
import type { Configuration, ReplicaKey, Voter } from "./configuration.ts";
import type { Role } from "./ready.ts";

export interface ReplicaStatus {
  readonly key: Voter;
  /** Up to here its log is known to be the leader's, durably. */
  readonly matchOffset: Offset;
  /** When it was last heard; of the leader itself: now. Same clock as `now` of `step`. */
  readonly lastContactMs: number;
  /** When it last had all the leader had. */
  readonly lastCaughtUpMs: number;
  readonly isVoter: boolean;
  readonly state: "self" | "probe" | "replicate" | "snapshot";
}

/** Why a message was dropped without any effect. */
export type IgnoreReason =
  /** Its `to` is another node, or this node with another directory. */
  | "not-for-me"
  /** Its `from` has this node's id. */
  | "from-own-id"
  | "impossible-term"
  /** Entries with holes, of falling terms, or of a term later than the message's. */
  | "unsound-entries"
  /** An offer of a snapshot of nothing, or of a term later than the message's. */
  | "unsound-snapshot"
  /** An answer to something of a former term, or a vote in one. */
  | "old-term"
  /** An answer to something this role has not asked. */
  | "not-asked"
  /** An acknowledgement up to where no batch of the leader ends. */
  | "unknown-position"
  /** It is in no set of the configuration. */
  | "not-a-member"
  /** A candidate, while the leader is heard (Raft §6). */
  | "leader-is-heard"
  /** A second leader of one term: somebody has voted twice. */
  | "second-leader";

export type ChangePhase = "learner" | "catch-up" | "joint" | "final" | "giving-up";

export interface ChangeStatus {
  readonly phase: ChangePhase;
  readonly rounds: number;
  /** The voters that it leads to. */
  readonly target: readonly Voter[];
}

export interface RaftStatus {
  readonly self: ReplicaKey;
  readonly role: Role;
  readonly term: number;
  readonly leader: ReplicaKey | undefined;
  readonly votedFor: ReplicaKey | undefined;
  readonly isReadyToDecide: boolean;
  /** Whether this replica has a vote in the configuration in force. */
  readonly isVoter: boolean;
  readonly logStartOffset: Offset;
  readonly logEndOffset: Offset;
  readonly durableOffset: Offset;
  readonly commitOffset: Offset;
  readonly appliedOffset: Offset;
  readonly configuration: Configuration;
  readonly isConfigurationCommitted: boolean;
  /** On the leader: how far the change of voters is. */
  readonly change: ChangeStatus | undefined;
  /** On the leader: to whom it is handing over. */
  readonly transferTo: ReplicaKey | undefined;
  /** How many messages were dropped, by reason. */
  readonly ignored: ReadonlyMap<IgnoreReason, number>;
  /** On the leader: all replicas of the configuration, itself included; elsewhere empty. */
  readonly replicas: readonly ReplicaStatus[];
}
