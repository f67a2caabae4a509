/**
 * What a leader counts for a follower is on that follower's disk, and is the leader's (Raft fig. 2:
 * matchIndex): looked at with every answer it takes in. A follower of a newer term is free to have
 * cut it off meanwhile; a disk that was exchanged counts for the replica it was.
 */
import type { SimDisk } from "../sim_disk.ts";
import type { SimNode } from "../sim_node.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function acknowledgedIsHeld(): Invariant {
  return {
    name: "acknowledged is held",
    isObservable: false,
    afterInput(node, input, world): Verdict {
      if (input.kind !== "message" || input.message.kind !== "AppendReply") return undefined;
      const { from, isAccepted } = input.message;
      const follower = world.nodes[from.id - 1];
      const matchOffset = isAccepted ? node.raft?.matchOffsetOf(from) : undefined;
      if (follower === undefined || matchOffset === undefined) return undefined;
      const disk = follower.diskOf(from.directoryId);
      if (disk === undefined || disk.hardState.term > node.term) return undefined;
      return holds(node, disk, matchOffset)
        ? undefined
        : `node ${node.id} of term ${node.term} counts node ${from.id} up to ${matchOffset}: ` +
          `its disk has ${disk.log.startOffset}..${disk.log.endOffset}`;
    },
  };
}

/** By log matching it is enough to look at where the last batch ends. */
function holds(leader: SimNode, disk: SimDisk, matchOffset: number): boolean {
  const { log } = disk;
  if (matchOffset <= Math.max(log.startOffset, disk.newestSnapshot()?.id.offset ?? 0)) return true;
  const term = leader.log.termAtEnd(matchOffset);
  // What the leader has dropped from its own log was committed, and is looked at elsewhere.
  if (matchOffset < leader.log.startOffset) return true;
  return term !== undefined && log.termAtEnd(matchOffset) === term;
}
