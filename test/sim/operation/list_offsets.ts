/** Asks for start and end of a partition: neither goes back, and the end covers what was acknowledged. */
import {
  mayBeGone,
  type Operation,
  pickTopic,
  PromiseBroken,
  throwUnlessGone,
} from "./operation.ts";

export const listOffsets: Operation = {
  name: "list-offsets",
  async run(context): Promise<void> {
    const topic = pickTopic(context);
    if (topic === undefined) return;
    const before = topic.partitions.map(({ endMin, startMin, lossCount }) => {
      return { endMin, startMin, lossCount };
    });
    const { admin } = context.client;
    const starts = await admin.listOffsets(topic.name, "start");
    const ends = await admin.listOffsets(topic.name, "end");
    for (const { partition, offset, error } of ends) {
      throwUnlessGone(context, topic, error);
      if (mayBeGone(topic)) return;
      const shadow = topic.partition(partition);
      const then = before[partition] as (typeof before)[number];
      const start = starts.find((one) => one.partition === partition);
      if (shadow.lossCount !== then.lossCount || context.shadow.isDamaged) continue;
      if (offset < then.endMin) {
        throw new PromiseBroken(
          "the end does not go back",
          `${topic.name}-${partition} ends at ${offset}, and had ended at ${then.endMin}`,
        );
      }
      shadow.endMin = Math.max(shadow.endMin, offset);
      if (start?.error === undefined && start !== undefined) {
        if (start.offset < then.startMin || start.offset > shadow.startMax) {
          throw new PromiseBroken(
            "the start moves when it is told to",
            `${topic.name}-${partition} starts at ${start.offset}, not ${then.startMin} to ${shadow.startMax}`,
          );
        }
      }
    }
  },
};
