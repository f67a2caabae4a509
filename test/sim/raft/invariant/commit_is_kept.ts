/**
 * No log is ever cut below what is committed (D11): not by a leader's word, nor by a snapshot.
 *
 * A leader of a term before the one in which a batch was committed may still have it cut off, on a
 * replica that has not heard of the later term and whose copy was not counted.
 */
import type { Invariant, Verdict } from "./invariant.ts";

export function commitIsKept(): Invariant {
  return {
    name: "no truncation below commit",
    isObservable: true,
    onTruncate(node, endOffset, { history }): Verdict {
      if (endOffset < node.commitOffset) {
        return `node ${node.id} cuts its log to ${endOffset}, below its commit offset ${node.commitOffset}`;
      }
      const cut = node.log.at(endOffset);
      const count = history.countAt(endOffset);
      const committed = count === undefined ? undefined : history.batches[count];
      if (cut === undefined || committed === undefined || count === undefined) return undefined;
      if (node.term < (history.committedInTerm[count] ?? 0)) return undefined;
      return cut.payload === committed.payload
        ? `node ${node.id} cuts the committed batch at ${endOffset}`
        : undefined;
    },
    onSnapshot(node, { id }): Verdict {
      return id.offset >= node.state.appliedOffset || node.log.endOffset > id.offset
        ? undefined
        : `node ${node.id} goes back to a snapshot at ${id.offset}`;
    },
  };
}
