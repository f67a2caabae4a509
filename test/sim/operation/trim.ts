/** Deletes records up to an offset. Acknowledged: none below is read again, and none above is gone. */
import { mayBeGone, type Operation, pickTopic, throwUnlessGone } from "./operation.ts";

export const trim: Operation = {
  name: "trim",
  async run(context): Promise<void> {
    const topic = pickTopic(context);
    if (topic === undefined || !context.chance.oneIn(3)) return;
    const index = context.chance.below(topic.partitions.length);
    const partition = topic.partition(index);
    const { lossCount } = partition;
    const range = partition.endMin - partition.startMin;
    if (range <= 0) return;
    const offset = partition.startMin + context.chance.below(range + 1);
    partition.startMax = Math.max(partition.startMax, offset);
    const [trimmed] = await context.client.admin.deleteRecords(
      topic.name,
      new Map([[index, offset]]),
    );
    throwUnlessGone(context, topic, trimmed?.error);
    if (mayBeGone(topic) || partition.lossCount !== lossCount) return;
    partition.startMin = Math.max(partition.startMin, offset);
  },
};
