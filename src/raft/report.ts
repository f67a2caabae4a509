/**
 * What the machine tells about itself: the status in full, and in one line.
 */
import { findReplica, isSameReplica, type Voter } from "./configuration.ts";
import type { Core } from "./core.ts";
import type { ChangeUnderWay, Leadership } from "./leadership.ts";
import { isReadyToDecide } from "./leading.ts";
import type { ChangeStatus, RaftStatus, ReplicaStatus } from "./status.ts";

export function statusOf(core: Core): RaftStatus {
  const { role, log, persistence } = core;
  const leadership = role.kind === "leader" ? role : undefined;
  return {
    self: core.self,
    role: core.roleName,
    term: core.term,
    leader: core.leader,
    votedFor: core.votedFor,
    isReadyToDecide: isReadyToDecide(core),
    isVoter: core.isVoter,
    logStartOffset: log.startOffset,
    logEndOffset: log.endOffset,
    durableOffset: persistence.durableOffset,
    commitOffset: core.commitOffset,
    appliedOffset: core.appliedOffset,
    configuration: log.configuration,
    isConfigurationCommitted: core.isConfigurationCommitted,
    change: leadership?.change === undefined ? undefined : changeStatusOf(leadership.change),
    transferTo: leadership?.transfer?.to,
    ignored: core.ignored,
    replicas: leadership === undefined ? [] : replicasOf(core, leadership),
  };
}

function changeStatusOf({ phase, rounds, target }: ChangeUnderWay): ChangeStatus {
  return { phase, rounds, target };
}

function replicasOf(core: Core, leadership: Leadership): readonly ReplicaStatus[] {
  const { voters, outgoing, learners } = core.log.configuration;
  const seen: Voter[] = [];
  for (const member of [...voters, ...(outgoing ?? []), ...learners]) {
    if (findReplica(seen, member) === undefined) seen.push(member);
  }
  const isVoting = (member: Voter): boolean =>
    findReplica(voters, member) !== undefined ||
    (outgoing !== undefined && findReplica(outgoing, member) !== undefined);
  return seen.map((key) => {
    if (isSameReplica(key, core.self)) {
      return {
        key,
        matchOffset: core.persistence.durableOffset,
        lastContactMs: core.now,
        lastCaughtUpMs: core.now,
        isVoter: isVoting(key),
        state: "self",
      };
    }
    const progress = leadership.find(key);
    return {
      key,
      matchOffset: progress?.matchOffset ?? core.log.startOffset,
      lastContactMs: progress?.lastContactMs ?? -1,
      lastCaughtUpMs: progress?.lastCaughtUpMs ?? -1,
      isVoter: isVoting(key),
      state: progress?.state ?? "probe",
    };
  });
}

export function describeRaft(core: Core): string {
  const { log, persistence } = core;
  const leader = core.leader === undefined ? "none" : String(core.leader.id);
  const sets = [`voters ${idsOf(log.configuration.voters)}`];
  if (log.configuration.outgoing !== undefined) {
    sets.push(`outgoing ${idsOf(log.configuration.outgoing)}`);
  }
  if (log.configuration.learners.length > 0) {
    sets.push(`learners ${idsOf(log.configuration.learners)}`);
  }
  return `${core.roleName} term=${core.term} leader=${leader} ` +
    `log=${log.startOffset}..${log.endOffset}/${log.lastTerm} ` +
    `durable=${persistence.durableOffset} commit=${core.commitOffset} ` +
    `applied=${core.appliedOffset} ${sets.join(" ")}`;
}

function idsOf(voters: readonly Voter[]): string {
  return voters.map((voter) => voter.id).join(",");
}
