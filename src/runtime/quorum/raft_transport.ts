/** How a voter reaches the others; `runtime/peers` implements it. */
import type { Message } from "../../raft/message.ts";
import type { ReplicaKey, Voter } from "../../raft/configuration.ts";
import type { SnapshotId } from "../../raft/entry.ts";

/** A piece of a snapshot file. */
export interface SnapshotChunk {
  readonly bytes: Uint8Array;
  /** Of the whole file. */
  readonly totalBytes: number;
  /** CRC-32C of `bytes`. */
  readonly crc32c: number;
}

export interface RaftTransport {
  /**
   * Sends or drops; Raft repeats what matters. `onLost` may be called where it is known that the
   * message did not leave.
   */
  send(to: Voter, message: Message, onLost?: () => void): void;
  /** Rejects where the peer is out of reach, or has no such snapshot any more. */
  fetchSnapshot(from: Voter, snapshot: SnapshotId, position: number): Promise<SnapshotChunk>;
}

/** Of a quorum of one: there is nobody to talk to. */
export const NO_TRANSPORT: RaftTransport = {
  send: () => undefined,
  fetchSnapshot: () => Promise.reject(new Error("Cannot fetch a snapshot: there are no peers")),
};

export function sameKey(one: ReplicaKey, other: ReplicaKey): boolean {
  return one.id === other.id && one.directoryId === other.directoryId;
}
