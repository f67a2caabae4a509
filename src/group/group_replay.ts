/**
 * What one record of `__consumer_offsets` changes at the place of its group: the only code that changes
 * durable state, live and at load.
 *
 * A record always finds something to do or is about what is not there any more; none is an error, so
 * that a log which another broker wrote, or a cleaner thinned out, is always loaded.
 *
 *     a classic group becomes a consumer group    tombstone of GroupMetadata, then its records
 *     a consumer group becomes a classic group    tombstones, that of ConsumerGroupMetadata last, then
 *                                                 GroupMetadata
 */
import type {
  GroupMetadataRecord,
  GroupRecord,
  OffsetCommitRecord,
} from "../api/coordinator_record/group_record.ts";
import type { ClusterImage } from "../metadata/image.ts";
import { CommittedOffsets } from "./committed_offsets.ts";
import { ClassicGroup } from "./classic/classic_group.ts";
import { ConsumerGroup } from "./consumer/consumer_group.ts";
import type { AnyGroup } from "./group_classes.ts";
import type { GroupSlot } from "./group_slot.ts";

type ConsumerRecord = Exclude<GroupRecord, OffsetCommitRecord | GroupMetadataRecord>;

/** Every record names its group; the older ones call it so, the newer ones by its id. */
export function groupIdOfRecord({ key }: GroupRecord): string {
  return "group" in key ? key.group : key.groupId;
}

export function replayInto(slot: GroupSlot, record: GroupRecord, image: ClusterImage): void {
  switch (record.kind) {
    case "OffsetCommit":
      return replayOffset(slot, record, image);
    case "GroupMetadata":
      return replayClassic(slot, record);
    default:
      return replayConsumer(slot, record);
  }
}

/** Names and ids of topics are those of the image where it has them, so that each is there once. */
function replayOffset(
  slot: GroupSlot,
  { key: { topic, partition }, value }: OffsetCommitRecord,
  image: ClusterImage,
): void {
  if (value === null) {
    slot.offsets?.remove(topic, partition);
    if (slot.offsets?.isEmpty === true) slot.offsets = undefined;
    return;
  }
  const known = image.topic(topic);
  const topicId = known?.topicId === value.topicId ? known.topicId : value.topicId;
  slot.offsets ??= new CommittedOffsets();
  slot.offsets.put(known?.name ?? topic, partition, { ...value, topicId });
}

function replayClassic(slot: GroupSlot, { value }: GroupMetadataRecord): void {
  if (value === null) {
    if (slot.group?.kind === "classic") slot.group = successorOf(slot, "consumer");
    return;
  }
  const group = slot.group?.kind === "classic" ? slot.group : successorOf(slot, "classic");
  if (group?.kind === "classic") group.replayMetadata(value);
  slot.group = group ?? ClassicGroup.replayed(slot.groupId, value);
}

function replayConsumer(slot: GroupSlot, record: ConsumerRecord): void {
  let group = slot.group?.kind === "consumer" ? slot.group : undefined;
  if (group === undefined) {
    if (record.value === null) return;
    const successor = successorOf(slot, "consumer");
    group = successor?.kind === "consumer" ? successor : new ConsumerGroup(slot.groupId);
    slot.group = group;
  }
  group.replay(record);
  if (record.kind === "ConsumerGroupMetadata" && record.value === null) {
    slot.group = successorOf(slot, "classic");
  }
}

/** The group that has waited for these records, if it is of this kind: it is in force from now on. */
function successorOf({ succession }: GroupSlot, kind: AnyGroup["kind"]): AnyGroup | undefined {
  return succession?.group.kind === kind ? succession.group : undefined;
}
