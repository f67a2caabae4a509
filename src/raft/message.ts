/**
 * What replicas say to each other.
 *
 * Deviations from the paper: offsets in place of indexes (see `entry.ts`); a heartbeat is an
 * AppendRequest without entries; `hint` finds the place of divergence in few steps; InstallSnapshot is
 * an offer, and the follower fetches the bytes itself, in pieces, outside the machine.
 *
 * `term` is the sender's, with one exception: a PreVoteRequest carries the term its sender would
 * campaign in, and a PreVoteReply that grants repeats it. Nobody adopts such a term.
 */
import type { Offset } from "../ground/numbers.ts";
import type { Configuration, ReplicaKey } from "./configuration.ts";
import type { Entry, SnapshotId } from "./entry.ts";

interface Addressed {
  readonly from: ReplicaKey;
  readonly to: ReplicaKey;
  readonly term: number;
}

/** "Would you vote for me?": asked before a term is spent (Raft thesis §9.6, KIP-996). */
export interface PreVoteRequest extends Addressed {
  readonly kind: "PreVoteRequest";
  readonly lastTerm: number;
  /** The end of the candidate's log. */
  readonly lastOffset: Offset;
}

export interface PreVoteReply extends Addressed {
  readonly kind: "PreVoteReply";
  readonly isGranted: boolean;
}

export interface VoteRequest extends Addressed {
  readonly kind: "VoteRequest";
  readonly lastTerm: number;
  readonly lastOffset: Offset;
  /** The leader itself asked for this election, so nobody defends the leader (thesis §3.10). */
  readonly isTransfer: boolean;
}

export interface VoteReply extends Addressed {
  readonly kind: "VoteReply";
  readonly isGranted: boolean;
}

export interface AppendRequest extends Addressed {
  readonly kind: "AppendRequest";
  /** Where `entries` begin, and the term of the batch that ends there. */
  readonly prevOffset: Offset;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  /** The batches of `entries`, one after the other; empty in a heartbeat. */
  readonly records: Uint8Array;
  readonly commitOffset: Offset;
  /** Repeated in the reply: confirms that the sender led when it was sent (thesis §6.4). */
  readonly readSequence: number;
}

export interface AppendReply extends Addressed {
  readonly kind: "AppendReply";
  readonly isAccepted: boolean;
  /** Up to here the follower's log is the leader's, durably; 0 in a refusal. */
  readonly matchOffset: Offset;
  /** In a refusal: the last place where the logs may still agree, with its term. */
  readonly hint?: { readonly term: number; readonly offset: Offset };
  readonly readSequence: number;
}

/** "What you need next I no longer have as a log: fetch this snapshot from me." */
export interface SnapshotOffer extends Addressed {
  readonly kind: "SnapshotOffer";
  readonly snapshot: SnapshotId;
  /** The configuration in force at the end of the snapshot. */
  readonly configuration: Configuration;
  readonly readSequence: number;
}

/** "Campaign at once": the leader hands over (thesis §3.10). */
export interface TimeoutNow extends Addressed {
  readonly kind: "TimeoutNow";
}

export type Message =
  | PreVoteRequest
  | PreVoteReply
  | VoteRequest
  | VoteReply
  | AppendRequest
  | AppendReply
  | SnapshotOffer
  | TimeoutNow;
