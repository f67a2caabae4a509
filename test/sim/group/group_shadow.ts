/**
 * What groups have committed and were handed so far, for all that clients and coordinators were seen to do.
 *
 *     written        every record of a commit, in the order in which coordinators appended it
 *     acknowledged   how far into that a client was told that its commit is kept
 *
 * A commit that was acknowledged, or a later one, is what every reader and every load finds. Nothing is
 * promised any more behind a disk that was lost or lies.
 */
import type { Shadow } from "../shadow.ts";

/** -1 = a tombstone. */
interface Written {
  readonly recordOffset: number;
  readonly value: number;
}

export class CommitHistory {
  written: Written[] = [];
  /** The index of the last one that must be kept; -1 = none. */
  acknowledged = -1;
}

export class GroupShadow {
  readonly #shadow: Shadow;
  readonly #histories = new Map<string, CommitHistory>();
  readonly #handedOut = new Map<string, Set<number>>();
  #isForgiven = false;

  constructor(shadow: Shadow) {
    this.#shadow = shadow;
  }

  get isTrusted(): boolean {
    return !this.#isForgiven && !this.#shadow.isDamaged;
  }

  /** A disk is gone, and with it groups of which it had the only copy. */
  forgive(): void {
    this.#isForgiven = true;
  }

  historyOf(groupId: string, topic: string, partition: number): CommitHistory {
    const key = `${groupId} ${topic}-${partition}`;
    let history = this.#histories.get(key);
    if (history === undefined) this.#histories.set(key, history = new CommitHistory());
    return history;
  }

  histories(): Iterable<readonly [string, CommitHistory]> {
    return this.#histories;
  }

  handedOut(groupId: string, topic: string, partition: number): Set<number> {
    const key = `${groupId} ${topic}-${partition}`;
    let handed = this.#handedOut.get(key);
    if (handed === undefined) this.#handedOut.set(key, handed = new Set());
    return handed;
  }

  /** Acknowledged records below `offset` that nobody of the group was handed, and nobody has removed. */
  skipped(groupId: string, topic: string, at: { partition: number; offset: number }): number[] {
    const shadow = this.#shadow.topics.get(topic)?.partition(at.partition);
    if (shadow === undefined || shadow.lossCount > 0 || !this.isTrusted) return [];
    const handed = this.handedOut(groupId, topic, at.partition);
    return [...shadow.expected.keys()].filter((offset) =>
      offset >= shadow.startMax && offset < at.offset && !handed.has(offset)
    );
  }
}
