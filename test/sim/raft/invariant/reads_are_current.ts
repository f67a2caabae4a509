/**
 * Reads are linearizable: an answer rests on at least everything that was promised to anybody when the
 * question was asked. The second one is stricter: on everything that was committed anywhere then.
 */
import type { Invariant, Verdict } from "./invariant.ts";

export function readsAreCurrent(): Invariant {
  return {
    name: "reads are linearizable",
    isObservable: true,
    onRead(node, { promisedOffset, answeredOffset }): Verdict {
      return answeredOffset >= promisedOffset
        ? undefined
        : `node ${node.id} answers from ${answeredOffset}; ${promisedOffset} was promised before`;
    },
  };
}

export function readsSeeCommits(): Invariant {
  return {
    name: "read index covers every commit",
    isObservable: false,
    onRead(node, { askedAtEnd, answeredOffset }): Verdict {
      return answeredOffset >= askedAtEnd
        ? undefined
        : `node ${node.id} answers from ${answeredOffset}; ${askedAtEnd} was committed before`;
    },
  };
}
