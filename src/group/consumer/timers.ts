/**
 * Until when each member has to do something: heartbeat, give back partitions, join, sync.
 *
 *     session     every member; renewed by each heartbeat
 *     rebalance   a member that has to give back partitions, while it stays in its epoch
 *     join, sync  a classic member that was told to join again, or has joined and is to ask for its
 *                 assignment
 *
 * Soft: after a load every member has a whole session. Heartbeats come often and deadlines pass
 * rarely, so there is no order among them: `wakeAt` is a time before which nothing is due, and it is
 * made exact by looking at all of them when it has come, about once in a session.
 */
import type { Ms } from "../../ground/numbers.ts";

const NEVER = Number.POSITIVE_INFINITY;

interface Deadlines {
  sessionAt: number;
  rebalanceAt: number;
  /** The epoch in which the member was told to give back; in another one the deadline is void. */
  rebalanceEpoch: number;
  joinAt: number;
  syncAt: number;
}

export type Overdue = "session" | "rebalance" | "join" | "sync";

export interface OverdueMember {
  readonly memberId: string;
  readonly overdue: Overdue;
  readonly rebalanceEpoch: number;
}

export class MemberTimers {
  readonly #deadlines = new Map<string, Deadlines>();
  #wakeAt = NEVER;

  get wakeAt(): Ms | undefined {
    return this.#wakeAt === NEVER ? undefined : this.#wakeAt as Ms;
  }

  has(memberId: string): boolean {
    return this.#deadlines.has(memberId);
  }

  startSession(memberId: string, at: number): void {
    this.#of(memberId).sessionAt = at;
    this.#noteDeadline(at);
  }

  startRebalance(memberId: string, at: number, memberEpoch: number): void {
    const deadlines = this.#of(memberId);
    deadlines.rebalanceAt = at;
    deadlines.rebalanceEpoch = memberEpoch;
    this.#noteDeadline(at);
  }

  cancelRebalance(memberId: string): void {
    const deadlines = this.#deadlines.get(memberId);
    if (deadlines !== undefined) deadlines.rebalanceAt = NEVER;
  }

  startJoinIfNone(memberId: string, at: number): void {
    const deadlines = this.#of(memberId);
    if (deadlines.joinAt !== NEVER) return;
    deadlines.joinAt = at;
    this.#noteDeadline(at);
  }

  cancelJoin(memberId: string): void {
    const deadlines = this.#deadlines.get(memberId);
    if (deadlines !== undefined) deadlines.joinAt = NEVER;
  }

  startSync(memberId: string, at: number): void {
    this.#of(memberId).syncAt = at;
    this.#noteDeadline(at);
  }

  cancelSync(memberId: string): void {
    const deadlines = this.#deadlines.get(memberId);
    if (deadlines !== undefined) deadlines.syncAt = NEVER;
  }

  forget(memberId: string): void {
    this.#deadlines.delete(memberId);
    if (this.#deadlines.size === 0) this.#wakeAt = NEVER;
  }

  /**
   * Whose time is over. They are asked about again at `retryAt`: the log may refuse what is decided
   * of it, and a member that is gone by then is forgotten.
   */
  takeOverdue(now: Ms, retryAt: number): readonly OverdueMember[] {
    if (now < this.#wakeAt) return [];
    const found: OverdueMember[] = [];
    this.#wakeAt = NEVER;
    for (const [memberId, deadlines] of this.#deadlines) {
      const overdue = overdueOf(deadlines, now);
      if (overdue !== undefined) {
        found.push({ memberId, overdue, rebalanceEpoch: deadlines.rebalanceEpoch });
        postpone(deadlines, now, retryAt);
      }
      const { sessionAt, rebalanceAt, joinAt, syncAt } = deadlines;
      this.#noteDeadline(Math.min(sessionAt, rebalanceAt, joinAt, syncAt));
    }
    return found;
  }

  #of(memberId: string): Deadlines {
    let deadlines = this.#deadlines.get(memberId);
    if (deadlines === undefined) {
      deadlines = {
        sessionAt: NEVER,
        rebalanceAt: NEVER,
        rebalanceEpoch: 0,
        joinAt: NEVER,
        syncAt: NEVER,
      };
      this.#deadlines.set(memberId, deadlines);
    }
    return deadlines;
  }

  #noteDeadline(at: number): void {
    if (at < this.#wakeAt) this.#wakeAt = at;
  }
}

function overdueOf(deadlines: Deadlines, now: Ms): Overdue | undefined {
  if (deadlines.sessionAt <= now) return "session";
  if (deadlines.rebalanceAt <= now) return "rebalance";
  if (deadlines.joinAt <= now) return "join";
  if (deadlines.syncAt <= now) return "sync";
  return undefined;
}

function postpone(deadlines: Deadlines, now: Ms, retryAt: number): void {
  if (deadlines.sessionAt <= now) deadlines.sessionAt = retryAt;
  if (deadlines.rebalanceAt <= now) deadlines.rebalanceAt = retryAt;
  if (deadlines.joinAt <= now) deadlines.joinAt = retryAt;
  if (deadlines.syncAt <= now) deadlines.syncAt = retryAt;
}
