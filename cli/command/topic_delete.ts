/** `mq topic delete`: removes topics and all their records, after a confirmation. */
import type { CommandSpec } from "../command_spec.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit_code.ts";
import { failureOf } from "../failure.ts";
import { tellOutcomes } from "../outcomes.ts";
import { type Client, withClient } from "../session.ts";

export const topicDelete: CommandSpec = {
  path: "topic delete",
  aliases: ["topic rm"],
  summary: "Delete topics and all their records",
  arguments: [{ name: "NAME", isMany: true }],
  flags: [
    { name: "yes", short: "y", summary: "do not ask" },
    { name: "if-exists", summary: "content where there is no such topic" },
    { name: "dry-run", summary: "tell what would be deleted, but delete nothing" },
  ],
  examples: [
    ["Without a question", "mq topic delete orders --yes"],
    ["By pattern", "mq topic list 'test-*' -f name | xargs mq topic delete --yes"],
  ],
  async run(context): Promise<ExitCode> {
    const names = [...new Set(context.arguments)];
    const isDryRun = context.flags.isSet("dry-run");
    const noun = names.length === 1 ? "topic" : `${names.length} topics:`;
    if (!isDryRun) await confirm(context, `Delete ${noun} ${names.join(", ")}`);
    return await withClient(context, (client) => remove(context, client, names));
  },
};

async function remove(
  context: Context,
  client: Client,
  names: readonly string[],
): Promise<ExitCode> {
  const isDryRun = context.flags.isSet("dry-run");
  const results = isDryRun
    ? await client.admin.describeTopics(names)
    : await client.admin.deleteTopics(names);
  const verb = isDryRun ? "would delete" : "deleted";
  return await tellOutcomes(
    context,
    results.map(({ name, error }) => {
      const isMissing = error?.code === "UNKNOWN_TOPIC_OR_PARTITION" &&
        context.flags.isSet("if-exists");
      return {
        name,
        failure: error === undefined || isMissing ? undefined : failureOf(error),
        facts: { deleted: error === undefined && !isDryRun },
        said: isMissing ? `there is no topic ${name}` : `${verb} topic ${name}`,
      };
    }),
  );
}
