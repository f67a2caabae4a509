/**
 * What a topic is made like that nobody asks for by CreateTopics: those that belong to the broker have
 * settings of their own, all others the defaults (kafka: DefaultAutoTopicCreationManager).
 */
import { OFFSETS_TOPIC } from "../metadata/topic_name.ts";
import type { BrokerContext } from "./broker_context.ts";
import { liveBrokers } from "./cluster_view.ts";
import { createTopics, newTopic } from "./create_topics.ts";

type NewTopic = ReturnType<typeof newTopic>;

/** As in Kafka, where there are as many brokers. */
const REPLICAS_USUAL = 3;

export function autoCreated(broker: BrokerContext, name: string): NewTopic {
  const topic = newTopic(broker, name);
  return name === OFFSETS_TOPIC ? { ...topic, ...offsetsTopic(broker) } : topic;
}

/** Whether somebody created it meanwhile is seen in the image: no answer is given. */
export async function createAutomatically(
  broker: BrokerContext,
  names: readonly string[],
): Promise<void> {
  await createTopics(broker, names.map((name) => autoCreated(broker, name)), false);
}

function offsetsTopic(
  broker: BrokerContext,
): Pick<NewTopic, "partitionCount" | "replicationFactor" | "config"> {
  const { settings } = broker;
  const replicasMost = Math.max(Math.min(REPLICAS_USUAL, liveBrokers(broker).length), 1);
  const config = {
    "cleanup.policy": "compact",
    "compression.type": "producer",
    "segment.bytes": String(settings.get("offsets.topic.segment.bytes")),
  };
  return {
    partitionCount: settings.get("offsets.topic.num.partitions"),
    replicationFactor: settings.get("offsets.topic.replication.factor") ?? replicasMost,
    config: Object.entries(config).map(([name, value]) => ({ name, value })),
  };
}
