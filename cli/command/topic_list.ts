/** `mq topic list`: which topics there are. */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { compileGlob } from "../glob.ts";
import { rejectMissingName } from "../missing_name.ts";
import { withClient } from "../session.ts";

export const topicList: CommandSpec = {
  path: "topic list",
  aliases: ["topic ls", "topics"],
  summary: "List topics",
  arguments: [{ name: "GLOB", isOptional: true }],
  flags: [{ name: "internal", summary: "also list the internal topics" }],
  details: [
    "GLOB is a shell pattern over whole names; quote it: mq topic list 'orders.*'. One that matches " +
    "nothing is an empty list; a name that is not there is an error (3).",
  ],
  examples: [
    ["Delete all topics of a test", "mq topic list 'test-*' -f name | xargs mq topic delete --yes"],
    ["Names and partitions", "mq topic list --json | jq -r '.[] | \"\\(.name) \\(.partitions)\"'"],
  ],
  run: (context) => withClient(context, (client) => list(context, client)),
};

async function list(
  { printer, flags, arguments: [pattern] }: Context,
  client: Parameters<Parameters<typeof withClient>[1]>[0],
): Promise<ExitCode> {
  const matches = compileGlob(pattern ?? "*");
  const all = await client.admin.listTopics();
  rejectMissingName("topic", pattern, all.map(({ name }) => name));
  const hasInternal = flags.isSet("internal");
  const topics = all
    .filter(({ name, isInternal }) =>
      matches(name) && (!isInternal || hasInternal || name === pattern)
    )
    .toSorted((one, other) => one.name < other.name ? -1 : 1);
  const items = topics.map(({ name, topicId, isInternal, partitions }) => ({
    name,
    topicId,
    isInternal,
    partitions: partitions.length,
    replicationFactor: partitions[0]?.replicas.length ?? 0,
  }));
  const isWide = printer.format === "wide";
  await printer.printList({
    names: items.map(({ name }) => name),
    items,
    table: {
      columns: ["NAME", "PARTITIONS", "REPLICAS", ...(isWide ? ["INTERNAL", "TOPIC-ID"] : [])],
      rows: items.map((item) => [
        item.name,
        item.partitions,
        item.replicationFactor,
        ...(isWide ? [item.isInternal, item.topicId] : []),
      ]),
    },
  });
  return ExitCode.Done;
}
