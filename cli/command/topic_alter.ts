/** `mq topic alter`: changes settings of topics, all of a line's in each topic or none, or adds partitions. */
import type { CommandSpec } from "../command_spec.ts";
import { changeOf, changeTopics, requireChanges } from "../config_changes.ts";
import type { ExitCode } from "../exit_code.ts";
import { usageFailure } from "../failure.ts";
import { addPartitions } from "../partition_changes.ts";
import { requireWhole } from "../quantity.ts";

const PARTITIONS_MAX = 2 ** 31 - 1;

export const topicAlter: CommandSpec = {
  path: "topic alter",
  summary: "Change settings of topics, or give them more partitions",
  arguments: [{ name: "TOPIC", isMany: true }],
  flags: [
    {
      name: "set",
      value: "NAME=VALUE",
      isList: true,
      summary: "give a setting this value; 7d, 64MiB and so on are turned into numbers",
    },
    { name: "unset", value: "NAME", isList: true, summary: "take a setting back to its default" },
    {
      name: "append",
      value: "NAME=VALUE",
      isList: true,
      summary: "add to a setting that is a list",
    },
    {
      name: "subtract",
      value: "NAME=VALUE",
      isList: true,
      summary: "take out of a setting that is a list",
    },
    {
      name: "partitions",
      short: "p",
      value: "N",
      summary: "how many partitions there are afterwards; never fewer than before",
    },
    { name: "dry-run", summary: "have the broker check it, but change nothing" },
  ],
  details: [
    "Settings that are not named stay as they are. What is changed is in force from the next record " +
    "on. mq config get --topic TOPIC lists all settings, mq config explain tells of one.",
    "Records stay where they are when partitions are added, but keys find their partition by the number " +
    "of partitions: from then on a key may go to another one than before.",
  ],
  examples: [
    ["Keep a week", "mq topic alter orders --set retention.ms=7d"],
    ["Back to the broker's default", "mq topic alter orders --unset retention.ms"],
    ["Compact as well as delete", "mq topic alter orders --append cleanup.policy=compact"],
    ["Twelve partitions", "mq topic alter orders --partitions 12"],
    [
      "Would several topics take it?",
      "mq topic list 'log-*' -f name | xargs mq topic alter --dry-run --set segment.bytes=64MiB",
    ],
  ],
  async run(context): Promise<ExitCode> {
    const { flags } = context;
    const changes = [
      ...flags.list("set").map((text) => changeOf("set", text, "set")),
      ...flags.list("unset").map((name) => ({ name, operation: "delete" }) as const),
      ...flags.list("append").map((text) => changeOf("append", text, "append")),
      ...flags.list("subtract").map((text) => changeOf("subtract", text, "subtract")),
    ];
    const topics = [...new Set(context.arguments)];
    const partitions = flags.text("partitions");
    if (partitions !== undefined) {
      if (changes.length === 0) {
        const count = requireWhole(partitions, "partitions", [1, PARTITIONS_MAX]);
        return await addPartitions(context, topics, count);
      }
      throw usageFailure(
        "Give --partitions alone: a cluster changes settings and partitions one without the other",
        "Say it in two lines",
      );
    }
    requireChanges(changes, "Give --partitions, --set, --unset, --append or --subtract");
    return await changeTopics(context, topics, changes);
  },
};
