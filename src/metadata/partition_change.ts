/**
 * The record that brings a partition from what it is to what it should be: who is in sync, who leads,
 * which replicas there are. Every decision about a partition that exists comes through here, so that
 * the rules hold everywhere:
 *
 * - the ISR is never empty and never leaves the replicas; the leader is in the ISR, or nobody leads;
 * - who is not active leaves the ISR where somebody active stays in it; the last one stays, and leads
 *   on in the record although it cannot be reached: nobody else has all that was acknowledged;
 * - only an unclean election, where the topic allows it, takes a leader from outside the ISR, and the
 *   ISR is then that leader alone;
 * - the leader epoch grows when the leader changes, when replicas leave the partition (kafka: a leader
 *   must not count one that has left), and when `bumpsLeaderEpoch` asks for it. It does not grow when
 *   the ISR shrinks or grows (KAFKA-15021). The partition epoch grows with every record.
 *
 * Source: kafka: PartitionChangeBuilder, PartitionReassignmentReplicas, for the order of elections and
 * for when a reassignment is done. Unlike Kafka a leader that cannot be replaced keeps its name and
 * epoch, so that a node that starts anew writes nothing for its partitions.
 */
import { NO_LEADER, type PartitionImage, sameIds } from "./partition_image.ts";
import type { PartitionChangeRecord } from "./record.ts";

/**
 * online: the present leader where it may lead, else the first replica that may.
 * preferred: the first replica where it may lead, else as online.
 * unclean: as online, and where nobody of the ISR may lead, the first active replica.
 */
export type Election = "online" | "preferred" | "unclean";

export interface PartitionTarget {
  readonly isr?: readonly number[];
  readonly replicas?: readonly number[];
  readonly addingReplicas?: readonly number[];
  readonly removingReplicas?: readonly number[];
  readonly election?: Election;
  /** The leader epoch grows even where the leader stays. */
  readonly bumpsLeaderEpoch?: boolean;
  /** A broker that is not registered any more: it leads nothing, not even what only it has. */
  readonly gone?: number;
}

/** Whether a broker may be made a leader. */
export type IsActive = (brokerId: number) => boolean;

type Assignment = Required<
  Pick<PartitionTarget, "isr" | "replicas" | "addingReplicas" | "removingReplicas">
>;

interface Elected {
  readonly leader: number;
  readonly isr: readonly number[];
}

/** Undefined where nothing changes. */
export function changePartition(
  before: PartitionImage,
  target: PartitionTarget,
  isActive: IsActive,
): PartitionChangeRecord | undefined {
  const { isr, replicas, addingReplicas, removingReplicas } = { ...before, ...target };
  const wanted = completed({ isr, replicas, addingReplicas, removingReplicas });
  const present = before.leader === target.gone ? NO_LEADER : before.leader;
  const elected = elect(present, wanted, target.election ?? "online", isActive);
  const changes = changesBetween(before, { ...wanted, ...elected });
  const hasLost = !before.replicas.every((id) => wanted.replicas.includes(id));
  const bumpsLeaderEpoch = elected.leader !== before.leader || hasLost ||
    target.bumpsLeaderEpoch === true;
  if (!bumpsLeaderEpoch && Object.keys(changes).length === 0) return undefined;
  const { topicId, partitionId } = before;
  return {
    kind: "partition-change",
    version: 0,
    topicId,
    partitionId,
    ...changes,
    bumpsLeaderEpoch,
  };
}

function changesBetween(
  before: PartitionImage,
  { isr, leader, replicas, addingReplicas, removingReplicas }: Assignment & Elected,
): Partial<PartitionChangeRecord> {
  return {
    ...(sameIds(isr, before.isr) ? {} : { isr }),
    ...(leader === before.leader ? {} : { leader }),
    ...(sameIds(replicas, before.replicas) ? {} : { replicas }),
    ...(sameIds(addingReplicas, before.addingReplicas) ? {} : { addingReplicas }),
    ...(sameIds(removingReplicas, before.removingReplicas) ? {} : { removingReplicas }),
  };
}

/** Where every replica that stays is in sync, the others leave, and the reassignment is over. */
function completed(wanted: Assignment): Assignment {
  const { addingReplicas, removingReplicas } = wanted;
  if (addingReplicas.length === 0 && removingReplicas.length === 0) return wanted;
  const stays = (brokerId: number): boolean => !removingReplicas.includes(brokerId);
  const replicas = wanted.replicas.filter(stays);
  const isr = wanted.isr.filter(stays);
  const isDone = replicas.length > 0 && replicas.every((id) => isr.includes(id));
  return isDone ? { replicas, isr, addingReplicas: [], removingReplicas: [] } : wanted;
}

function elect(
  present: number,
  { isr, replicas }: Assignment,
  election: Election,
  isActive: IsActive,
): Elected {
  const mayLead = (brokerId: number): boolean => isr.includes(brokerId) && isActive(brokerId);
  const active = isr.filter(isActive);
  if (active.length > 0) {
    const first = replicas[0] as number;
    const leader = election === "preferred" && mayLead(first)
      ? first
      : mayLead(present)
      ? present
      : replicas.find(mayLead) as number;
    return { leader, isr: active };
  }
  const unclean = election === "unclean" ? replicas.find(isActive) : undefined;
  if (unclean !== undefined) return { leader: unclean, isr: [unclean] };
  // The present leader is the last one of the ISR, or nobody leads.
  return { leader: isr.includes(present) ? present : NO_LEADER, isr };
}
