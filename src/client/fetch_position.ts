/** How far an assigned partition has been fetched, and how far it has been handed out. */
import { assert } from "../ground/assert.ts";
import type { Uuid } from "../ground/uuid.ts";
import type { Assignment } from "./consumer_options.ts";

/** Leader epoch of a record of which nothing is known. */
export const NO_EPOCH = -1;

export interface FetchPosition {
  readonly topic: string;
  readonly partition: number;
  /** Infinity = follow. */
  until: number;
  /** Of which life of its topic the offsets are; undefined where that is not known. */
  topicId: Uuid | undefined;
  fetchOffset: number;
  /** Of the record before `fetchOffset`, as the fetched batches tell it. */
  fetchLeaderEpoch: number;
  /** The first offset that was not handed out. */
  readOffset: number;
  /** Of the record before `readOffset`. */
  readLeaderEpoch: number;
  /** The last answer was that the offset is not there; believed when it comes again. */
  isDoubted: boolean;
  isFetching: boolean;
  /** It is being found out where to go on. */
  isMoving: boolean;
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
  const { topic, partition, from, leaderEpoch = NO_EPOCH } = assignment;
  return {
    topic,
    partition,
    until: assignment.until ?? Infinity,
    topicId: undefined,
    fetchOffset: from,
    fetchLeaderEpoch: leaderEpoch,
    readOffset: from,
    readLeaderEpoch: leaderEpoch,
    isDoubted: false,
    isFetching: false,
    isMoving: false,
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

/** Goes on at another offset; only where all that was fetched has been handed out. */
export function movePosition(position: FetchPosition, offset: number, leaderEpoch: number): void {
  assert(position.readOffset === position.fetchOffset, "nothing fetched waits to be handed out");
  position.fetchOffset = offset;
  position.fetchLeaderEpoch = leaderEpoch;
  position.readOffset = offset;
  position.readLeaderEpoch = leaderEpoch;
  position.isDoubted = false;
}

/** For messages about it. */
export function actionOf({ topic, partition }: FetchPosition): string {
  return `Cannot consume ${topic}-${partition}`;
}
