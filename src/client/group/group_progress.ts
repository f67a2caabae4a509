/**
 * How far a member has come with its partitions: what was handed out, what is done, what is committed.
 *
 *     committed ≤ done ≤ handed out ≤ fetched
 *
 * Keeps: what is offered for a commit is never beyond what was handed out *and* is done. Where all that
 * was handed out is done, that is the place up to which the log was read: control batches and records of
 * aborted transactions, which nobody is handed, are dealt with too.
 *
 * With each place goes the leader epoch of the record before it, so that whoever goes on there can tell
 * whether the log was cut below it (KIP-320).
 *
 * A partition that was lost and comes back begins anew: a late word about its earlier life is cut down to
 * what was handed out in this one.
 */
import type { Uuid } from "../../ground/uuid.ts";
import { type FetchPosition, NO_EPOCH } from "../fetch_position.ts";
import type { TopicPartition } from "../group_options.ts";
import { partitionKey } from "./partition_set.ts";

export interface Progress extends TopicPartition {
  /** Undefined while it is being found out where to begin. */
  position: FetchPosition | undefined;
  handedOut: number;
  /** The most that was ever handed out, also where the log went back since. */
  handedOutMax: number;
  done: number;
  /** Of the record before `done`. */
  doneLeaderEpoch: number;
  /** -1 = nothing. */
  committed: number;
  /** It is being given back or was lost: whoever still looks where to begin does not. */
  isLeaving: boolean;
  /** What was handed out and is not done, as runs of one leader epoch; in order. */
  readonly runs: Run[];
}

interface Run {
  readonly from: number;
  readonly leaderEpoch: number;
}

/** An offset, and the leader epoch of the record before it. */
export interface LogPlace {
  readonly offset: number;
  readonly leaderEpoch: number;
}

export interface Committable extends TopicPartition, LogPlace {
  readonly progress: Progress;
  /** Of the life of the topic in which the offset counts; undefined where that is not known. */
  readonly topicId: Uuid | undefined;
}

export class GroupProgress {
  readonly #entries = new Map<string, Progress>();
  #late: TopicPartition | undefined;

  get size(): number {
    return this.#entries.size;
  }

  /** A partition that is assigned from now on. */
  add({ topic, partition }: TopicPartition): Progress {
    const progress: Progress = {
      topic,
      partition,
      position: undefined,
      handedOut: -1,
      handedOutMax: -1,
      done: -1,
      doneLeaderEpoch: NO_EPOCH,
      committed: -1,
      isLeaving: false,
      runs: [],
    };
    this.#entries.set(partitionKey(progress), progress);
    return progress;
  }

  /** It is known where to begin. */
  begin(progress: Progress, position: FetchPosition, committed: number): void {
    progress.position = position;
    progress.handedOut = position.readOffset;
    progress.handedOutMax = position.readOffset;
    progress.done = position.readOffset;
    progress.doneLeaderEpoch = position.readLeaderEpoch;
    progress.committed = committed;
  }

  get(partition: TopicPartition): Progress | undefined {
    return this.#entries.get(partitionKey(partition));
  }

  /** Whether this is the present life of its partition. */
  has(progress: Progress): boolean {
    return this.get(progress) === progress;
  }

  /** Whether it is to be read: it is present, and nobody has begun to take it away. */
  isWanted(progress: Progress): boolean {
    return this.has(progress) && !progress.isLeaving;
  }

  delete(progress: Progress): void {
    if (this.has(progress)) this.#entries.delete(partitionKey(progress));
  }

  all(): readonly Progress[] {
    return [...this.#entries.values()];
  }

  /**
   * The application gets records from `from` (where it was read to) up to `until`, not included; their
   * leader epoch is the position's by now.
   */
  handOut(partition: TopicPartition, from: LogPlace, until: number): void {
    const progress = this.get(partition);
    if (progress?.position === undefined) return;
    const { runs } = progress;
    if (progress.done === progress.handedOut) {
      runs.length = 0;
      progress.done = from.offset;
      progress.doneLeaderEpoch = from.leaderEpoch;
    }
    const leaderEpoch = progress.position.readLeaderEpoch;
    if (runs.at(-1)?.leaderEpoch !== leaderEpoch) runs.push({ from: from.offset, leaderEpoch });
    progress.handedOut = until;
    progress.handedOutMax = Math.max(progress.handedOutMax, until);
  }

  /**
   * It is read on from `offset`: what was handed out from there on is not in the log any more. What lies
   * below and is not done is still to be done, and what was committed may be of another topic.
   */
  move(partition: TopicPartition, offset: number): void {
    const progress = this.get(partition);
    if (progress === undefined) return;
    progress.handedOut = Math.min(progress.handedOut, offset);
    progress.done = Math.min(progress.done, offset);
    progress.committed = -1;
    while ((progress.runs.at(-1)?.from ?? -Infinity) >= offset) progress.runs.pop();
  }

  finish(partition: TopicPartition, nextOffset: number): void {
    const progress = this.get(partition);
    if (progress?.position === undefined || nextOffset > progress.handedOutMax) {
      this.#late = partition;
    }
    if (progress?.position === undefined) return;
    progress.done = Math.max(progress.done, Math.min(nextOffset, progress.handedOut));
    const { runs, done } = progress;
    while (runs[0] !== undefined && runs[0].from < done) {
      progress.doneLeaderEpoch = runs[0].leaderEpoch;
      if ((runs[1]?.from ?? Infinity) >= done) break; // in the middle of this one
      runs.shift();
    }
  }

  /** A partition with which the application was through when it had been lost already; tells it once. */
  takeLate(): TopicPartition | undefined {
    const late = this.#late;
    this.#late = undefined;
    return late;
  }

  /** Whether nothing that was handed out of these waits for the application. */
  isFinished(entries: readonly Progress[]): boolean {
    return entries.every((progress) => !this.has(progress) || progress.done >= progress.handedOut);
  }

  /** What a commit would tell anew, of these partitions or of all. */
  committable(entries: Iterable<Progress> = this.#entries.values()): readonly Committable[] {
    const items: Committable[] = [];
    for (const progress of entries) {
      const { topic, partition, position, done, doneLeaderEpoch } = progress;
      if (position === undefined || !this.has(progress)) continue;
      const isFinished = done >= progress.handedOut;
      const offset = isFinished ? Math.min(position.readOffset, position.until) : done;
      if (offset === progress.committed) continue;
      const isRead = isFinished && offset === position.readOffset;
      const leaderEpoch = isRead ? position.readLeaderEpoch : doneLeaderEpoch;
      items.push({ topic, partition, progress, offset, leaderEpoch, topicId: position.topicId });
    }
    return items;
  }
}
