/**
 * Changing the voters, one change at a time (Raft §6; thesis §4.2.1, §4.3).
 *
 * ```
 *   learner ----> catch-up ----> joint ----> final ----> done
 *   the new one    rounds of      old and     the new
 *   only copies    copying        new rule    set rules
 *                     |
 *                     +--> giving-up: taken out again
 * ```
 *
 * Each arrow waits for the configuration before it to be committed. Joint consensus is used for
 * single changes too: it has no special cases (the single-server bug of 2015 was one of them), and a
 * replacement of a dead voter is one step. A leader that finds a joint configuration in its log goes
 * on with it; one that finds a learner leaves it a learner.
 *
 * Nothing of this starts before an entry of the own term is committed.
 */
import { ZERO_UUID } from "../ground/uuid.ts";
import {
  type Configuration,
  findReplica,
  isSameReplica,
  type ReplicaKey,
  type Voter,
  VOTER_COUNT_MAX,
} from "./configuration.ts";
import type { Core } from "./core.ts";
import type { ChangeUnderWay, Leadership } from "./leadership.ts";
import { isOwnTermCommitted } from "./reads.ts";
import { appendConfiguration } from "./replication.ts";

export interface VoterChange {
  readonly add?: Voter;
  readonly remove?: ReplicaKey;
}

export type ChangeRefusal =
  | "not-leader"
  | "not-ready"
  | "change-in-progress"
  | "already-a-voter"
  | "not-a-voter"
  /** Another replica of that node id is a voter: remove it in the same change. */
  | "duplicate-id"
  | "last-voter"
  | "too-many-voters"
  | "nothing-to-do";

/** Rounds of catching up before a learner is held to be too slow (thesis §4.2.1). */
const ROUNDS_MAX = 10;
/** So many election timeouts without a word, and a learner is given up. */
const SILENT_TIMEOUTS_MAX = 50;

export function startChange(core: Core, change: VoterChange): "started" | ChangeRefusal {
  const { role } = core;
  if (role.kind !== "leader") return "not-leader";
  const isEarly = !isOwnTermCommitted(core, role) && !core.isSabotaged("decide-before-own-term");
  if (isEarly || role.transfer !== undefined) return "not-ready";
  const isPending = role.change !== undefined || !core.isConfigurationCommitted;
  if (isPending && !core.isSabotaged("change-while-pending")) return "change-in-progress";
  const { configuration } = core.log;
  const target = targetOf(configuration, change);
  if (typeof target === "string") return target;
  const isMove = change.add !== undefined && change.remove === undefined &&
    findReplica(configuration.voters, change.add) !== undefined;
  if (isMove || target === configuration.voters) {
    // The same voters under another address, or a learner that leaves: no majority changes.
    role.change = newChange(core, { phase: "final", target, add: undefined, isNewLearner: false });
    appendConfiguration(core, role, {
      voters: target,
      learners: without(configuration.learners, change.remove),
    });
    return "started";
  }
  startAddition(core, role, { change, target });
  return "started";
}

/** The voters a change leads to, or why it is refused. */
function targetOf(
  configuration: Configuration,
  change: VoterChange,
): readonly Voter[] | ChangeRefusal {
  const { voters, learners } = configuration;
  const { add, remove } = change;
  if (add === undefined && remove === undefined) return "nothing-to-do";
  if (add !== undefined && remove !== undefined && isSameReplica(add, remove)) {
    return "already-a-voter";
  }
  let target = voters;
  if (remove !== undefined) {
    target = without(voters, remove);
    if (target.length === voters.length) {
      const isLearner = findReplica(learners, remove) !== undefined;
      return isLearner && add === undefined ? voters : "not-a-voter";
    }
  }
  const grown = add === undefined ? target : withAdded(target, add, remove !== undefined);
  if (typeof grown === "string") return grown;
  if (grown.length === 0) return "last-voter";
  return grown.length > VOTER_COUNT_MAX ? "too-many-voters" : grown;
}

function withAdded(
  voters: readonly Voter[],
  add: Voter,
  isReplacement: boolean,
): readonly Voter[] | ChangeRefusal {
  const present = findReplica(voters, add);
  if (present === undefined) {
    return voters.some((voter) => voter.id === add.id) ? "duplicate-id" : [...voters, add];
  }
  const isSameAddress = present.host === add.host && present.port === add.port;
  if (isSameAddress || isReplacement) return "already-a-voter";
  const moved = { ...present, host: add.host, port: add.port };
  return voters.map((voter) => voter === present ? moved : voter);
}

function startAddition(
  core: Core,
  leadership: Leadership,
  what: { readonly change: VoterChange; readonly target: readonly Voter[] },
): void {
  const { change, target } = what;
  const { add } = change;
  const { voters, learners } = core.log.configuration;
  const known = add === undefined ? undefined : findReplica(learners, add);
  const isLearner = known !== undefined && known.host === add?.host && known.port === add.port;
  leadership.change = newChange(core, {
    phase: isLearner ? "catch-up" : "learner",
    target,
    add,
    isNewLearner: known === undefined,
  });
  if (add === undefined) enterJoint(core, leadership, leadership.change);
  else if (!isLearner) {
    appendConfiguration(core, leadership, { voters, learners: [...without(learners, add), add] });
  }
}

/** Does the next step if it is time; called whenever something it waits for may have happened. */
export function advanceChange(core: Core, leadership: Leadership): void {
  const { change } = leadership;
  if (change === undefined) {
    pinDirectories(core, leadership);
    return;
  }
  if (!core.isConfigurationCommitted) return;
  switch (change.phase) {
    case "learner":
      change.phase = "catch-up";
      startRound(core, change);
      break;
    case "catch-up":
      catchUp(core, leadership, change);
      break;
    case "joint":
      change.phase = "final";
      appendConfiguration(core, leadership, {
        voters: change.target,
        learners: core.log.configuration.learners,
      });
      break;
    case "final":
    case "giving-up":
      leadership.change = undefined;
      break;
  }
}

/** A new leader goes on with what it finds in its log. */
export function resumeChange(core: Core, leadership: Leadership): void {
  const { outgoing, voters } = core.log.configuration;
  if (outgoing === undefined) return;
  leadership.change = newChange(core, {
    phase: "joint",
    target: voters,
    add: undefined,
    isNewLearner: false,
  });
}

/**
 * Names the directories of voters that a person configured by id only, as soon as they are known: from
 * then on a replica that lost its disk is recognised as another one. The ids stay, so majorities
 * under both configurations meet.
 */
export function pinDirectories(core: Core, leadership: Leadership): void {
  const { configuration } = core.log;
  if (!hasUnknownDirectory(configuration) && core.log.isConfigurationRecorded) return;
  const isEarly = core.log.isConfigurationRecorded && !isOwnTermCommitted(core, leadership);
  if (isEarly || configuration.outgoing !== undefined) return;
  if (core.log.isConfigurationRecorded && !core.isConfigurationCommitted) return;
  let isLearnt = false;
  const pin = (voter: Voter): Voter => {
    if (voter.directoryId !== ZERO_UUID) return voter;
    const known = isSameReplica(voter, core.self) ? core.self : leadership.find(voter)?.address;
    if (known === undefined || known.directoryId === ZERO_UUID) return voter;
    isLearnt = true;
    return { ...voter, directoryId: known.directoryId };
  };
  const voters = configuration.voters.map(pin);
  const learners = configuration.learners.map(pin);
  if (!isLearnt && core.log.isConfigurationRecorded) return;
  appendConfiguration(core, leadership, { voters, learners });
}

function hasUnknownDirectory({ voters, learners }: Configuration): boolean {
  for (const voter of voters) if (voter.directoryId === ZERO_UUID) return true;
  for (const learner of learners) if (learner.directoryId === ZERO_UUID) return true;
  return false;
}

/** A round ends when the learner has what the leader had when it began; a quick one is enough. */
function catchUp(core: Core, leadership: Leadership, change: ChangeUnderWay): void {
  const { electionTimeoutMs } = core.options;
  const progress = change.add === undefined ? undefined : leadership.find(change.add);
  const isGone = progress === undefined ||
    core.now - progress.lastContactMs > electionTimeoutMs * SILENT_TIMEOUTS_MAX;
  if (isGone) {
    giveUp(core, leadership, change);
    return;
  }
  if (progress.matchOffset < change.roundEndOffset) return;
  if (core.now - change.roundStartMs <= electionTimeoutMs) enterJoint(core, leadership, change);
  else if (change.rounds >= ROUNDS_MAX) giveUp(core, leadership, change);
  else startRound(core, change);
}

function startRound(core: Core, change: ChangeUnderWay): void {
  change.rounds++;
  change.roundEndOffset = core.log.endOffset;
  change.roundStartMs = core.now;
}

function enterJoint(core: Core, leadership: Leadership, change: ChangeUnderWay): void {
  const { voters, learners } = core.log.configuration;
  change.phase = "joint";
  const joint = {
    voters: change.target,
    learners: without(learners, change.add),
  };
  if (core.isSabotaged("no-joint")) {
    change.phase = "final";
    appendConfiguration(core, leadership, joint);
    return;
  }
  appendConfiguration(core, leadership, { ...joint, outgoing: voters });
}

function giveUp(core: Core, leadership: Leadership, change: ChangeUnderWay): void {
  change.phase = "giving-up";
  if (!change.isNewLearner) return;
  const { voters, learners } = core.log.configuration;
  appendConfiguration(core, leadership, { voters, learners: without(learners, change.add) });
}

function newChange(
  core: Core,
  what: Pick<ChangeUnderWay, "phase" | "target" | "add" | "isNewLearner">,
): ChangeUnderWay {
  return { ...what, rounds: 1, roundEndOffset: core.log.endOffset, roundStartMs: core.now };
}

function without(voters: readonly Voter[], key: ReplicaKey | undefined): readonly Voter[] {
  return key === undefined ? voters : voters.filter((voter) => !isSameReplica(voter, key));
}
