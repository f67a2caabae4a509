/** Deletes a topic. Acknowledged: it is not there, and never comes back. */
import type { Operation } from "./operation.ts";
import { pickTopic } from "./operation.ts";

export const deleteTopic: Operation = {
  name: "delete-topic",
  async run(context): Promise<void> {
    const topic = pickTopic(context);
    if (topic === undefined || !context.chance.oneIn(4)) return;
    topic.existence = "unsure";
    const [deleted] = await context.client.admin.deleteTopics([topic.name]);
    if (deleted?.error !== undefined) throw deleted.error;
    topic.existence = "absent";
  },
};
