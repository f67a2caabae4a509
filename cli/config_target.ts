/** What `config set` and `config unset` change: a topic, or a broker that lets itself be changed. */
import type { FlagSpec } from "./command_spec.ts";
import { type Change, changeBroker, changeTopics } from "./config_changes.ts";
import { resourceOf } from "./config_resource.ts";
import type { Context } from "./context.ts";
import type { ExitCode } from "./exit_code.ts";
import { usageFailure } from "./failure.ts";

export const targetFlags: readonly FlagSpec[] = [
  { name: "topic", value: "TOPIC", summary: "the topic whose settings are changed" },
  {
    name: "broker",
    value: "N",
    summary: "the broker, of a Kafka cluster; mq's have theirs from their files",
  },
];

/** Throws a usage failure where nobody is named. */
export async function changeTarget(
  context: Context,
  changes: readonly Change[],
): Promise<ExitCode> {
  const resource = resourceOf(context);
  if (resource?.type === "topic") return await changeTopics(context, [resource.name], changes);
  if (resource?.type === "broker") return await changeBroker(context, resource.name, changes);
  throw usageFailure(
    "Missing --topic: whose settings are to be changed?",
    "Settings of a broker are read from its file when it starts (mq broker start -c FILE)",
  );
}
