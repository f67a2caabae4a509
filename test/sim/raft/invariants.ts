/** The invariants of the quorum, in the order in which they are looked at. */
import { acknowledgedIsHeld } from "./invariant/acknowledged_is_held.ts";
import { appliedIsDurable } from "./invariant/applied_is_durable.ts";
import { appliedIsHistory } from "./invariant/applied_is_history.ts";
import { commitIsKept } from "./invariant/commit_is_kept.ts";
import { campaignIsAsked } from "./invariant/campaign_is_asked.ts";
import { committedIsDurable } from "./invariant/committed_is_durable.ts";
import { configurationInLog } from "./invariant/configuration_in_log.ts";
import { decidesOnEverything } from "./invariant/decides_on_everything.ts";
import { electionSafety } from "./invariant/election_safety.ts";
import type { Invariant } from "./invariant/invariant.ts";
import { jointConsensus } from "./invariant/joint_consensus.ts";
import { leaderCompleteness } from "./invariant/leader_completeness.ts";
import { leaderHearsMajority } from "./invariant/leader_hears_majority.ts";
import { leaderIsElected } from "./invariant/leader_is_elected.ts";
import { leaderIsObeyed } from "./invariant/leader_is_obeyed.ts";
import { logMatching } from "./invariant/log_matching.ts";
import { monotonic } from "./invariant/monotonic.ts";
import { oneHistory } from "./invariant/one_history.ts";
import { ownTermCommits } from "./invariant/own_term_commits.ts";
import { persistedVote } from "./invariant/persisted_vote.ts";
import { preVoteIsFree } from "./invariant/pre_vote_is_free.ts";
import { readIsConfirmed } from "./invariant/read_is_confirmed.ts";
import { readsAreCurrent, readsSeeCommits } from "./invariant/reads_are_current.ts";
import { replyIsDurable } from "./invariant/reply_is_durable.ts";
import { voteOnce } from "./invariant/vote_once.ts";
import { votersCampaign } from "./invariant/voters_campaign.ts";

/** Each makes one anew for a run: some have a memory. */
export const invariantMakers: readonly (() => Invariant)[] = [
  oneHistory,
  electionSafety,
  logMatching,
  leaderCompleteness,
  appliedIsHistory,
  commitIsKept,
  readsAreCurrent,
  readsSeeCommits,
  committedIsDurable,
  monotonic,
  persistedVote,
  voteOnce,
  replyIsDurable,
  configurationInLog,
  jointConsensus,
  appliedIsDurable,
  votersCampaign,
  campaignIsAsked,
  decidesOnEverything,
  preVoteIsFree,
  leaderHearsMajority,
  leaderIsElected,
  leaderIsObeyed,
  ownTermCommits,
  acknowledgedIsHeld,
  readIsConfirmed,
];
