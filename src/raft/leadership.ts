/**
 * What only a leader has, and loses with its leadership: its view of the followers, reads that wait
 * to be confirmed, the change of voters and the hand-over under way.
 */
import type { Offset } from "../ground/numbers.ts";
import { type Configuration, isSameReplica, type ReplicaKey, type Voter } from "./configuration.ts";
import { Progress } from "./progress.ts";
import type { ChangePhase } from "./status.ts";

/** A read that a majority has not yet confirmed. */
export interface PendingRead {
  readonly token: number;
  readonly offset: Offset;
  readonly sequence: number;
}

export interface ChangeUnderWay {
  phase: ChangePhase;
  /** The voters it leads to; the final configuration of a joint one that was found in the log. */
  readonly target: readonly Voter[];
  readonly add: Voter | undefined;
  /** It was no learner before, so giving up takes it out again. */
  readonly isNewLearner: boolean;
  rounds: number;
  roundEndOffset: number;
  roundStartMs: number;
}

export class Leadership {
  readonly kind = "leader";
  /** The end of the entry this leadership began with; of the log with which it was resumed. */
  readonly leaderChangeEnd: Offset;
  heartbeatAtMs: number;
  progresses: Progress[] = [];
  /** Reads asked before an entry of the own term was committed. */
  earlyReads: number[] = [];
  /** Reads that go out with the next Ready. */
  freshReads: { readonly token: number; readonly offset: Offset }[] = [];
  pendingReads: PendingRead[] = [];
  readSequence = 0;
  change: ChangeUnderWay | undefined;
  transfer: { readonly to: ReplicaKey; readonly untilMs: number; isSent: boolean } | undefined;

  constructor(leaderChangeEnd: Offset, heartbeatAtMs: number) {
    this.leaderChangeEnd = leaderChangeEnd;
    this.heartbeatAtMs = heartbeatAtMs;
  }

  find(key: ReplicaKey): Progress | undefined {
    for (const progress of this.progresses) {
      if (isSameReplica(progress.key, key)) return progress;
    }
    return undefined;
  }

  /**
   * Follows a configuration. Who is no member any more is served a little longer: it has to learn from
   * somebody that it is out, or it asks for votes for ever (pitfall of KIP-853).
   */
  setMembers(
    configuration: Configuration,
    self: ReplicaKey,
    fresh: { readonly nextOffset: Offset; readonly nowMs: number; readonly servedUntilMs: number },
  ): void {
    const members = [
      ...configuration.voters,
      ...(configuration.outgoing ?? []),
      ...configuration.learners,
    ];
    const kept: Progress[] = [];
    for (const member of members) {
      if (isSameReplica(member, self)) continue;
      if (kept.some((progress) => isSameReplica(progress.key, member))) continue;
      const known = this.find(member);
      known?.rename(member);
      const progress = known ?? new Progress(member, fresh.nextOffset, fresh.nowMs);
      progress.servedUntilMs = undefined;
      kept.push(progress);
    }
    for (const progress of this.progresses) {
      if (kept.includes(progress)) continue;
      progress.servedUntilMs ??= fresh.servedUntilMs;
      kept.push(progress);
    }
    this.progresses = kept;
  }
}
