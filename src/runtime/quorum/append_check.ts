/**
 * Whether the batches of an AppendRequest are what it says of them.
 *
 * The machine trusts descriptors, so they are made anew from the bytes; where those do not agree with
 * what the sender said, nothing of the request is taken.
 */
import type { Crc32c } from "../../ground/crc32c.ts";
import type { Entry } from "../../raft/entry.ts";
import type { AppendRequest } from "../../raft/message.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import { MAGIC } from "../../record/format.ts";
import { MetadataCorrupt } from "./not_controller.ts";
import { entryOf, isSameConfiguration, newCursor } from "./quorum_batches.ts";

/** The request with descriptors of its own batches, or why it is refused. */
export function checkAppend(request: AppendRequest, crc32c: Crc32c): AppendRequest | string {
  const entries = entriesIn(request.records, request.prevOffset, crc32c);
  if (typeof entries === "string") return entries;
  if (entries.length !== request.entries.length) {
    return `it holds ${entries.length} batches and says ${request.entries.length}`;
  }
  for (const [index, entry] of entries.entries()) {
    const reason = difference(entry, request.entries[index] as Entry);
    if (reason !== undefined) return `its batch ${index} is not what it says: ${reason}`;
    if (entry.term > request.term) return `its batch ${index} is of a later term than its sender`;
  }
  return { ...request, entries };
}

/** Descriptors of batches that lie one behind the other from `baseOffset` on, or what is wrong. */
export function entriesIn(
  records: Uint8Array,
  baseOffset: number,
  crc32c: Crc32c,
): Entry[] | string {
  const entries: Entry[] = [];
  const cursor = newCursor();
  const walk = new BatchWalk(records);
  let next = baseOffset;
  while (walk.next()) {
    const { batch } = walk;
    if (batch.magic() !== MAGIC || batch.crc() !== batch.computedCrc(crc32c)) {
      return `the batch at offset ${next} is damaged`;
    }
    if (batch.baseOffset() !== next || batch.nextOffset() <= next) {
      return `a hole at offset ${next}`;
    }
    const term = batch.partitionLeaderEpoch();
    if (term < (entries.at(-1)?.term ?? 0)) return `the term goes back at offset ${next}`;
    try {
      entries.push(entryOf(batch, cursor));
    } catch (error) {
      if (error instanceof MetadataCorrupt) return error.message;
      throw error;
    }
    next = batch.nextOffset();
  }
  return walk.ending() === "clean" ? entries : "its last batch is cut short";
}

function difference(found: Entry, said: Entry): string | undefined {
  if (found.baseOffset !== said.baseOffset) return "base offset";
  if (found.nextOffset !== said.nextOffset) return "end";
  if (found.term !== said.term) return "term";
  if (found.isLeaderChange !== said.isLeaderChange) return "kind";
  return isSameConfiguration(found.configuration, said.configuration) ? undefined : "configuration";
}
