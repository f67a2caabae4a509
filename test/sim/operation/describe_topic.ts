/** Reads the settings of a topic: each is what was set last. */
import {
  mayBeGone,
  type Operation,
  pickTopic,
  throwUnlessGone,
  throwUnlessStale,
} from "./operation.ts";

export const describeTopic: Operation = {
  name: "describe-topic",
  async run(context): Promise<void> {
    const topic = pickTopic(context);
    if (topic === undefined) return;
    const before = new Map([...topic.settings].map(([name, values]) => [name, new Set(values)]));
    const attemptCount = topic.attempts.length;
    const [described] = await context.client.admin.describeConfigs([topic.name]);
    throwUnlessGone(context, topic, described?.error);
    if (mayBeGone(topic)) return;
    for (const [name, values] of before) {
      const found = described?.configs.find((config) => config.name === name)?.value ?? "nothing";
      if (values.has(found) || topic.attempts.slice(attemptCount).includes(found)) continue;
      throwUnlessStale(
        context,
        "settings stay",
        `${topic.name} has ${name}=${found}, not ${[...values].join(" or ")}`,
      );
    }
  },
};
