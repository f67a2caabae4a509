/**
 * Two logs that have a batch with the same end and term are equal up to there (Raft §5.3).
 *
 * By induction: every batch that any log takes in is held to the first one seen with its offset and
 * term, in content and in the term of the batch before it.
 */
import type { Entry } from "../../../../src/raft/entry.ts";
import type { SimNode } from "../sim_node.ts";
import type { Stored } from "../stored_log.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function logMatching(): Invariant {
  const seen = new Map<number, { readonly stored: Stored; readonly before: number }>();
  return {
    name: "log matching",
    isObservable: true,
    onAppend(node, stored, log): Verdict {
      const { entry, payload } = stored;
      if (entry.baseOffset !== log.endOffset) {
        return `${where(node, entry)}: log ends at ${log.endOffset}`;
      }
      const before = log.lastTerm;
      if (before > entry.term) return `${where(node, entry)}: behind a batch of term ${before}`;
      const key = entry.term * 0x1_0000_0000 + entry.baseOffset;
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, { stored, before });
        return undefined;
      }
      if (first.stored.payload !== payload) return `${where(node, entry)}: two payloads`;
      if (first.stored.entry.nextOffset !== entry.nextOffset) {
        return `${where(node, entry)}: two lengths`;
      }
      return first.before === before
        ? undefined
        : `${where(node, entry)}: behind ${first.before} and ${before}`;
    },
  };
}

function where({ id }: SimNode, { baseOffset, term }: Entry): string {
  return `node ${id}, offset ${baseOffset}, term ${term}`;
}
