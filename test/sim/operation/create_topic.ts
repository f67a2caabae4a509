/** Creates a topic under a new name. Acknowledged: it is there until somebody deletes it. */
import { type Durability, TopicShadow } from "../shadow.ts";
import { type Operation, PromiseBroken } from "./operation.ts";

/** Of the answers of a broker those after which a topic may come to be there all the same. */
const INDEFINITE = new Set(["REQUEST_TIMED_OUT", "UNKNOWN_SERVER_ERROR"]);
const TOPICS_MAX = 6;
const PARTITIONS_MAX = 3;

export const createTopic: Operation = {
  name: "create-topic",
  async run({ client, shadow, chance, replicationFactor, positions }): Promise<void> {
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
    if (created?.error !== undefined) {
      // Nobody else uses the name, and an order whose outcome is unknown is not given twice.
      if (created.error.code === "TOPIC_ALREADY_EXISTS") {
        throw new PromiseBroken("an order is carried out once", `${name} was there already`);
      }
      if (!INDEFINITE.has(created.error.code)) positions.refuse(name);
      throw created.error;
    }
    positions.confirm(name);
    for (const [setting, value] of Object.entries(configs)) {
      topic.settings.set(setting, new Set([value]));
    }
    if (topic.existence === "unsure") topic.existence = "there";
  },
};
