/** Creating topics, for those who ask for it by CreateTopics and those who only ask for metadata. */
import { uuidFromEntropy } from "../ground/uuid.ts";
import {
  type CreatedTopic,
  decideCreateTopics,
  type NewTopic,
} from "../metadata/decide/create_topics.ts";
import type { BrokerContext } from "./broker_context.ts";

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

export function createTopics(
  broker: BrokerContext,
  topics: readonly NewTopic[],
  validateOnly: boolean,
): Promise<readonly CreatedTopic[]> {
  const { settings } = broker;
  return broker.quorum.propose((image) =>
    decideCreateTopics(image, {
      topics,
      validateOnly,
      defaultPartitionCount: settings.get("num.partitions"),
      defaultReplicationFactor: settings.get("default.replication.factor"),
      partitionCountMax: settings.get("mq.create.partitions.max"),
    })
  );
}
