/**
 * What the machine wants done. The driver takes a `Ready`, does it, and steps the machine with what
 * came of it. The order within one Ready:
 *
 * 1. `sendNow` may leave at once.
 * 2. `persist`: hard state first, then `resetTo` or `truncateTo`, then the entries, then one sync.
 *    Persists are done in the order of their numbers; `persisted` with a number stands for all
 *    before it too. The next Ready may be taken while one is under way.
 * 3. `sendWhenDurable` leaves when this Ready's persist is durable, or, where it has none, when all
 *    earlier ones are.
 * 4. `apply` any time: what it names is committed and durable here.
 *
 * Deviations from the contract: `Persist.records` is a list of pieces (see `RecordsPiece`), because
 * several requests may arrive before a Ready is taken and an entry of one may replace an entry of
 * another; an `Outgoing` AppendRequest has `range` in place of `records`.
 */
import type { Offset } from "../ground/numbers.ts";
import type { Configuration, ReplicaKey } from "./configuration.ts";
import type { Entry, SnapshotId } from "./entry.ts";
import type { AppendRequest, Message } from "./message.ts";

/** What a replica may never forget (Raft fig. 2). */
export interface HardState {
  readonly term: number;
  readonly votedFor?: ReplicaKey;
}

/** Bytes from a leader: the batches with a base offset in `from` … `upTo` (exclusive) are wanted. */
export interface RecordsPiece {
  readonly from: Offset;
  readonly upTo: Offset;
  /** May hold further batches on both sides of the range. */
  readonly records: Uint8Array;
}

export interface Persist {
  /** From 1, without gaps. */
  readonly number: number;
  readonly hardState?: HardState | undefined;
  /** The log is cut back to this end before `entries` are appended. */
  readonly truncateTo?: Offset | undefined;
  /** In order and without gaps; of a leader, the payload is the proposer's or the driver's. */
  readonly entries: readonly Entry[];
  /** On a follower: the bytes of `entries`. */
  readonly records?: readonly RecordsPiece[] | undefined;
  /**
   * The installed snapshot replaces the whole log, which begins anew, empty, at its offset; the state
   * is loaded from it now. Only here: an installed snapshot without `resetTo` is not loaded.
   */
  readonly resetTo?: SnapshotId | undefined;
}

/** An AppendRequest that leaves: the driver reads the bytes of `range` from the log. */
export interface OutgoingAppend extends Omit<AppendRequest, "records"> {
  /** Absent in a heartbeat. */
  readonly range?: { readonly from: Offset; readonly upTo: Offset } | undefined;
}

export type Outgoing = Exclude<Message, AppendRequest> | OutgoingAppend;

/** prospective: asks whether it would be voted for (KIP-996). */
export type Role = "follower" | "prospective" | "candidate" | "leader";

export interface SoftState {
  readonly role: Role;
  readonly term: number;
  readonly leader?: ReplicaKey;
  /** Leads, its own leader-change entry is applied, and it is not handing over. */
  readonly isReadyToDecide: boolean;
}

export interface ReadAnswer {
  readonly token: number;
  /** The state applied up to here is recent enough; undefined: refused, not the leader any more. */
  readonly offset: Offset | undefined;
}

export interface SnapshotToFetch {
  readonly from: ReplicaKey;
  readonly snapshot: SnapshotId;
  readonly configuration: Configuration;
}

export interface Ready {
  readonly persist: Persist | undefined;
  readonly sendNow: readonly Outgoing[];
  readonly sendWhenDurable: readonly Outgoing[];
  /** Follows the range before without a gap, save behind a `resetTo`, whose offset it begins at. */
  readonly apply: { readonly from: Offset; readonly upTo: Offset } | undefined;
  /** Replaces any fetch under way. */
  readonly fetchSnapshot: SnapshotToFetch | undefined;
  readonly reads: readonly ReadAnswer[];
  /** When it changed. */
  readonly softState: SoftState | undefined;
  /** The machine wants a tick then. */
  readonly wakeAt: number;
}
