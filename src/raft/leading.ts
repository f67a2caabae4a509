/**
 * The leader: beginning, answers of followers, committing, heartbeats, and stepping down by itself.
 *
 * The one rule that everything hangs on (Raft §5.4.2, fig. 8): an entry is committed by counting only
 * if it is of the leader's own term; what lies below it is then committed with it.
 */
import { assert } from "../ground/assert.ts";
import { toOffset } from "../ground/numbers.ts";
import { ZERO_UUID } from "../ground/uuid.ts";
import { isSameReplica, type ReplicaKey } from "./configuration.ts";
import type { Core } from "./core.ts";
import { Leadership } from "./leadership.ts";
import type { AppendReply } from "./message.ts";
import { Progress } from "./progress.ts";
import { answerReads, isOwnTermCommitted, startEarlyReads } from "./reads.ts";
import {
  appendLeaderChange,
  followConfiguration,
  nudgeAll,
  nudgeCommit,
  sendAll,
} from "./replication.ts";
import { continueTransfer, resign } from "./transfer.ts";
import { advanceChange, pinDirectories, resumeChange } from "./voter_change.ts";

/** Replicas that are no members and are served for a while, so that they learn of it. */
const VISITORS_MAX = 8;
const VISIT_TIMEOUTS = 10;

/** Won: asserts its leadership with an entry of its own term (Raft §8). */
export function becomeLeader(core: Core, supporters: readonly ReplicaKey[]): void {
  assert(core.role.kind === "candidate", "only a candidate becomes the leader");
  const logEnd = core.log.endOffset;
  const leadership = new Leadership(
    toOffset(logEnd + 1),
    core.now + core.options.heartbeatMs,
  );
  core.role = leadership;
  core.leader = core.self;
  core.leaderHeardMs = core.now;
  followConfiguration(core, leadership);
  for (const supporter of supporters) leadership.find(supporter)?.learnDirectory(supporter);
  const leaderChangeEnd = appendLeaderChange(core);
  assert(leaderChangeEnd === leadership.leaderChangeEnd, "a leader-change is one record");
  resumeChange(core, leadership);
  pinDirectories(core, leadership);
}

/** Whether decisions rest on everything that was decided before. */
export function isReadyToDecide(core: Core): boolean {
  const { role } = core;
  if (role.kind !== "leader" || role.transfer !== undefined) return false;
  return core.appliedOffset >= role.leaderChangeEnd || core.isSabotaged("decide-before-own-term");
}

export function onAppendReply(core: Core, leadership: Leadership, reply: AppendReply): void {
  const progress = leadership.find(reply.from);
  if (progress === undefined) {
    core.ignore("not-a-member");
    return;
  }
  if (progress.key.directoryId === ZERO_UUID) progress.learnDirectory(reply.from);
  progress.lastContactMs = core.now;
  // An answer to a round that was never asked would confirm reads yet to come.
  const isAsked = reply.readSequence <= leadership.readSequence;
  if (isAsked && reply.readSequence > progress.readSequence) {
    progress.readSequence = reply.readSequence;
    answerReads(core, leadership);
  }
  if (reply.isAccepted) onAccepted(core, leadership, { progress, reply });
  else onRefused(core, progress, reply);
}

function onAccepted(
  core: Core,
  leadership: Leadership,
  what: { readonly progress: Progress; readonly reply: AppendReply },
): void {
  const { progress, reply } = what;
  const isFurther = reply.matchOffset > progress.matchOffset;
  if (isFurther && !isPosition(core, reply.matchOffset)) {
    core.ignore("unknown-position");
    return;
  }
  if (progress.state === "snapshot") {
    if (reply.matchOffset < core.log.startOffset) return;
    progress.becomeProbe(Math.max(reply.matchOffset, progress.matchOffset));
  }
  progress.accepted(reply.matchOffset);
  progress.noteCaughtUp(core.log.endOffset, core.now);
  if (isFurther) maybeCommit(core, leadership);
  nudgeCommit(core, leadership); // in probe it could not be told
  if (core.role !== leadership) return; // it stepped down
  continueTransfer(core, leadership);
  advanceChange(core, leadership);
}

/** Whether a batch ends there, as far as this replica can tell. */
function isPosition(core: Core, position: number): boolean {
  return position < core.log.startOffset || core.log.termAt(position) !== undefined;
}

/** Goes back to the last place that may be common (Raft §5.3). */
function onRefused(core: Core, progress: Progress, reply: AppendReply): void {
  const { hint } = reply;
  if (hint === undefined || progress.state === "snapshot") return;
  if (hint.offset < progress.matchOffset) return; // late: it has matched further since
  const common = core.log.lastPositionWithin(hint.offset, hint.term);
  if (common === undefined) {
    progress.becomeSnapshot();
    return;
  }
  if (progress.state === "probe" && common.offset >= progress.nextOffset) return; // late as well
  progress.becomeProbe(Math.max(common.offset, progress.matchOffset));
}

/** Commits what a majority has made durable, if it is of the own term. */
export function maybeCommit(core: Core, leadership: Leadership): void {
  const { durableOffset } = core.persistence;
  const own = core.isSabotaged("count-unsynced-self") ? core.log.endOffset : durableOffset;
  const agreed = core.quorumValue((voter) =>
    isSameReplica(voter, core.self) ? own : leadership.find(voter)?.matchOffset ?? 0
  );
  const reached = Math.min(agreed, core.log.endOffset);
  if (reached <= core.commitOffset) return;
  const isOwn = core.log.termAt(reached) === core.term;
  if (!isOwn && !core.isSabotaged("commit-old-term")) return;
  core.commitTo(reached);
  nudgeCommit(core, leadership);
  startEarlyReads(core, leadership);
  advanceChange(core, leadership);
  answerReads(core, leadership); // fewer voters may be a majority now
  stepDownIfRemoved(core, leadership);
}

/** A leader that voted itself out leads until that is committed, and not longer (Raft §6). */
function stepDownIfRemoved(core: Core, leadership: Leadership): void {
  if (core.isVoter || !core.isConfigurationCommitted) return;
  sendAll(core, leadership); // its last word: the configuration is committed
  resign(core, leadership);
}

export function tickLeader(core: Core, leadership: Leadership): void {
  if (isOutOfTouch(core, leadership) || isDiskStalled(core)) {
    resign(core, leadership);
    return;
  }
  continueTransfer(core, leadership);
  advanceChange(core, leadership);
  if (core.now < leadership.heartbeatAtMs) return;
  leadership.heartbeatAtMs = core.now + core.options.heartbeatMs;
  dismissVisitors(core, leadership);
  nudgeAll(leadership);
}

/** Check-quorum: a leader that a majority has not answered for an election timeout leads nobody. */
function isOutOfTouch(core: Core, leadership: Leadership): boolean {
  if (core.isSoleVoter || core.isSabotaged("no-check-quorum")) return false;
  const heard = core.quorumValue((voter) =>
    isSameReplica(voter, core.self) ? core.now : leadership.find(voter)?.lastContactMs ?? -Infinity
  );
  return core.now - heard > core.options.electionTimeoutMs;
}

/** Its own disk does not answer, so it cannot apply what it commits: others can. */
export function isDiskStalled(core: Core): boolean {
  const { oldestStartMs } = core.persistence;
  if (oldestStartMs === undefined || core.isSoleVoter) return false;
  return core.now - oldestStartMs > core.diskStallMs;
}

/**
 * Somebody who is no member asks for votes: it does not know that it was removed, and nobody told it.
 * It is served like a learner for a while.
 */
export function receiveVisitor(core: Core, leadership: Leadership, visitor: ReplicaKey): void {
  if (leadership.find(visitor) !== undefined) return;
  const visitorCount =
    leadership.progresses.filter((progress) => progress.servedUntilMs !== undefined).length;
  if (visitorCount >= VISITORS_MAX) return;
  const key = { id: visitor.id, directoryId: visitor.directoryId, host: "", port: 0 };
  const progress = new Progress(key, core.log.endOffset, core.now);
  progress.servedUntilMs = core.now + core.options.electionTimeoutMs * VISIT_TIMEOUTS;
  leadership.progresses.push(progress);
}

/** Visitors leave when they know all that is committed of the configuration, or after a while. */
function dismissVisitors(core: Core, leadership: Leadership): void {
  if (leadership.progresses.every(({ servedUntilMs }) => servedUntilMs === undefined)) return;
  leadership.progresses = leadership.progresses.filter(({ servedUntilMs, matchOffset }) => {
    if (servedUntilMs === undefined) return true;
    const hasLearnt = core.isConfigurationCommitted && isOwnTermCommitted(core, leadership) &&
      matchOffset >= core.commitOffset;
    return core.now < servedUntilMs && !hasLearnt;
  });
}
