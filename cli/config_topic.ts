/** The topic that `config set` and `config unset` change. */
import type { FlagSpec } from "./command_spec.ts";
import type { Context } from "./context.ts";
import { usageFailure } from "./failure.ts";

export const topicFlag: FlagSpec = {
  name: "topic",
  value: "TOPIC",
  summary: "the topic whose settings are changed",
};

export function requireTopic({ flags }: Context): string {
  const topic = flags.text("topic");
  if (topic !== undefined && topic !== "") return topic;
  throw usageFailure(
    "Missing --topic: a topic's settings can be changed, a broker's cannot",
    "Settings of a broker are read from its file when it starts (mq broker start -c FILE)",
  );
}
