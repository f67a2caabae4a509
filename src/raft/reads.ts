/**
 * Linearizable reads by read index (Raft thesis §6.4). There are no leases: a clock may stand still or
 * jump, a process may be stopped between looking at it and answering.
 *
 * A read notes the commit offset when it is asked; the leader then has a majority confirm that it
 * still led *after* that. All reads between two Readys share one round.
 *
 * Before an entry of the own term is committed a leader does not know the commit offset of its
 * predecessor, so such reads wait.
 */
import type { Core } from "./core.ts";
import { isSameReplica } from "./configuration.ts";
import type { Leadership } from "./leadership.ts";
import { nudgeAll } from "./replication.ts";

export function askRead(core: Core, token: number): void {
  const { role } = core;
  if (role.kind !== "leader") {
    core.reads.push({ token, offset: undefined });
    return;
  }
  if (core.isSabotaged("lease-read")) core.reads.push({ token, offset: core.commitOffset });
  else if (isOwnTermCommitted(core, role) || core.isSabotaged("read-before-own-term")) {
    role.freshReads.push({ token, offset: core.commitOffset });
  } else role.earlyReads.push(token);
}

/** The leader knows what is committed once its own first entry is (Raft §8). */
export function isOwnTermCommitted(core: Core, leadership: Leadership): boolean {
  return core.commitOffset >= leadership.leaderChangeEnd;
}

/** The commit offset moved: reads that waited for it begin now. */
export function startEarlyReads(core: Core, leadership: Leadership): void {
  if (leadership.earlyReads.length === 0 || !isOwnTermCommitted(core, leadership)) return;
  for (const token of leadership.earlyReads) {
    leadership.freshReads.push({ token, offset: core.commitOffset });
  }
  leadership.earlyReads = [];
}

/** A Ready is taken: the reads since the last one get a round of their own. */
export function startReadRound(core: Core, leadership: Leadership): void {
  if (leadership.freshReads.length === 0) return;
  leadership.readSequence++;
  for (const { token, offset } of leadership.freshReads) {
    leadership.pendingReads.push({ token, offset, sequence: leadership.readSequence });
  }
  leadership.freshReads = [];
  nudgeAll(leadership);
  answerReads(core, leadership); // a voter alone is its own majority
}

/** Answers what a majority has confirmed. */
export function answerReads(core: Core, leadership: Leadership): void {
  if (leadership.pendingReads.length === 0) return;
  const confirmed = core.quorumValue((voter) =>
    isSameReplica(voter, core.self) ? Infinity : leadership.find(voter)?.readSequence ?? 0
  );
  let answered = 0;
  for (const read of leadership.pendingReads) {
    if (read.sequence > confirmed) break;
    core.reads.push({ token: read.token, offset: read.offset });
    answered++;
  }
  if (answered > 0) leadership.pendingReads.splice(0, answered);
}
