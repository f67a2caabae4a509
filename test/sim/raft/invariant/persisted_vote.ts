/**
 * Term and vote in memory are the last ones handed to the disk, and what is on the disk belongs to the
 * past of that: the machine keeps no promise to itself (Raft fig. 2).
 */
import type { Invariant, Verdict } from "./invariant.ts";

export function persistedVote(): Invariant {
  return {
    name: "persisted vote",
    isObservable: false,
    afterStep(node): Verdict {
      const handed = node.handedHardState;
      if (node.term !== handed.term) {
        return `node ${node.id}: term ${node.term} in memory, ${handed.term} handed to the disk`;
      }
      const votedFor = node.votedFor?.id;
      if (votedFor !== handed.votedFor?.id) {
        return `node ${node.id}: vote ${votedFor} in memory, ${handed.votedFor?.id} handed over`;
      }
      if (node.disk.pendingCount > 0) return undefined;
      const { hardState } = node.disk;
      return hardState.term === handed.term && hardState.votedFor?.id === handed.votedFor?.id
        ? undefined
        : `node ${node.id}: the disk is quiet and holds another vote`;
    },
  };
}
