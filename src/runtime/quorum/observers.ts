/**
 * Who follows the metadata log without a vote, how far it has come, and when that was known: for those
 * who ask for a description of the quorum.
 *
 * A follower pulls from any controller, and tells the active one by its heartbeats how far it is; both
 * count. One that is silent for five minutes is forgotten.
 * Source: kafka: LeaderState.ReplicaState.updateFollowerState, LeaderState.clearInactiveObservers.
 */
import type { Offset } from "../../ground/numbers.ts";
import type { ReplicaKey } from "../../raft/configuration.ts";

export interface ObserverStatus {
  readonly key: ReplicaKey;
  /** It has everything below. */
  readonly endOffset: Offset;
  /** Moments of the monotonic clock; -1 = never. */
  readonly lastContactMs: number;
  readonly lastCaughtUpMs: number;
}

interface Observer {
  directoryId: ReplicaKey["directoryId"];
  endOffset: Offset;
  lastContactMs: number;
  /** Where the log ended at that moment. */
  lastLogEnd: Offset;
  lastCaughtUpMs: number;
}

const SESSION_MS = 300_000;
/** Many more than a cluster has nodes. */
const OBSERVERS_MAX = 1000;

export class Observers {
  /** By node id, the one heard longest ago first. */
  readonly #observers = new Map<number, Observer>();

  /** `key` has everything below `endOffset`, and what is committed ends at `logEnd`. */
  heard(
    key: ReplicaKey,
    at: { readonly endOffset: Offset; readonly logEnd: Offset },
    nowMs: number,
  ): void {
    const { endOffset, logEnd } = at;
    const before = this.#observers.get(key.id);
    this.#observers.delete(key.id);
    this.#observers.set(key.id, {
      directoryId: key.directoryId,
      endOffset,
      lastContactMs: nowMs,
      lastLogEnd: logEnd,
      lastCaughtUpMs: caughtUpMs(before, at, nowMs),
    });
    const [oldest] = this.#observers.keys();
    if (this.#observers.size > OBSERVERS_MAX) this.#observers.delete(oldest as number);
  }

  /** In the order of their ids. */
  list(nowMs: number): readonly ObserverStatus[] {
    for (const [id, { lastContactMs }] of this.#observers) {
      if (nowMs - lastContactMs < SESSION_MS) break;
      this.#observers.delete(id);
    }
    return [...this.#observers].sort(([one], [other]) => one - other)
      .map(([id, { directoryId, endOffset, lastContactMs, lastCaughtUpMs }]) => ({
        key: { id, directoryId },
        endOffset,
        lastContactMs,
        lastCaughtUpMs,
      }));
  }
}

/** One that has all that was there when it was last heard had caught up then, however much came since. */
function caughtUpMs(
  before: Observer | undefined,
  { endOffset, logEnd }: { readonly endOffset: Offset; readonly logEnd: Offset },
  nowMs: number,
): number {
  if (endOffset >= logEnd) return nowMs;
  if (before === undefined) return -1;
  return endOffset >= before.lastLogEnd ? before.lastContactMs : before.lastCaughtUpMs;
}
