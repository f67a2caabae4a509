/**
 * Elections: asking, granting, counting (Raft §5.2, §5.4.1; thesis §9.6 pre-vote, §4.2.3 defence of a
 * leader that is heard).
 *
 * ```
 *              timeout                 majority would          majority did
 *   follower ----------> prospective ----------------> candidate ----------> leader
 *      ^                     | refused                    | refused            |
 *      +---------------------+----------------------------+--------------------+
 *                 a leader is heard, or a newer term        no majority answers
 * ```
 *
 * Pre-vote alone is not live: somebody whose term is ahead must be able to bring the others up. So an
 * AppendRequest of an old term is answered with the newer one (`receive.ts`), and a refused pre-vote
 * carries the term of who refuses. Defence alone is not live either: a leader that cannot reach a
 * majority steps down by itself (check-quorum, `leading.ts`), and a follower that has forgotten its
 * leader defends nobody (etcd forget_leader_prevote_checkquorum.txt).
 *
 * VoteRequests leave when the own vote is durable, not before:
 *  1. A candidate asks in term 7 on the strength of entries that are not durable; it is granted.
 *  2. It crashes, forgets term 7 and the entries, and campaigns in term 7 again.
 *  3. The late grant of step 1 would elect it with the shorter log.
 */
import { isSameReplica, isVoter, type ReplicaKey, type Voter } from "./configuration.ts";
import { type Core, TERM_MAX } from "./core.ts";
import { becomeLeader, isDiskStalled, receiveVisitor } from "./leading.ts";
import type { PreVoteReply, PreVoteRequest, VoteReply, VoteRequest } from "./message.ts";
import { Tally } from "./quorum.ts";

/** The election timer is over. */
export function onElectionTimeout(core: Core): void {
  if (!mayCampaign(core)) {
    core.becomeFollower(undefined);
    return;
  }
  const { electionTimeoutMs } = core.options;
  const isLate = core.now - core.electionAtMs > electionTimeoutMs / 2;
  if (isLate && !core.isLateTickForgiven && !core.isSoleVoter) {
    // The process was stopped. Heartbeats may wait to be read: they are given a moment, once.
    core.resetElectionTimerShortly();
    core.isLateTickForgiven = true;
    return;
  }
  if (core.isSoleVoter || core.isSabotaged("no-pre-vote")) campaign(core, false);
  else askAround(core);
}

function mayCampaign(core: Core): boolean {
  return isNeeded(core) && core.term < TERM_MAX && !isDiskStalled(core);
}

/**
 * Whether it has a vote, by id and by directory; also by an earlier configuration, back to the last one
 * known to be committed, as long as the newest is not (thesis §4.2.2, fig. 4.6):
 *  1. Leader 3 removes itself: the final set is 5 alone. It appends that, and is cut off.
 *  2. Node 5 knows only the joint configuration, so it needs the vote of 3, whose log is longer.
 *  3. Node 3 must lead once more, without counting itself, or nobody ever does.
 * After a restart next to nothing is known to be committed, so that all of the log is looked at.
 */
function isNeeded(core: Core): boolean {
  if (core.isVoter) return true;
  return !core.isConfigurationCommitted &&
    core.log.configurationsFrom(core.commitOffset).some((each) => isVoter(each, core.self));
}

/** Pre-vote: spends no term and promises nothing. */
function askAround(core: Core): void {
  core.becomeFollower(undefined);
  core.resetElectionTimerShortly();
  const tally = new Tally();
  core.role = { kind: "prospective", tally };
  for (const voter of peers(core)) {
    core.sendInTerm({
      kind: "PreVoteRequest",
      from: core.self,
      to: keyOf(voter),
      term: core.term + 1,
      lastTerm: core.log.lastTerm,
      lastOffset: core.log.endOffset,
    });
  }
  countOwn(core, tally);
}

/** A real election: a new term, and the own vote in it. */
function campaign(core: Core, isTransfer: boolean): void {
  core.becomeFollower(undefined);
  core.adoptTerm(core.term + 1);
  core.voteFor(core.self);
  core.resetCandidateTimer();
  core.role = { kind: "candidate", tally: new Tally() };
  for (const voter of peers(core)) {
    core.sendDurably({
      kind: "VoteRequest",
      from: core.self,
      to: keyOf(voter),
      term: core.term,
      lastTerm: core.log.lastTerm,
      lastOffset: core.log.endOffset,
      isTransfer,
    });
  }
}

/** The own vote counts when it is durable; called after every completed persist. */
export function countOwnVote(core: Core): void {
  if (core.role.kind !== "candidate" || !core.persistence.isHardStateDurable) return;
  countOwn(core, core.role.tally);
}

/** The leader hands over: no pre-vote, and nobody defends it. */
export function onTimeoutNow(core: Core, from: ReplicaKey): void {
  const isFromLeader = core.leader !== undefined && isSameReplica(core.leader, from);
  if (!isFromLeader || core.role.kind !== "follower" || !mayCampaign(core)) {
    core.ignore("not-asked");
    return;
  }
  campaign(core, true);
}

export function onPreVoteRequest(core: Core, request: PreVoteRequest): void {
  const { role } = core;
  if (role.kind === "leader" && role.find(request.from) === undefined) {
    receiveVisitor(core, role, request.from);
  }
  const isGranted = request.term > core.term && !isLeaderHeard(core) && isUpToDate(core, request);
  core.sendInTerm({
    kind: "PreVoteReply",
    from: core.self,
    to: request.from,
    term: isGranted ? request.term : core.term,
    isGranted,
  });
}

export function onPreVoteReply(core: Core, reply: PreVoteReply): void {
  const { role } = core;
  const isAsked = role.kind === "prospective" &&
    (!reply.isGranted || reply.term === core.term + 1);
  if (isAsked) count(core, role.tally, { voter: reply.from, isGranted: reply.isGranted });
  else core.ignore("not-asked");
}

/** Of the present term; a newer one was adopted before. */
export function onVoteRequest(core: Core, request: VoteRequest): void {
  const { votedFor, leader } = core;
  const hadVote = votedFor !== undefined && votedFor.id === request.from.id &&
    votedFor.directoryId === request.from.directoryId;
  const mayVote = hadVote || (votedFor === undefined && leader === undefined) ||
    core.isSabotaged("vote-twice");
  const isGranted = mayVote && isUpToDate(core, request);
  if (isGranted && !hadVote) {
    core.voteFor(request.from);
    // Asking around for a term of its own has lost its sense.
    if (core.role.kind === "prospective") core.becomeFollower(undefined);
    else core.resetElectionTimer();
  }
  const reply: VoteReply = {
    kind: "VoteReply",
    from: core.self,
    to: request.from,
    term: core.term,
    isGranted,
  };
  if (core.isSabotaged("vote-before-durable")) core.sendNow.push(reply);
  else core.sendDurably(reply);
}

export function onVoteReply(core: Core, reply: VoteReply): void {
  const { role } = core;
  if (role.kind === "candidate") {
    count(core, role.tally, { voter: reply.from, isGranted: reply.isGranted });
  } else core.ignore("not-asked");
}

/** Whether this replica knows of a leader that lives: then it helps nobody to depose it (Raft §6). */
export function isLeaderHeard(core: Core): boolean {
  if (core.isSabotaged("no-check-quorum")) return false;
  if (core.role.kind === "leader") return true;
  return core.leader !== undefined &&
    core.now - core.leaderHeardMs < core.options.electionTimeoutMs;
}

/** The later last term wins, then the longer log (Raft §5.4.1). */
function isUpToDate(
  core: Core,
  { lastTerm, lastOffset }: Pick<VoteRequest, "lastTerm" | "lastOffset">,
): boolean {
  if (core.isSabotaged("vote-for-any-log")) return true;
  if (lastTerm !== core.log.lastTerm) return lastTerm > core.log.lastTerm;
  return lastOffset >= core.log.endOffset;
}

function count(
  core: Core,
  tally: Tally,
  vote: { readonly voter: ReplicaKey; readonly isGranted: boolean },
): void {
  if (!isVoter(core.rulingConfiguration, vote.voter) && !core.isSabotaged("directory-ignored")) {
    core.ignore("not-a-member");
    return;
  }
  tally.add(vote.voter, vote.isGranted);
  judge(core, tally);
}

/** Who has no vote in the newest configuration does not count itself. */
function countOwn(core: Core, tally: Tally): void {
  if (core.isVoter) tally.add(core.self, true);
  judge(core, tally);
}

function judge(core: Core, tally: Tally): void {
  const verdict = tally.verdict(core.rulingConfiguration);
  if (verdict === "open") return;
  if (verdict === "won") {
    if (core.role.kind === "prospective") campaign(core, false);
    else if (core.persistence.isHardStateDurable) becomeLeader(core, tally.granted);
    return;
  }
  // Everybody has answered, so there is nothing to wait for: soon again, with other luck.
  core.becomeFollower(undefined);
  core.resetElectionTimerShortly();
}

/** All other voters of both ruling sets. */
function peers(core: Core): readonly Voter[] {
  const { voters, outgoing } = core.rulingConfiguration;
  const all = [...voters];
  for (const voter of outgoing ?? []) {
    if (!voters.some((known) => isSameReplica(known, voter))) all.push(voter);
  }
  return all.filter((voter) => !isSameReplica(voter, core.self));
}

function keyOf(voter: Voter): ReplicaKey {
  return { id: voter.id, directoryId: voter.directoryId };
}
