/**
 * What becomes of the partitions when a broker comes, goes, or may no longer lead.
 *
 * The rules are those of `partition_change.ts`; here is which partitions are looked at, and who counts
 * as active while the record that changes it is itself only being decided. All partitions are walked:
 * ten thousand take about a millisecond, and brokers come and go seldom.
 */
import type { ClusterImage, PartitionImage, TopicImage } from "./image.ts";
import { changePartition, type Election, type PartitionTarget } from "./partition_change.ts";
import { NO_LEADER } from "./partition_image.ts";
import type { PartitionChangeRecord } from "./record.ts";
import { type BrokerValue, topicConfigValue } from "./topic_config.ts";

/** Whether a replica from outside the ISR may lead when nobody else can: records may be lost then. */
export function mayElectUnclean({ config }: TopicImage, brokerValue: BrokerValue): boolean {
  return topicConfigValue("unclean.leader.election.enable", config, brokerValue) === true;
}

export interface BrokerLeaves {
  readonly brokerId: number;
  readonly brokerValue: BrokerValue;
  /** It is not registered any more. */
  readonly isGone?: boolean;
  /**
   * It comes back with a log that may have lost its newest records. Where it leads on, followers may
   * have them still: under a leader epoch of its own what it writes next is told from them.
   */
  readonly mayHaveLost?: boolean;
  /** It serves again with the same decision: nobody need take over what only it has. */
  readonly isBack?: boolean;
}

/** The broker leaves every ISR in which somebody else can stay, and leads only what only it has. */
export function recordsOfLeaving(
  image: ClusterImage,
  { brokerId, brokerValue, isGone = false, mayHaveLost = false, isBack = false }: BrokerLeaves,
): readonly PartitionChangeRecord[] {
  const isActive = (id: number): boolean => id !== brokerId && image.isActive(id);
  return changesOf(image, brokerValue, isActive, (partition) => {
    if (!partition.isr.includes(brokerId)) return undefined;
    const leads = partition.leader === brokerId;
    return {
      bumpsLeaderEpoch: leads && mayHaveLost && partition.replicas.length > 1,
      ...(isBack ? { election: "online" } : {}),
      ...(isGone ? { gone: brokerId } : {}),
    };
  });
}

/** The broker may lead again: what nobody leads, and what it may take over uncleanly. */
export function recordsOfReturning(
  image: ClusterImage,
  brokerId: number,
  brokerValue: BrokerValue,
): readonly PartitionChangeRecord[] {
  const isActive = (id: number): boolean => id === brokerId || image.isActive(id);
  return changesOf(image, brokerValue, isActive, ({ leader, replicas }) => {
    const isWithout = leader === NO_LEADER || !isActive(leader);
    return isWithout && replicas.includes(brokerId) ? {} : undefined;
  });
}

/** Whether somebody else could take over something that the broker leads. */
export function hasLeadershipsToMove(image: ClusterImage, brokerId: number): boolean {
  for (const { partitions } of image.topics()) {
    for (const { leader, isr } of partitions) {
      if (leader === brokerId && isr.some((id) => id !== brokerId && image.isActive(id))) {
        return true;
      }
    }
  }
  return false;
}

function changesOf(
  image: ClusterImage,
  brokerValue: BrokerValue,
  isActive: (brokerId: number) => boolean,
  targetOf: (partition: PartitionImage) => PartitionTarget | undefined,
): readonly PartitionChangeRecord[] {
  const records: PartitionChangeRecord[] = [];
  for (const topic of image.topics()) {
    let election: Election | undefined;
    for (const partition of topic.partitions) {
      const target = targetOf(partition);
      if (target === undefined) continue;
      election ??= mayElectUnclean(topic, brokerValue) ? "unclean" : "online";
      const record = changePartition(partition, { election, ...target }, isActive);
      if (record !== undefined) records.push(record);
    }
  }
  return records;
}
