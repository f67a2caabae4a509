/**
 * Two logs that have a batch with the same end and term are equal up to there (Raft §5.3).
 *
 * By induction: every batch that any log takes in is held to the first one seen with its offset and
 * term, in content and in the term of the batch before it.
 */
import type { Stored } from "../stored_log.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function logMatching(): Invariant {
  const seen = new Map<number, { readonly stored: Stored; readonly before: number }>();
  return {
    name: "log matching",
    isObservable: true,
    onAppend(node, stored, log): Verdict {
      const { entry, payload } = stored;
      const where = `node ${node.id}, offset ${entry.baseOffset}, term ${entry.term}`;
      if (entry.baseOffset !== log.endOffset) return `${where}: log ends at ${log.endOffset}`;
      const before = log.lastTerm;
      if (before > entry.term) return `${where}: behind a batch of term ${before}`;
      const key = entry.term * 0x1_0000_0000 + entry.baseOffset;
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, { stored, before });
        return undefined;
      }
      if (first.stored.payload !== payload) return `${where}: two payloads`;
      if (first.stored.entry.nextOffset !== entry.nextOffset) return `${where}: two lengths`;
      return first.before === before ? undefined : `${where}: behind ${first.before} and ${before}`;
    },
  };
}
