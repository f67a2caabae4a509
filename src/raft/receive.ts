/**
 * Messages: which are not for this replica or make no sense, what their term means, and who handles
 * them (Raft §5.1).
 *
 * Whoever speaks is not asked whether it is a member: a candidate that this replica has not heard of
 * may be one by a configuration that has not come here yet (pitfall of KIP-853), and a leader is one by
 * having been elected. What protects the quorum is the counting, on the other side.
 */
import { toOffset } from "../ground/numbers.ts";
import { isSameReplica } from "./configuration.ts";
import { type Core, TERM_MAX } from "./core.ts";
import {
  isLeaderHeard,
  onPreVoteReply,
  onPreVoteRequest,
  onTimeoutNow,
  onVoteReply,
  onVoteRequest,
} from "./election.ts";
import { onAppendRequest, onSnapshotOffer } from "./following.ts";
import { onAppendReply } from "./leading.ts";
import type { AppendRequest, Message, SnapshotOffer } from "./message.ts";
import type { IgnoreReason } from "./status.ts";

export function receive(core: Core, message: Message): void {
  const reason = reasonToIgnore(core, message);
  if (reason !== undefined) {
    core.ignore(reason);
    return;
  }
  if (message.term > core.term && !isHypothetical(message)) {
    if (message.kind === "VoteRequest" && !message.isTransfer && isLeaderHeard(core)) {
      core.ignore("leader-is-heard");
      return;
    }
    adoptNewerTerm(core, message);
  }
  if (message.term < core.term && !isPreVote(message)) {
    rejectOldTerm(core, message);
    return;
  }
  handle(core, message);
}

/** Whoever led or campaigned in the older term stops. */
function adoptNewerTerm(core: Core, message: Message): void {
  const { electionAtMs } = core;
  const before = core.role.kind;
  core.adoptTerm(message.term);
  core.becomeFollower(undefined);
  // A candidate that will not get this vote does not put off this replica's own election (Raft §5.2).
  if (before === "follower" && message.kind === "VoteRequest") core.electionAtMs = electionAtMs;
  // Whoever asked for votes knew of no leader, and has only learnt how far terms have come.
  if (before === "prospective" || before === "candidate") core.resetElectionTimerShortly();
}

function handle(core: Core, message: Message): void {
  switch (message.kind) {
    case "PreVoteRequest":
      onPreVoteRequest(core, message);
      break;
    case "PreVoteReply":
      onPreVoteReply(core, message);
      break;
    case "VoteRequest":
      onVoteRequest(core, message);
      break;
    case "VoteReply":
      onVoteReply(core, message);
      break;
    case "AppendRequest":
      if (isOfSecondLeader(core, message)) core.ignore("second-leader");
      else onAppendRequest(core, message);
      break;
    case "SnapshotOffer":
      if (isOfSecondLeader(core, message)) core.ignore("second-leader");
      else onSnapshotOffer(core, message);
      break;
    case "AppendReply":
      if (core.role.kind === "leader") onAppendReply(core, core.role, message);
      else core.ignore("not-asked");
      break;
    case "TimeoutNow":
      onTimeoutNow(core, message.from);
      break;
  }
}

/** Its term is one that its sender might reach; nobody adopts it. */
function isHypothetical(message: Message): boolean {
  return message.kind === "PreVoteRequest" ||
    (message.kind === "PreVoteReply" && message.isGranted);
}

function isPreVote(message: Message): boolean {
  return message.kind === "PreVoteRequest" || message.kind === "PreVoteReply";
}

/**
 * Requests of a former term are answered, so that their sender learns the present one: a leader that
 * was deposed steps down, and a replica that is ahead in term alone can be caught up with.
 */
function rejectOldTerm(core: Core, message: Message): void {
  switch (message.kind) {
    case "AppendRequest":
    case "SnapshotOffer":
      core.sendInTerm({
        kind: "AppendReply",
        from: core.self,
        to: message.from,
        term: core.term,
        isAccepted: false,
        matchOffset: toOffset(0),
        readSequence: 0,
      });
      break;
    case "VoteRequest":
      core.sendInTerm({
        kind: "VoteReply",
        from: core.self,
        to: message.from,
        term: core.term,
        isGranted: false,
      });
      break;
    case "VoteReply":
    case "AppendReply":
      if (core.isSabotaged("count-old-terms")) handle(core, message);
      else core.ignore("old-term");
      break;
    default:
      core.ignore("old-term");
  }
}

/** Two leaders of one term cannot be (Raft §5.2): the one known stays. */
function isOfSecondLeader(core: Core, message: AppendRequest | SnapshotOffer): boolean {
  return core.leader !== undefined && !isSameReplica(core.leader, message.from);
}

function reasonToIgnore(core: Core, message: Message): IgnoreReason | undefined {
  if (!isSameReplica(message.to, core.self) && !isForNamesake(core, message)) return "not-for-me";
  if (message.from.id === core.self.id) return "from-own-id";
  const { term } = message;
  const termMin = message.kind === "PreVoteReply" ? 0 : 1;
  if (!Number.isSafeInteger(term) || term < termMin || term > TERM_MAX) return "impossible-term";
  if (message.kind === "AppendRequest" && !isSound(message)) return "unsound-entries";
  if (message.kind === "SnapshotOffer") {
    const { snapshot } = message;
    if (snapshot.offset <= 0 || snapshot.term < 0 || snapshot.term > term) {
      return "unsound-snapshot";
    }
  }
  return undefined;
}

function isForNamesake(core: Core, message: Message): boolean {
  return message.to.id === core.self.id && core.isSabotaged("directory-ignored");
}

/** Without holes, and of terms that a leader of this term can have in its log. */
function isSound({ prevOffset, prevTerm, entries, commitOffset, term }: AppendRequest): boolean {
  if (prevOffset < 0 || prevTerm < 0 || commitOffset < 0) return false;
  let offset: number = prevOffset;
  let lastTerm = prevTerm;
  for (const entry of entries) {
    const isNext = entry.baseOffset === offset && entry.nextOffset > offset;
    if (!isNext || entry.term < lastTerm) return false;
    offset = entry.nextOffset;
    lastTerm = entry.term;
  }
  return lastTerm <= term;
}
