/**
 * Whether an offset may be written as it is: it goes back, or goes, only where somebody has ordered it.
 *
 *     back    somebody who is no member, or a member's own older request that a newer one has overtaken
 *     gone    a deletion, the end of its topic, its age
 */
import type { OffsetCommitRecord } from "../../../src/api/coordinator_record/group_record.ts";
import type { GroupRequest } from "../../../src/group/group_request.ts";
import type { GroupShadow, Place } from "./group_shadow.ts";

/** `cause` is what the shard was asked; undefined for a turn of its own. */
export function isOrdered(
  groups: GroupShadow,
  { key, value }: OffsetCommitRecord,
  cause: GroupRequest | undefined,
): boolean {
  const { group: groupId, topic, partition } = key;
  if (value === null) return mayGo(groups, topic, cause);
  const place = { groupId, topic, partition };
  const { offset } = value;
  const isOn = offset >= groups.historyOf(groupId, topic, partition).last;
  return isOn || groups.mayHaveLost(place) || mayGoBack(groups, { place, offset, cause });
}

function mayGo(groups: GroupShadow, topic: string, cause: GroupRequest | undefined): boolean {
  if (cause?.kind === "OffsetDelete" || cause?.kind === "DeleteGroup") return true;
  return groups.mayHaveEnded(topic) || cause === undefined && groups.mayExpire;
}

function mayGoBack(
  groups: GroupShadow,
  { place, offset, cause }: {
    readonly place: Place;
    readonly offset: number;
    readonly cause: GroupRequest | undefined;
  },
): boolean {
  if (cause?.kind !== "OffsetCommit") return false;
  const { memberId, generationIdOrMemberEpoch } = cause.body;
  const { groupId, topic, partition } = place;
  const present = groups.historyOf(groupId, topic, partition).last;
  return generationIdOrMemberEpoch < 0 || groups.isLate(place, memberId, { offset, present });
}
