/**
 * AlterPartition (key 0x4008): the leader of partitions asks for other in-sync replicas (KIP-497).
 *
 * Each replica comes with the broker epoch under which the leader has seen it fetch, so that one that
 * has started anew meanwhile is not taken in (KIP-903). The answer says what is now in force, in the
 * order of the question. Asked twice, the second is refused for its partition epoch and does no harm.
 */
import type { Uuid } from "../../ground/uuid.ts";
import { defineOwnApi } from "./own_api.ts";
import { Fields, INT32_MAX } from "./shape.ts";

export interface WantedReplica {
  readonly brokerId: number;
  /** -1 where the leader does not know it. */
  readonly brokerEpoch: number;
}

export interface WantedPartition {
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly WantedReplica[];
}

export interface AlterPartitionRequest {
  readonly brokerId: number;
  readonly brokerEpoch: number;
  readonly partitions: readonly WantedPartition[];
}

export interface AlteredPartition {
  readonly topicId: Uuid;
  readonly partitionId: number;
  readonly errorCode: number;
  /** -1 where there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly partitionEpoch: number;
}

export interface AlterPartitionResponse {
  /** Of the request as a whole; the list is empty then. */
  readonly errorCode: number;
  readonly partitions: readonly AlteredPartition[];
  /** Of the active controller, where the one that was asked is not it. */
  readonly leaderId?: number | undefined;
}

const PARTITIONS_MAX = 10_000;
const REPLICAS_MAX = 1024;

export const alterPartition = defineOwnApi<AlterPartitionRequest, AlterPartitionResponse>({
  key: 0x4008,
  name: "AlterPartition",
  version: 0,
  asRequest(value): AlterPartitionRequest | string {
    const fields = new Fields(value, "AlterPartition");
    const request = {
      brokerId: fields.id("brokerId"),
      brokerEpoch: fields.count("brokerEpoch"),
      partitions: fields.list("partitions", PARTITIONS_MAX, asWanted),
    };
    return fields.failure ?? request;
  },
  asResponse(value): AlterPartitionResponse | string {
    const fields = new Fields(value, "AlterPartition");
    const response = {
      errorCode: fields.errorCode(),
      partitions: fields.list("partitions", PARTITIONS_MAX, asAltered),
      ...(fields.has("leaderId") ? { leaderId: fields.id("leaderId") } : {}),
    };
    return fields.failure ?? response;
  },
});

function asWanted(value: unknown, path: string): WantedPartition | string {
  const fields = new Fields(value, path);
  const partition = {
    topicId: fields.uuid("topicId"),
    partitionId: fields.id("partitionId"),
    leaderEpoch: fields.int("leaderEpoch", 0, INT32_MAX),
    partitionEpoch: fields.int("partitionEpoch", 0, INT32_MAX),
    isr: fields.list("isr", REPLICAS_MAX, asReplica),
  };
  return fields.failure ?? partition;
}

function asReplica(value: unknown, path: string): WantedReplica | string {
  const fields = new Fields(value, path);
  const replica = {
    brokerId: fields.id("brokerId"),
    brokerEpoch: fields.int("brokerEpoch", -1, Number.MAX_SAFE_INTEGER),
  };
  return fields.failure ?? replica;
}

function asAltered(value: unknown, path: string): AlteredPartition | string {
  const fields = new Fields(value, path);
  const partition = {
    topicId: fields.uuid("topicId"),
    partitionId: fields.id("partitionId"),
    errorCode: fields.errorCode(),
    leader: fields.int("leader", -1, INT32_MAX),
    leaderEpoch: fields.int("leaderEpoch", -1, INT32_MAX),
    isr: fields.ints("isr", REPLICAS_MAX, 0, INT32_MAX),
    partitionEpoch: fields.int("partitionEpoch", -1, INT32_MAX),
  };
  return fields.failure ?? partition;
}
