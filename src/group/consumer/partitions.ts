/**
 * Which partitions somebody has: by topic id, ascending and without duplicates, and the set algebra on
 * it that reconciliation is made of.
 *
 * Keeps: no topic is there without partitions, so two equal sets have equal sizes. Nothing is changed
 *        in place.
 */
import type { Uuid } from "../../ground/uuid.ts";

export type Partitions = ReadonlyMap<Uuid, readonly number[]>;

/** As requests, answers and records have them. */
export interface TopicPartitions {
  readonly topicId: Uuid;
  readonly partitions: readonly number[];
}

export const NO_PARTITIONS: Partitions = new Map();
const NONE: readonly number[] = [];

export function partitionsOf(list: readonly TopicPartitions[]): Partitions {
  if (list.length === 0) return NO_PARTITIONS;
  const found = new Map<Uuid, readonly number[]>();
  for (const { topicId, partitions } of list) {
    const before = found.get(topicId);
    const all = before === undefined ? partitions : [...before, ...partitions];
    if (all.length > 0) found.set(topicId, ascending(all));
  }
  return found;
}

export function listOf(partitions: Partitions): readonly TopicPartitions[] {
  return Array.from(partitions, ([topicId, ids]) => ({ topicId, partitions: ids }));
}

/** Ascending and once each; the list itself where it is so already. */
export function ascending(ids: readonly number[]): readonly number[] {
  for (let at = 1; at < ids.length; at++) {
    if ((ids[at] as number) <= (ids[at - 1] as number)) {
      return [...new Set(ids)].sort((one, other) => one - other);
    }
  }
  return ids;
}

export function countOf(partitions: Partitions): number {
  let count = 0;
  for (const ids of partitions.values()) count += ids.length;
  return count;
}

export function samePartitions(one: Partitions, other: Partitions): boolean {
  if (one === other) return true;
  if (one.size !== other.size) return false;
  for (const [topicId, ids] of one) {
    if (!sameIds(ids, other.get(topicId))) return false;
  }
  return true;
}

function sameIds(one: readonly number[], other: readonly number[] | undefined): boolean {
  if (one === other) return true;
  if (other === undefined || one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

export function has(partitions: Partitions, topicId: Uuid, partitionId: number): boolean {
  return contains(partitions.get(topicId) ?? NONE, partitionId);
}

/** Whether every one of `list` is in `partitions`; an absent list is in nothing. */
export function isSubset(
  list: readonly TopicPartitions[] | null,
  partitions: Partitions,
): boolean {
  return list !== null &&
    list.every(({ topicId, partitions: ids }) => ids.every((id) => has(partitions, topicId, id)));
}

export function intersection(one: Partitions, other: Partitions): Partitions {
  return filtered(one, (topicId, partitionId) => has(other, topicId, partitionId));
}

export function difference(one: Partitions, other: Partitions): Partitions {
  if (other.size === 0) return one;
  return filtered(one, (topicId, partitionId) => !has(other, topicId, partitionId));
}

export function union(one: Partitions, other: Partitions): Partitions {
  if (other.size === 0) return one;
  if (one.size === 0) return other;
  const all = new Map(one);
  for (const [topicId, ids] of other) {
    const before = all.get(topicId);
    all.set(topicId, before === undefined ? ids : ascending([...before, ...ids]));
  }
  return all;
}

/** Those that are kept; the set itself where all are. */
export function filtered(
  partitions: Partitions,
  isKept: (topicId: Uuid, partitionId: number) => boolean,
): Partitions {
  const kept = new Map<Uuid, readonly number[]>();
  let isWhole = true;
  for (const [topicId, ids] of partitions) {
    const left = ids.filter((id) => isKept(topicId, id));
    if (left.length === ids.length) kept.set(topicId, ids);
    else isWhole = false;
    if (left.length > 0 && left.length < ids.length) kept.set(topicId, left);
  }
  if (isWhole) return partitions;
  return kept.size === 0 ? NO_PARTITIONS : kept;
}

function contains(ids: readonly number[], id: number): boolean {
  let low = 0;
  let high = ids.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = ids[middle] as number;
    if (found === id) return true;
    if (found < id) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}
