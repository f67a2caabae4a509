/** What the scripted brokers share: the topics, and the batches in them. */
import { type Uuid, uuidFromEntropy, ZERO_UUID } from "../../src/ground/uuid.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import type { FakeBroker } from "./fake_broker.ts";
import { FakeGroup } from "./fake_group.ts";
import type { ManualClock } from "./manual_clock.ts";
import type { MemoryNetwork } from "./memory_network.ts";

interface ProducerEntry {
  readonly producerEpoch: number;
  /** The newest last: base sequence and offset of the batches that can be recognised. */
  readonly batches: readonly { readonly baseSequence: number; readonly baseOffset: number }[];
  readonly nextSequence: number;
}

export class FakePartition {
  leaderId: number;
  leaderEpoch = 0;
  logStartOffset = 0;
  logEndOffset = 0;
  readonly batches: Uint8Array[] = [];
  readonly aborted: { producerId: number; firstOffset: number }[] = [];
  readonly producers = new Map<number, ProducerEntry>();

  constructor(leaderId: number) {
    this.leaderId = leaderId;
  }

  /** Gives the batch its offset and keeps a copy. */
  append(batch: Uint8Array): number {
    const copy = batch.slice();
    const view = new BatchView(copy);
    const baseOffset = this.logEndOffset;
    view.setBaseOffset(baseOffset);
    view.setPartitionLeaderEpoch(this.leaderEpoch);
    this.batches.push(copy);
    this.logEndOffset = view.nextOffset();
    return baseOffset;
  }

  /** As an unclean election does: what is from this offset on is lost, and another leader goes on. */
  cut(offset: number): void {
    while (
      (this.batches.at(-1) &&
        new BatchView(this.batches.at(-1) as Uint8Array).nextOffset() > offset)
    ) {
      this.batches.pop();
    }
    this.logEndOffset = offset;
    this.leaderEpoch++;
  }

  /** The last leader epoch up to this one of which there are records, and where it ends. */
  endOf(leaderEpoch: number): { epoch: number; endOffset: number } {
    const end = { epoch: -1, endOffset: this.logStartOffset };
    for (const view of this.batches.map((batch) => new BatchView(batch))) {
      if (view.partitionLeaderEpoch() > leaderEpoch) break;
      end.epoch = view.partitionLeaderEpoch();
      end.endOffset = view.nextOffset();
    }
    return end;
  }

  /** Everything from the batch that holds `offset` on, up to `bytesMax` but one batch at least. */
  read(offset: number, bytesMax: number): Uint8Array {
    const taken: Uint8Array[] = [];
    let size = 0;
    for (const batch of this.batches) {
      if (new BatchView(batch).lastOffset() < offset) continue;
      if (taken.length > 0 && size + batch.length > bytesMax) break;
      taken.push(batch);
      size += batch.length;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const batch of taken) {
      bytes.set(batch, at);
      at += batch.length;
    }
    return bytes;
  }
}

export interface FakeTopic {
  readonly name: string;
  readonly topicId: Uuid;
  readonly partitions: FakePartition[];
}

export class FakeCluster {
  readonly network: MemoryNetwork;
  readonly clock: ManualClock;
  readonly brokers: FakeBroker[] = [];
  readonly topics = new Map<string, FakeTopic>();
  readonly groups = new Map<string, FakeGroup>();
  /** Who coordinates a group, where it is not the first broker. */
  readonly coordinators = new Map<string, number>();
  autoCreate = false;
  hasTopicIds = true;
  #nextProducerId = 4000;
  #nextTopic = 1;

  constructor(network: MemoryNetwork, clock: ManualClock) {
    this.network = network;
    this.clock = clock;
  }

  createTopic(name: string, partitionCount = 1): FakeTopic {
    const entropy = new Uint8Array(16).fill(this.#nextTopic++);
    const partitions = Array.from({ length: partitionCount }, (_, index) => {
      return new FakePartition(this.brokers[index % this.brokers.length]?.nodeId ?? 1);
    });
    const topicId = this.hasTopicIds ? uuidFromEntropy(entropy) : ZERO_UUID;
    const topic = { name, topicId, partitions };
    this.topics.set(name, topic);
    return topic;
  }

  partition(name: string, index: number): FakePartition {
    return this.topics.get(name)?.partitions[index] as FakePartition;
  }

  topicById(topicId: Uuid): FakeTopic | undefined {
    return [...this.topics.values()].find((topic) => topic.topicId === topicId);
  }

  group(groupId: string): FakeGroup {
    let group = this.groups.get(groupId);
    if (group === undefined) {
      group = new FakeGroup(this);
      this.groups.set(groupId, group);
    }
    return group;
  }

  coordinatorOf(groupId: string): number {
    return this.coordinators.get(groupId) ?? this.brokers[0]?.nodeId ?? -1;
  }

  takeProducerId(): number {
    return this.#nextProducerId++;
  }
}
