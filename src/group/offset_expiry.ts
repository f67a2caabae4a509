/**
 * Which committed offsets of a group have outlived their retention, and which go because their topic
 * was deleted.
 *
 *     state of the group                          the retention counts from
 *     a consumer without membership               the commit
 *     classic, Empty                              when it became empty; else the commit
 *     classic, Stable, of subscribed consumers    the commit
 *     classic, rebalancing, or of other clients   – nothing expires
 *     consumer                                    the commit
 *
 * Offsets of a topic that members subscribe never expire. A commit that asked for a retention of its
 * own (OffsetCommit 2–4) goes by that alone.
 *
 * Source: KIP-211; kafka: OffsetExpirationConditionImpl, OffsetMetadataManager.cleanupExpiredOffsets,
 * GroupCoordinatorShard.cleanupGroupMetadata.
 */
import type { CommittedOffset, CommittedOffsets } from "./committed_offsets.ts";
import type { ExpiryBase, Group } from "./group.ts";
import { offsetTombstone } from "./offset_requests.ts";
import type { Turn } from "./turn.ts";

/** What the rules have to know of a group; `group` is undefined for a consumer without membership. */
export interface ExpiringGroup {
  readonly groupId: string;
  readonly group: Group | undefined;
  readonly offsets: CommittedOffsets | undefined;
}

/** Writes tombstones for what has expired; a group that is empty and keeps no offset goes too. */
export function expire(turn: Turn, expiring: ExpiringGroup): void {
  const { group } = expiring;
  const isAllExpired = expireOffsets(turn, expiring);
  if (isAllExpired && group?.isEmpty === true) group.writeTombstones(turn);
}

function expireOffsets(turn: Turn, { groupId, group, offsets }: ExpiringGroup): boolean {
  if (offsets === undefined) return true;
  const base = group?.expiryBase() ?? "commit";
  if (base === "never") return false;
  let isAllExpired = true;
  for (const [topic, partitions] of offsets.topics()) {
    if (group?.isSubscribedTo(topic) === true) {
      isAllExpired = false;
      continue;
    }
    for (const [partition, committed] of partitions) {
      if (isExpired(turn, committed, base)) turn.write(offsetTombstone(groupId, topic, partition));
      else isAllExpired = false;
    }
  }
  return isAllExpired;
}

function isExpired(
  { now, settings }: Turn,
  { committedAtMs, expireAtMs }: CommittedOffset,
  base: Exclude<ExpiryBase, "never">,
): boolean {
  if (expireAtMs >= 0) return now >= expireAtMs;
  return now - (base === "commit" ? committedAtMs : base) >= settings.offsetsRetentionMs;
}

/** Writes tombstones for the offsets of which `isGone` says that their topic is no more. */
export function removeOffsets(
  turn: Turn,
  { groupId, offsets }: ExpiringGroup,
  isGone: (topic: string, committed: CommittedOffset) => boolean,
): void {
  offsets?.forEach((topic, partition, committed) => {
    if (isGone(topic, committed)) turn.write(offsetTombstone(groupId, topic, partition));
  });
}
