/** `mq group offset-delete`: forgets what a group has committed of a topic. */
import type { CommandSpec } from "../command_spec.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit_code.ts";
import { Failure, usageFailure } from "../failure.ts";
import { groupFailure } from "../group_view.ts";
import { tellOutcomes } from "../outcomes.ts";
import { parsePartitions } from "../quantity.ts";
import { type Client, withClient } from "../session.ts";

export const groupOffsetDelete: CommandSpec = {
  path: "group offset-delete",
  summary: "Delete what a group has committed of a topic",
  arguments: [{ name: "GROUP" }],
  flags: [
    {
      name: "topic",
      value: "NAME",
      isList: true,
      summary: "the topic; may be given several times",
    },
    { name: "partition", short: "p", value: "LIST", summary: "only these partitions: 0,2,4-6" },
    { name: "yes", short: "y", summary: "do not ask" },
    { name: "dry-run", summary: "tell what would be deleted, but delete nothing" },
  ],
  details: [
    "Members that come to such a partition begin where they are told to (-o of mq consume). It is " +
    "refused while a member is subscribed to the topic.",
  ],
  examples: [["After a topic was made anew", "mq group offset-delete workers --topic jobs --yes"]],
  async run(context): Promise<ExitCode> {
    const [groupId = ""] = context.arguments;
    const topics = context.flags.list("topic");
    if (topics.length === 0) {
      throw usageFailure("Missing flag --topic: which commits shall be deleted?", "--topic NAME");
    }
    if (!context.flags.isSet("dry-run")) {
      await confirm(context, `Delete what group ${groupId} has committed of ${topics.join(", ")}`);
    }
    return await withClient(context, (client) => remove(context, client, groupId, topics));
  },
};

async function remove(
  context: Context,
  client: Client,
  groupId: string,
  topics: readonly string[],
): Promise<ExitCode> {
  const { flags } = context;
  const { groups } = client.admin;
  const list = flags.text("partition");
  const partitions = list === undefined ? undefined : parsePartitions(list);
  const committed = await groups.groupOffsets(groupId).catch((error: unknown) => {
    throw groupFailure(error, groupId);
  });
  const wanted = committed.filter(({ topic, partition, offset }) =>
    offset >= 0 && topics.includes(topic) && partitions?.includes(partition) !== false
  );
  if (wanted.length === 0) {
    throw new Failure(
      "NOT_FOUND",
      `Group ${groupId} has committed nothing of ${topics.join(", ")}`,
      { hint: `mq group lag ${groupId} tells of what it has` },
    );
  }
  const isDryRun = flags.isSet("dry-run");
  const results = isDryRun ? wanted : await groups.deleteGroupOffsets(groupId, wanted);
  const verb = isDryRun ? "would delete" : "deleted";
  return await tellOutcomes(
    context,
    results.map(({ topic, partition, error }) => ({
      name: `${topic}-${partition}`,
      failure: error && groupFailure(error, groupId),
      facts: { deleted: error === undefined && !isDryRun },
      said: `${verb} what group ${groupId} has committed of ${topic}-${partition}`,
    })),
  );
}
