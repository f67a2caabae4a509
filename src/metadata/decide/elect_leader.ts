/**
 * Leaders are chosen anew because somebody asks (KIP-183, KIP-460): the preferred one, the first
 * replica; or, where a partition has no leader that can be reached, anyone that is there.
 * Source: kafka: ReplicationControlManager.electLeaders.
 */
import { ErrorCode, errorFacts } from "../../api/error_code.ts";
import type { Decision } from "../decision.ts";
import type { ClusterImage, PartitionImage } from "../image.ts";
import { refuseBelowCluster } from "../level_gate.ts";
import { changePartition } from "../partition_change.ts";
import { PendingPartitions } from "../pending_partitions.ts";
import { type Refusal, refusal } from "../refusal.ts";

/** Kafka: ElectionType. */
export const ELECTION_TYPE = { preferred: 0, unclean: 1 } as const;

export interface ElectLeadersRequest {
  readonly electionType: number;
  /** Null = all; those that need none are left out of the reply then. */
  readonly topics:
    | readonly { readonly name: string; readonly partitionIds: readonly number[] }[]
    | null;
}

export interface PartitionElection {
  readonly partitionId: number;
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

export interface ElectLeadersReply {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly PartitionElection[];
  }[];
}

export function decideElectLeaders(
  image: ClusterImage,
  request: ElectLeadersRequest,
): Decision<ElectLeadersReply> {
  const { electionType } = request;
  const isKnown = electionType === ELECTION_TYPE.preferred ||
    electionType === ELECTION_TYPE.unclean;
  const reason = isKnown
    ? refuseBelowCluster(image, "elect leaders")
    : refusal(ErrorCode.InvalidRequest, `Unknown election type ${electionType}`);
  if (reason !== undefined) return { records: [], reply: { ...reason, topics: [] } };
  const pending = new PendingPartitions(image);
  const isUnclean = electionType === ELECTION_TYPE.unclean;
  const isAll = request.topics === null;
  const topics = (request.topics ?? allPartitions(image)).map(({ name, partitionIds }) => {
    const partitions = partitionIds.map((partitionId): PartitionElection => {
      const refused = elect(image, pending, { name, partitionId, isUnclean });
      return { partitionId, errorCode: ErrorCode.None, errorMessage: null, ...refused };
    });
    const told = partitions.filter(({ errorCode }) => errorCode !== ErrorCode.ElectionNotNeeded);
    return { name, partitions: isAll ? told : partitions };
  });
  const reply = { errorCode: ErrorCode.None, errorMessage: null, topics };
  return { records: pending.records, reply };
}

interface Asked {
  readonly name: string;
  readonly partitionId: number;
  readonly isUnclean: boolean;
}

function elect(
  image: ClusterImage,
  pending: PendingPartitions,
  { name, partitionId, isUnclean }: Asked,
): Refusal | undefined {
  const topic = image.topic(name);
  if (topic === undefined) {
    return refusal(ErrorCode.UnknownTopicOrPartition, `No such topic as ${name}`);
  }
  const before = pending.get(topic.topicId, partitionId);
  if (before === undefined) {
    const message = `No such partition as ${name}-${partitionId}`;
    return refusal(ErrorCode.UnknownTopicOrPartition, message);
  }
  if (isUnclean ? hasLeader(image, before) : before.leader === before.replicas[0]) {
    return standard(ErrorCode.ElectionNotNeeded);
  }
  const election = isUnclean ? "unclean" : "preferred";
  const isActive = (brokerId: number): boolean => image.isActive(brokerId);
  const record = changePartition(before, { election }, isActive);
  if (record === undefined) {
    return standard(
      isUnclean ? ErrorCode.EligibleLeadersNotAvailable : ErrorCode.PreferredLeaderNotAvailable,
    );
  }
  pending.add(before, record);
  return undefined;
}

/** One that is fenced leads in the record only. */
function hasLeader(image: ClusterImage, { leader }: PartitionImage): boolean {
  return image.isUnfenced(leader);
}

function standard(errorCode: ErrorCode): Refusal {
  return refusal(errorCode, errorFacts(errorCode).message);
}

function allPartitions(image: ClusterImage): NonNullable<ElectLeadersRequest["topics"]> {
  return [...image.topics()].map(({ name, partitions }) => ({
    name,
    partitionIds: partitions.map(({ partitionId }) => partitionId),
  }));
}
