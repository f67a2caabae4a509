/** Sets the retention of a topic. Acknowledged: it has that value until somebody sets another. */
import { mayBeGone, type Operation, pickTopic, throwUnlessGone } from "./operation.ts";

const NAME = "retention.ms";
const DAY_MS = 86_400_000;

export const alterTopic: Operation = {
  name: "alter-topic",
  async run(context): Promise<void> {
    const topic = pickTopic(context);
    if (topic === undefined || topic.isAltering) return;
    const value = String(30 * DAY_MS + context.chance.below(DAY_MS));
    topic.attempts.push(value);
    topic.isAltering = true; // for good where the answer does not come: it may be carried out late
    const before = topic.settings.get(NAME);
    if (before === undefined) topic.settings.set(NAME, new Set(["604800000", value]));
    else before.add(value);
    const [altered] = await context.client.admin.alterTopicConfigs([
      { name: topic.name, changes: [{ name: NAME, operation: "set", value }] },
    ]);
    throwUnlessGone(context, topic, altered?.error);
    if (mayBeGone(topic)) return;
    topic.settings.set(NAME, new Set([value]));
    topic.isAltering = false;
  },
};
