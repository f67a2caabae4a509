/** What nodes apply, and the state in their snapshots, are prefixes of the one history. */
import type { Invariant, Verdict } from "./invariant.ts";

export function appliedIsHistory(): Invariant {
  return {
    name: "applied is a prefix of history",
    isObservable: true,
    onApply(node, { entry, payload }, { history }): Verdict {
      const count = history.countAt(entry.nextOffset);
      const where = (): string =>
        `node ${node.id} applies ${entry.baseOffset} of term ${entry.term}`;
      if (entry.baseOffset !== node.state.appliedOffset) {
        return `${where()} on ${node.state.appliedOffset}`;
      }
      if (count === undefined) return `${where()}, which nobody has committed`;
      if (history.batches[count - 1]?.payload !== payload) {
        return `${where()}: another is committed`;
      }
      return history.hashes[count - 1] === node.state.hash
        ? undefined
        : `${where()} on another state`;
    },
    onSnapshot(node, { id, stateHash }, { history }): Verdict {
      const where = `node ${node.id}: snapshot at ${id.offset} of term ${id.term}`;
      const count = history.countAt(id.offset);
      if (count === undefined) return `${where} of what nobody has committed`;
      if (history.batches[count - 1]?.entry.term !== id.term) return `${where}: another term`;
      return history.hashes[count] === stateHash ? undefined : `${where} holds another state`;
    },
    onStart(node, { history }): Verdict {
      const hash = history.hashAt(node.state.appliedOffset);
      return hash === node.state.hash
        ? undefined
        : `node ${node.id} starts at ${node.state.appliedOffset} with a state that is not history`;
    },
  };
}
