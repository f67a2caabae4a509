/**
 * How far a member has come with its partitions: what was handed out, what is done, what is committed.
 *
 *     committed ≤ done ≤ handed out ≤ fetched
 *
 * Keeps: what is offered for a commit is never beyond what was handed out *and* is done. Where all that
 * was handed out is done, that is the place up to which the log was read: control batches and records of
 * aborted transactions, which nobody is handed, are dealt with too.
 *
 * A partition that was lost and comes back begins anew: a late word about its earlier life is cut down to
 * what was handed out in this one.
 */
import type { FetchPosition } from "../fetch_position.ts";
import type { TopicPartition } from "../group_options.ts";
import { partitionKey } from "./partition_set.ts";

export interface Progress extends TopicPartition {
  /** Undefined while it is being found out where to begin. */
  position: FetchPosition | undefined;
  handedOut: number;
  done: number;
  /** -1 = nothing. */
  committed: number;
}

export interface Committable extends TopicPartition {
  readonly progress: Progress;
  readonly offset: number;
}

export class GroupProgress {
  readonly #entries = new Map<string, Progress>();

  get size(): number {
    return this.#entries.size;
  }

  /** A partition that is assigned from now on. */
  add({ topic, partition }: TopicPartition): Progress {
    const progress = {
      topic,
      partition,
      position: undefined,
      handedOut: -1,
      done: -1,
      committed: -1,
    };
    this.#entries.set(partitionKey(progress), progress);
    return progress;
  }

  /** It is known where to begin. */
  begin(progress: Progress, position: FetchPosition, committed: number): void {
    progress.position = position;
    progress.handedOut = position.readOffset;
    progress.done = position.readOffset;
    progress.committed = committed;
  }

  get(partition: TopicPartition): Progress | undefined {
    return this.#entries.get(partitionKey(partition));
  }

  /** Whether this is the present life of its partition. */
  has(progress: Progress): boolean {
    return this.get(progress) === progress;
  }

  delete(progress: Progress): void {
    if (this.has(progress)) this.#entries.delete(partitionKey(progress));
  }

  all(): readonly Progress[] {
    return [...this.#entries.values()];
  }

  /** The application gets records from `from` (where it was read to) up to `until`, not included. */
  handOut(partition: TopicPartition, from: number, until: number): void {
    const progress = this.get(partition);
    if (progress === undefined) return;
    if (from < progress.handedOut) progress.done = from; // the log itself went back: begun anew
    if (progress.done === progress.handedOut) progress.done = from;
    progress.handedOut = until;
  }

  finish(partition: TopicPartition, nextOffset: number): void {
    const progress = this.get(partition);
    if (progress === undefined || progress.position === undefined) return;
    progress.done = Math.max(progress.done, Math.min(nextOffset, progress.handedOut));
  }

  /** Whether nothing that was handed out of these waits for the application. */
  isFinished(entries: readonly Progress[]): boolean {
    return entries.every((progress) => !this.has(progress) || progress.done >= progress.handedOut);
  }

  /** What a commit would tell anew, of these partitions or of all. */
  committable(entries: readonly Progress[] = this.all()): readonly Committable[] {
    return entries.flatMap((progress) => {
      const { topic, partition, position } = progress;
      if (position === undefined || !this.has(progress)) return [];
      const isFinished = progress.done >= progress.handedOut;
      const offset = isFinished ? Math.min(position.readOffset, position.until) : progress.done;
      return offset === progress.committed ? [] : [{ topic, partition, progress, offset }];
    });
  }
}
