/**
 * How the machine is made: its settings and what it finds on the disk.
 */
import type { Configuration, ReplicaKey } from "./configuration.ts";
import type { Entry, SnapshotId } from "./entry.ts";
import type { HardState } from "./ready.ts";
import type { Sabotage } from "./sabotage.ts";

export interface RaftOptions {
  /** A follower that heard no leader for this long to twice as long asks for votes. */
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Entries in one AppendRequest; a single larger entry still goes. */
  readonly appendBytesMax: number;
  /** AppendRequests with entries on their way to one follower. */
  readonly inflightMax: number;
  /** A leader whose disk needs longer than this hands over; default: five election timeouts. */
  readonly diskStallMs?: number;
  /** Bugs that tests plant; never set in production. */
  readonly sabotage?: ReadonlySet<Sabotage>;
}

/** The part of `Prng` that is needed. */
export interface Chance {
  /** low … high, both included. */
  between(low: number, high: number): number;
}

export interface RaftStart {
  readonly self: ReplicaKey;
  /** In force until the log or a snapshot holds one. */
  readonly bootstrap: Configuration;
  readonly hardState: HardState;
  readonly snapshot?: SnapshotId & { readonly configuration: Configuration };
  /** All after the snapshot, in order; a log that does not fit the snapshot was dropped before. */
  readonly entries: readonly Entry[];
  readonly options: RaftOptions;
  /**
   * It begins as the leader that it was (see `resumption.ts`). Only of a replica that votes alone, led
   * in the term of `hardState`, and whose log was closed with everything in it durable.
   */
  readonly resumes?: boolean;
  readonly random: Chance;
  readonly now: number;
}
