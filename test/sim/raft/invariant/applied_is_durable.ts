/** A node applies only what is on its own disk: a state never runs ahead of the log it is made of. */
import type { Invariant, Verdict } from "./invariant.ts";

export function appliedIsDurable(): Invariant {
  return {
    name: "applied is durable here",
    isObservable: false,
    onApply(node, stored): Verdict {
      return node.holdsDurably(node.key, stored)
        ? undefined
        : `node ${node.id} applies ${stored.entry.baseOffset}, which its disk does not hold`;
    },
  };
}
