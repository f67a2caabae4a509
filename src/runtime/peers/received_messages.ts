/** A Raft message as it came over a connection, made whole: from whom, to whom, and what is in it. */
import type { RaftMessage } from "../../api/own/raft_messages.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { ReplicaKey } from "../../raft/configuration.ts";
import type { Message } from "../../raft/message.ts";
import { type BatchRefusal, entriesOf } from "./received_batches.ts";

export interface Route {
  /** Who said Hello on the connection. */
  readonly from: ReplicaKey;
  readonly to: ReplicaKey;
}

export function receivedMessage(
  message: RaftMessage,
  { from, to }: Route,
  crc32c: Crc32c,
): Message | BatchRefusal {
  if (message.kind !== "AppendRequest") return { ...message, from, to };
  const entries = entriesOf(message.records, message, crc32c);
  return "reason" in entries ? entries : { ...message, from, to, entries };
}
