/** How far an assigned partition has been fetched, and how far it has been handed out. */
import type { Assignment } from "./consumer_options.ts";

export interface FetchPosition {
  readonly topic: string;
  readonly partition: number;
  /** Infinity = follow. */
  readonly until: number;
  fetchOffset: number;
  /** The first offset that was not handed out. */
  readOffset: number;
  isFetching: boolean;
  /** Nothing of it is wanted any more, not even what was fetched. */
  isRemoved: boolean;
  /** Was never fetched. */
  isFresh: boolean;
  /** Failures in a row, and since when, by the monotonic clock. */
  failureCount: number;
  failingSinceMs: number;
  /** By the monotonic clock: not fetched before. */
  notBeforeMs: number;
}

export function newPosition(assignment: Assignment): FetchPosition {
  const { topic, partition, from } = assignment;
  return {
    topic,
    partition,
    until: assignment.until ?? Infinity,
    fetchOffset: from,
    readOffset: from,
    isFetching: false,
    isRemoved: false,
    isFresh: true,
    failureCount: 0,
    failingSinceMs: 0,
    notBeforeMs: 0,
  };
}

/** Whether it is wanted, and has not been fetched to its end. */
export function mustFetch({ fetchOffset, until, isRemoved }: FetchPosition): boolean {
  return !isRemoved && fetchOffset < until;
}

/** For messages about it. */
export function actionOf({ topic, partition }: FetchPosition): string {
  return `Cannot consume ${topic}-${partition}`;
}
