/**
 * The bytes of batches on their way. The machine never looks at them, so that here the batches
 * themselves travel in their place: no bytes are made, and a batch that was changed would be seen.
 */
import type { Entry } from "../../../src/raft/entry.ts";
import type { RecordsPiece } from "../../../src/raft/ready.ts";
import type { Stored, StoredLog } from "./stored_log.ts";

/** Of entries from the log; undefined where it does not hold them any more. */
export function bytesOf(
  log: StoredLog,
  from: number,
  entries: readonly Entry[],
): Uint8Array | undefined {
  const first = log.indexFrom(from);
  for (let index = 0; index < entries.length; index++) {
    const stored = log.entries[first + index];
    const entry = entries[index] as Entry;
    if (stored?.entry.baseOffset !== entry.baseOffset || stored.entry.term !== entry.term) {
      return undefined;
    }
  }
  return log.entries.slice(first, first + entries.length) as readonly unknown[] as
    & Uint8Array
    & readonly unknown[];
}

/** The payload of an entry among the pieces that came with it. */
export function payloadIn(pieces: readonly RecordsPiece[], entry: Entry): number | undefined {
  for (const { from, upTo, records } of pieces) {
    if (entry.baseOffset < from || entry.baseOffset >= upTo) continue;
    for (const sent of records as Uint8Array & readonly unknown[] as readonly unknown[]) {
      const { entry: own, payload } = sent as Stored;
      if (own.baseOffset === entry.baseOffset) return payload;
    }
  }
  return undefined;
}
