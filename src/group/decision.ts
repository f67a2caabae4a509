/** What one turn of a shard comes to (design: decide, append, replay, reply). */
import type { GroupRecord } from "../api/coordinator_record/group_record.ts";
import type { Token } from "./turn.ts";

/** Leaves when the high watermark has passed what the group had last written. */
export interface GroupReply {
  readonly token: Token<unknown>;
  readonly groupId: string;
  readonly response: unknown;
}

/**
 * Keeps: the records are appended together or not at all. Where they are not, nothing is replayed and
 *        every reply becomes an error.
 */
export interface Decision {
  readonly records: readonly GroupRecord[];
  readonly replies: readonly GroupReply[];
}
