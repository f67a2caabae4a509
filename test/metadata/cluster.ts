/**
 * A cluster that is only its metadata: decisions are made about it, and their records are replayed as
 * they come back from a log, through msgpack and the check of their form.
 */
import { expect } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { type Uuid, uuidFromBytes } from "../../src/ground/uuid.ts";
import { decideActivation } from "../../src/metadata/decide/activate.ts";
import {
  decideAlterPartition,
  type PartitionToAlter,
} from "../../src/metadata/decide/alter_partition.ts";
import {
  decideBrokerHeartbeat,
  decideFenceBroker,
  type HeartbeatReply,
  type HeartbeatRequest,
} from "../../src/metadata/decide/broker_state.ts";
import {
  type CreatedTopic,
  type CreateTopicsRequest,
  decideCreateTopics,
  type NewTopic,
} from "../../src/metadata/decide/create_topics.ts";
import {
  decideRegisterBroker,
  type RegisterBrokerRequest,
  type RegisteredBroker,
} from "../../src/metadata/decide/register_broker.ts";
import type { Decision } from "../../src/metadata/decision.ts";
import { supportedFeatures } from "../../src/metadata/feature.ts";
import { ClusterImage, type PartitionImage } from "../../src/metadata/image.ts";
import { asMetadataRecord, levelOf, type MetadataRecord } from "../../src/metadata/record.ts";
import { misfit } from "../../src/metadata/record_fit.ts";
import type { BrokerValue } from "../../src/metadata/topic_config.ts";
import { decodeMessagePack, encodeMessagePack } from "../../src/wire/msgpack.ts";

export const CLUSTER_ID = "a cluster";

/** A uuid that tells of a number. */
export function uuid(number: number, of = 0): Uuid {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, of + 1);
  new DataView(bytes.buffer).setUint32(12, number);
  return uuidFromBytes(bytes);
}

export function newTopic(name: string, fields: Partial<NewTopic> = {}): NewTopic {
  return {
    name,
    topicId: uuid([...name].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7), 1),
    partitionCount: -1,
    replicationFactor: -1,
    assignments: [],
    config: [],
    ...fields,
  };
}

/** Of incarnation 1 of a broker that was never there before. */
export function registration(
  brokerId: number,
  fields: Partial<RegisterBrokerRequest> = {},
): RegisterBrokerRequest {
  return {
    brokerId,
    incarnationId: uuid(1, 100 + brokerId),
    clusterId: CLUSTER_ID,
    expectedClusterId: CLUSTER_ID,
    listeners: [{ name: "PLAINTEXT", host: `host-${brokerId}`, port: 9092 }],
    rack: null,
    features: supportedFeatures(),
    directoryIds: [uuid(brokerId, 2)],
    previousBrokerEpoch: -1,
    isClean: false,
    isInContact: false,
    brokerValue: () => undefined,
    ...fields,
  };
}

export class Cluster {
  readonly image = new ClusterImage();
  /** All records since the beginning, as they were read. */
  readonly log: MetadataRecord[] = [];
  /** Of the last decision. */
  written: readonly MetadataRecord[] = [];
  readonly settings = new Map<string, string>();
  readonly brokerValue: BrokerValue = (synonym) => this.settings.get(synonym);
  #incarnations = 1;

  /** At the level of clusters, with these brokers serving. */
  static of(...brokerIds: readonly number[]): Cluster {
    const cluster = new Cluster();
    cluster.decide(decideActivation);
    for (const brokerId of brokerIds) cluster.join(brokerId);
    return cluster;
  }

  decide<Reply>(decision: (image: ClusterImage) => Decision<Reply>): Reply {
    const { records, reply } = decision(this.image);
    this.written = records;
    const level = this.image.metadataVersion();
    for (const record of records) {
      expect(levelOf(record)).toBeLessThanOrEqual(level);
      this.replay(record);
    }
    return reply;
  }

  replay(record: MetadataRecord): void {
    const read = asMetadataRecord(decodeMessagePack(encodeMessagePack(record)));
    if (typeof read === "string") throw new Error(`${read} in ${JSON.stringify(record)}`);
    expect(misfit(this.image, read)).toBeUndefined();
    this.log.push(read);
    this.image.replay(this.image.nextOffset, read);
  }

  register(brokerId: number, fields: Partial<RegisterBrokerRequest> = {}): RegisteredBroker {
    const { brokerValue } = this;
    return this.decide((image) =>
      decideRegisterBroker(image, registration(brokerId, { brokerValue, ...fields }))
    );
  }

  /** Registers and serves. */
  join(brokerId: number, fields: Partial<RegisterBrokerRequest> = {}): void {
    expect(this.register(brokerId, fields).errorCode).toBe(ErrorCode.None);
    this.heartbeat(brokerId);
  }

  /** The process starts anew, without a heartbeat yet. */
  restart(brokerId: number, fields: Partial<RegisterBrokerRequest> = {}): void {
    const incarnationId = uuid(++this.#incarnations, 100 + brokerId);
    const { rack } = this.image.broker(brokerId) ?? { rack: null };
    expect(this.register(brokerId, { incarnationId, rack, ...fields }).errorCode)
      .toBe(ErrorCode.None);
  }

  heartbeat(brokerId: number, fields: Partial<HeartbeatRequest> = {}): HeartbeatReply {
    const { brokerValue } = this;
    return this.decide((image) =>
      decideBrokerHeartbeat(image, {
        brokerId,
        brokerEpoch: this.epochOf(brokerId),
        metadataOffset: image.nextOffset,
        wantFence: false,
        wantShutDown: false,
        brokerValue,
        ...fields,
      })
    );
  }

  fence(brokerId: number): boolean {
    const brokerEpoch = this.epochOf(brokerId);
    const { brokerValue } = this;
    return this.decide((image) => decideFenceBroker(image, { brokerId, brokerEpoch, brokerValue }));
  }

  create(name: string, ...assignments: readonly (readonly number[])[]): void {
    const { errorCode } = this.createTopics([newTopic(name, {
      assignments: assignments.map((brokerIds, partitionId) => ({ partitionId, brokerIds })),
    })])[0] as CreatedTopic;
    expect(errorCode).toBe(ErrorCode.None);
  }

  createTopics(
    topics: readonly NewTopic[],
    fields: Partial<CreateTopicsRequest> = {},
  ): readonly CreatedTopic[] {
    const { brokerValue } = this;
    return this.decide((image) =>
      decideCreateTopics(image, {
        topics,
        validateOnly: false,
        defaultPartitionCount: 3,
        defaultReplicationFactor: 1,
        partitionCountMax: 10_000,
        brokerValue,
        ...fields,
      })
    );
  }

  /** The leader has seen these replicas catch up, or fall behind; the error that it is answered. */
  alterIsr(
    name: string,
    isr: readonly number[],
    fields: Partial<PartitionToAlter> & { readonly from?: number } = {},
  ): ErrorCode {
    const before = this.partition(name, fields.partitionId ?? 0);
    const brokerId = fields.from ?? before.leader;
    const { topicId, partitionId, leaderEpoch, partitionEpoch } = before;
    const reply = this.decide((image) =>
      decideAlterPartition(image, {
        brokerId,
        brokerEpoch: this.epochOf(brokerId),
        partitions: [{
          topicId,
          partitionId,
          leaderEpoch,
          partitionEpoch,
          isr: isr.map((id) => ({ brokerId: id, brokerEpoch: this.epochOf(id) })),
          ...fields,
        }],
      })
    );
    return reply.partitions[0]?.errorCode ?? reply.errorCode;
  }

  partition(name: string, partitionId = 0): PartitionImage {
    return this.image.topic(name)?.partitions[partitionId] as PartitionImage;
  }

  /** Leader, leader epoch, ISR and partition epoch, for comparing. */
  state(name: string, partitionId = 0): readonly unknown[] {
    const { leader, leaderEpoch, isr, partitionEpoch } = this.partition(name, partitionId);
    return [leader, leaderEpoch, [...isr], partitionEpoch];
  }

  epochOf(brokerId: number): number {
    return this.image.broker(brokerId)?.brokerEpoch ?? -1;
  }

  /** What a restart makes of the log. */
  replayed(): ClusterImage {
    const image = new ClusterImage();
    for (const [offset, record] of this.log.entries()) image.replay(toOffset(offset), record);
    return image;
  }
}
