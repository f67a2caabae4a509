/**
 * What must hold at every moment (Raft fig. 3, and the in-process checks of LogCabin): looked at after
 * every move of a test cluster.
 */
import type { Batch } from "./disk.ts";
import type { Cluster, TestNode } from "./cluster.ts";

export class BrokenInvariant extends Error {}

interface Seen {
  readonly term: number;
  readonly commitOffset: number;
}

export class Witness {
  /** Term -> who led it. */
  readonly #leaders = new Map<number, string>();
  /** Base offset -> what is committed there, once and for all. */
  readonly #committed = new Map<number, string>();
  readonly #seen = new Map<number, Seen>();

  /** A node that starts anew may have forgotten how much was committed. */
  forget(id: number): void {
    this.#seen.delete(id);
  }

  look(cluster: Cluster, node: TestNode): void {
    const status = node.raft.status();
    const { id, directoryId } = node.key;
    if (status.role === "leader") {
      const name = `${id}/${directoryId}`;
      const known = this.#leaders.get(status.term) ?? name;
      demand(known === name, `election safety: term ${status.term} has ${known} and ${name}`);
      this.#leaders.set(status.term, name);
    }
    const seen = this.#seen.get(id);
    demand(seen === undefined || status.term >= seen.term, `term of ${id} never falls`);
    const isFurther = seen === undefined || status.commitOffset >= seen.commitOffset;
    demand(isFurther, `commit offset of ${id} never falls`);
    this.#seen.set(id, { term: status.term, commitOffset: status.commitOffset });
    demand(status.commitOffset <= status.logEndOffset, `commit of ${id} is within its log`);
    for (const batch of node.applied) this.#agree(id, batch);
    this.#lookAtLogs(cluster, node);
  }

  /** State machine safety: what one applied, nobody applies otherwise. */
  #agree(id: number, { entry, line }: Batch): void {
    const known = this.#committed.get(entry.baseOffset) ?? line;
    demand(known === line, `state machine safety: ${id} applied "${line}", others "${known}"`);
    this.#committed.set(entry.baseOffset, line);
  }

  #lookAtLogs(cluster: Cluster, node: TestNode): void {
    const own = node.disk.content.batches;
    for (const other of cluster.nodes.values()) {
      if (other === node || !other.isUp) continue;
      logMatching(node.key.id, own, other);
    }
    // Leader completeness: a leader of the newest term holds all that anybody has applied.
    if (node.raft.status().role !== "leader" || cluster.leader() !== node) return;
    const lines = new Set(own.map((batch) => batch.line));
    const { logStartOffset } = node.raft.status();
    for (const [baseOffset, line] of this.#committed) {
      const isThere = baseOffset < logStartOffset || lines.has(line);
      demand(isThere, `leader completeness: ${node.key.id} lacks "${line}"`);
    }
  }
}

/** From the last entry that two logs have in common down, they are the same. */
function logMatching(id: number, own: readonly Batch[], other: TestNode): void {
  const theirs = new Map(
    other.disk.content.batches.map((batch) => [batch.entry.baseOffset as number, batch]),
  );
  let isCommon = false;
  for (const batch of [...own].reverse()) {
    const counterpart = theirs.get(batch.entry.baseOffset);
    if (counterpart === undefined) continue;
    const isSame = counterpart.entry.term === batch.entry.term;
    if (isSame) isCommon = true;
    const isSound = !isCommon || counterpart.line === batch.line;
    demand(isSound, `log matching: ${id} "${batch.line}", ${other.key.id} "${counterpart.line}"`);
  }
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new BrokenInvariant(what);
}
