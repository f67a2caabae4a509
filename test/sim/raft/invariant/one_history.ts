/**
 * State-machine safety (Raft §5.4.3): what one node calls committed, no other contradicts.
 *
 * It also writes the history down: the first commit offset to pass a batch makes it history.
 */
import type { SimNode } from "../sim_node.ts";
import type { Stored } from "../stored_log.ts";
import type { World } from "../world.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function oneHistory(): Invariant {
  /** Per node: life, and how many batches of history it has been held to. */
  const held: { life: number; count: number; commitOffset: number }[] = [];

  function compare(node: SimNode, world: World, from: number): Verdict {
    const { history } = world;
    const fresh: Stored[] = [];
    let count = from;
    for (let at = node.log.indexFrom(startOf(world, from)); at < node.log.entries.length; at++) {
      const own = node.log.entries[at] as Stored;
      if (own.entry.nextOffset > node.commitOffset) break;
      const committed = history.batches[count];
      if (committed === undefined) {
        history.push(own, node.term);
        fresh.push(own);
      } else if (
        committed.payload !== own.payload || committed.entry.baseOffset !== own.entry.baseOffset
      ) {
        return `node ${node.id} commits another batch at ${own.entry.baseOffset} of term ` +
          `${own.entry.term}: history has term ${committed.entry.term}`;
      }
      count++;
    }
    if (history.countAt(node.commitOffset) !== count) {
      return `node ${node.id} commits up to ${node.commitOffset}: no batch ends there, or it is not in its log`;
    }
    if (fresh.length > 0) world.checkCommit(node, fresh);
    return undefined;
  }

  return {
    name: "state machine safety",
    isObservable: true,
    afterStep(node, world): Verdict {
      const mine = held[node.index] ??= { life: 0, count: 0, commitOffset: 0 };
      if (mine.life === node.life && mine.commitOffset === node.commitOffset) return undefined;
      const known = Math.max(node.log.startOffset, mine.life === node.life ? mine.commitOffset : 0);
      const from = world.history.countAt(Math.min(known, node.commitOffset));
      if (from === undefined) {
        return `node ${node.id}: its log starts at ${known}, where no batch ends`;
      }
      mine.life = node.life;
      mine.commitOffset = node.commitOffset;
      return compare(node, world, from);
    },
  };
}

function startOf({ history }: World, count: number): number {
  return history.batches[count - 1]?.entry.nextOffset ?? 0;
}
