/** Creating topics, for those who ask for it by CreateTopics and those who only ask for metadata. */
import { DiskFault } from "../env/disk.ts";
import { uuidFromEntropy, ZERO_UUID } from "../ground/uuid.ts";
import {
  type CreatedTopic,
  decideCreateTopics,
  type NewTopic,
} from "../metadata/decide/create_topics.ts";
import type { BrokerContext } from "./broker_context.ts";
import { storageRefusal } from "./storage_refusal.ts";

/** A topic with all defaults and an id of its own. */
export function newTopic(broker: BrokerContext, name: string): NewTopic {
  return {
    name,
    topicId: uuidFromEntropy(broker.env.crypto.randomBytes(16)),
    partitionCount: -1,
    replicationFactor: -1,
    assignments: [],
    config: [],
  };
}

/** A disk that is full refuses them all, as values: the broker goes on. */
export async function createTopics(
  broker: BrokerContext,
  topics: readonly NewTopic[],
  validateOnly: boolean,
): Promise<readonly CreatedTopic[]> {
  const { settings } = broker;
  const placementStart = broker.env.random.u32();
  try {
    return await broker.quorum.propose((image) =>
      decideCreateTopics(image, {
        topics,
        validateOnly,
        defaultPartitionCount: settings.get("num.partitions"),
        defaultReplicationFactor: settings.get("default.replication.factor"),
        partitionCountMax: settings.get("mq.create.partitions.max"),
        brokerValue: (synonym) => settings.text(synonym),
        placementStart,
      })
    );
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    return topics.map(({ name }) => ({
      name,
      ...storageRefusal(error),
      topicId: ZERO_UUID,
      partitionCount: -1,
      replicationFactor: -1,
    }));
  }
}
