/**
 * What the machine is told: everything that is neither a proposal, a read nor a change of voters.
 */
import type { Offset } from "../ground/numbers.ts";
import type { Configuration, ReplicaKey } from "./configuration.ts";
import type { SnapshotId } from "./entry.ts";
import type { Message } from "./message.ts";

export type Input =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "tick" }
  /** The persist with this number, and all before it, are durable. */
  | { readonly kind: "persisted"; readonly number: number }
  /** The state holds everything below. */
  | { readonly kind: "applied"; readonly offset: Offset }
  /** A fetched snapshot stands complete, checked and durable under its name. */
  | {
    readonly kind: "snapshot-installed";
    readonly snapshot: SnapshotId;
    readonly configuration: Configuration;
  }
  /** It could not be fetched; the next offer tries again. */
  | { readonly kind: "snapshot-failed"; readonly snapshot: SnapshotId }
  /**
   * A snapshot of the own state is durable: the log below it will not be asked for by this machine
   * any more. Of two snapshots kept, tell the older one: followers that lag a little are then
   * served from the log.
   */
  | { readonly kind: "snapshot-taken"; readonly snapshot: SnapshotId }
  /** A message to this replica was lost. */
  | { readonly kind: "unreachable"; readonly to: ReplicaKey };
