/** `mq topic create`: makes topics, one outcome for each. */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit_code.ts";
import { failureOf } from "../failure.ts";
import { tellOutcomes } from "../outcomes.ts";
import { parseAssignment, requireWhole } from "../quantity.ts";
import { type Client, withClient } from "../session.ts";
import { settingText } from "../setting_text.ts";

export const topicCreate: CommandSpec = {
  path: "topic create",
  summary: "Create topics",
  arguments: [{ name: "NAME", isMany: true }],
  flags: [
    {
      name: "partitions",
      short: "p",
      value: "N",
      summary: "partitions (the broker's num.partitions)",
    },
    { name: "replicas", short: "r", value: "N", summary: "replicas (default.replication.factor)" },
    {
      name: "config",
      short: "c",
      value: "NAME=VALUE",
      isList: true,
      summary: "a setting of the topic; a value may have a unit (7d, 64MiB)",
    },
    { name: "if-not-exists", summary: "content where the topic is there already" },
    { name: "dry-run", summary: "have the broker check it, but create nothing" },
  ],
  examples: [
    ["Three partitions", "mq topic create orders -p 3"],
    ["Kept for a day", "mq topic create clicks -c retention.ms=1d --if-not-exists"],
    ["Names from a pipe", "printf 'a\\nb\\n' | xargs mq topic create -q"],
  ],
  run: (context) => withClient(context, (client) => create(context, client)),
};

const COUNT_MAX = 100_000;

async function create(context: Context, client: Client): Promise<ExitCode> {
  const { flags } = context;
  const count = (name: string): number | undefined => {
    const text = flags.text(name);
    return text === undefined ? undefined : requireWhole(text, name, [1, COUNT_MAX]);
  };
  const partitions = count("partitions");
  const replicationFactor = count("replicas");
  const configs = Object.fromEntries(
    flags.list("config").map((text) => {
      const [name, value] = parseAssignment(text, "config");
      return [name, settingText(name, value)];
    }),
  );
  const isDryRun = flags.isSet("dry-run");
  const names = [...new Set(context.arguments)];
  const results = await client.admin.createTopics(
    names.map((name) => ({
      name,
      configs,
      ...(partitions === undefined ? {} : { partitions }),
      ...(replicationFactor === undefined ? {} : { replicationFactor }),
    })),
    { validateOnly: isDryRun },
  );
  const verb = isDryRun ? "would create" : "created";
  return await tellOutcomes(
    context,
    results.map(({ name, error }) => {
      const isThere = error?.code === "TOPIC_ALREADY_EXISTS" && flags.isSet("if-not-exists");
      const isFailed = error !== undefined && !isThere;
      return {
        name,
        failure: isFailed ? failureOf(error) : undefined,
        facts: { created: error === undefined && !isDryRun },
        said: isThere ? `topic ${name} is there already` : `${verb} topic ${name}`,
      };
    }),
  );
}
