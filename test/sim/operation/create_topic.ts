/** Creates a topic under a new name. Acknowledged: it is there until somebody deletes it. */
import { type Durability, TopicShadow } from "../shadow.ts";
import type { Operation } from "./operation.ts";

const TOPICS_MAX = 6;
const PARTITIONS_MAX = 3;

export const createTopic: Operation = {
  name: "create-topic",
  async run({ client, shadow, chance, replicationFactor }): Promise<void> {
    if (shadow.there().length >= TOPICS_MAX) return;
    const name = shadow.nextTopicName();
    const durability: Durability = chance.oneIn(3) ? "memory" : "quorum-fsync";
    const partitions = 1 + chance.below(PARTITIONS_MAX);
    const configs: Record<string, string> = { "mq.durability": durability };
    if (chance.oneIn(2)) configs["segment.ms"] = String(500 + chance.below(5000));
    if (chance.oneIn(2)) configs["index.interval.bytes"] = String(100 + chance.below(1000));
    const topic = new TopicShadow(name, partitions, durability);
    shadow.topics.set(name, topic);
    const [created] = await client.admin.createTopics([
      { name, partitions, replicationFactor, configs },
    ]);
    if (created?.error !== undefined) throw created.error;
    for (const [setting, value] of Object.entries(configs)) {
      topic.settings.set(setting, new Set([value]));
    }
    if (topic.existence === "unsure") topic.existence = "there";
  },
};
