/**
 * Handing leadership over (Raft thesis §3.10): the leader takes no more proposals, brings one follower
 * up to its own end, and tells it to campaign at once.
 *
 * If that does not succeed within an election timeout, the leader goes on leading.
 */
import { findReplica, type ReplicaKey } from "./configuration.ts";
import type { Core } from "./core.ts";
import type { Leadership } from "./leadership.ts";
import type { Progress } from "./progress.ts";

export type TransferRefusal = "not-leader" | "not-a-voter" | "nobody-to-transfer-to";

export function startTransfer(core: Core, to: ReplicaKey | undefined): "started" | TransferRefusal {
  const { role } = core;
  if (role.kind !== "leader") return "not-leader";
  const progress = to === undefined ? bestSuccessor(core, role) : role.find(to);
  if (progress === undefined) return to === undefined ? "nobody-to-transfer-to" : "not-a-voter";
  if (findReplica(core.log.configuration.voters, progress.key) === undefined) return "not-a-voter";
  role.transfer = {
    to: progress.address,
    untilMs: core.now + core.options.electionTimeoutMs,
    isSent: false,
  };
  progress.isNudged = true;
  continueTransfer(core, role);
  return "started";
}

/** Sends the word once the follower has everything; gives up when it takes too long. */
export function continueTransfer(core: Core, leadership: Leadership): void {
  const { transfer } = leadership;
  if (transfer === undefined) return;
  const progress = leadership.find(transfer.to);
  if (progress === undefined || core.now >= transfer.untilMs) {
    leadership.transfer = undefined;
    return;
  }
  if (transfer.isSent || progress.matchOffset < core.log.endOffset) return;
  transfer.isSent = true;
  sendTimeoutNow(core, progress);
}

/** Steps down in favour of whoever is furthest; for a leader that may or can not go on. */
export function resign(core: Core, leadership: Leadership): void {
  const successor = bestSuccessor(core, leadership);
  if (successor !== undefined) sendTimeoutNow(core, successor);
  core.becomeFollower(undefined);
}

/** The voter that was heard lately and has most of the log. */
function bestSuccessor(core: Core, leadership: Leadership): Progress | undefined {
  let best: Progress | undefined;
  for (const progress of leadership.progresses) {
    if (findReplica(core.log.configuration.voters, progress.key) === undefined) continue;
    if (core.now - progress.lastContactMs > core.options.electionTimeoutMs) continue;
    if (best === undefined || progress.matchOffset > best.matchOffset) best = progress;
  }
  return best;
}

function sendTimeoutNow(core: Core, progress: Progress): void {
  core.sendNow.push({
    kind: "TimeoutNow",
    from: core.self,
    to: progress.address,
    term: core.term,
  });
}
