/**
 * A leader that votes alone goes on in its term after a clean stop: no new term, no vote, no
 * leader-change, so that a start writes nothing. Why that is safe:
 *
 *  1. Nobody was elected meanwhile: an election needs the vote of the only voter, and it did not run.
 *  2. The term is its own: it was elected in it, so every entry of that term is one that it made.
 *  3. All that it ever appended is in the log. A node that was removed, or copied for a while, may hold
 *     entries of this term; none is at an offset that is given out anew.
 *
 * After a crash the third does not hold, and the usual election runs:
 *
 *  1. The leader of term 7 appends offset 40, sends it to a learner, and loses it with its power.
 *  2. In term 7 again it would put something else at 40. The learner has 40 of term 7, and by the log
 *     matching property (Raft §5.3) nobody would ever look there again.
 *
 * So every stop that is told as clean must have had an election, or another leader, since the last
 * crash: a node that has not begun to serve does not stop cleanly.
 * With others at hand, be they learners, an election costs little and is what they know.
 */
import { assert } from "../ground/assert.ts";
import { isSameReplica } from "./configuration.ts";
import type { Core } from "./core.ts";
import { Leadership } from "./leadership.ts";
import { maybeCommit } from "./leading.ts";

export function resumeLeadership(core: Core): void {
  const { log, term, votedFor, self } = core;
  const { learners } = log.configuration;
  assert(core.isSoleVoter && learners.length === 0, "only who is alone goes on in its term");
  assert(log.isConfigurationRecorded, "that it votes alone stands in its log");
  assert(votedFor !== undefined && isSameReplica(votedFor, self), "it was elected by its own vote");
  assert(term > 0 && log.lastTerm === term, "the term has begun, and none after it");
  const leaderChange = log.entries.findLast((entry) => entry.isLeaderChange === true);
  assert((leaderChange?.term ?? term) === term, "the last leader-change is of the term");
  // Decisions rest on all that was decided before: on the whole log.
  const leadership = new Leadership(log.endOffset, core.now + core.options.heartbeatMs);
  // An answer to a read of its earlier life may be on its way still, from who is added again.
  leadership.readSequence = core.newSequence();
  core.role = leadership;
  core.leader = self;
  core.leaderHeardMs = core.now;
  maybeCommit(core, leadership);
}
