/** `mq group delete`: forgets groups and what they have committed. */
import type { CommandSpec } from "../command_spec.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit_code.ts";
import { groupFailure } from "../group_view.ts";
import { tellOutcomes } from "../outcomes.ts";
import { type Client, withClient } from "../session.ts";

export const groupDelete: CommandSpec = {
  path: "group delete",
  aliases: ["group rm"],
  summary: "Delete groups and their committed offsets",
  arguments: [{ name: "GROUP", isMany: true }],
  flags: [
    { name: "yes", short: "y", summary: "do not ask" },
    { name: "if-exists", summary: "content where the group is not there" },
  ],
  details: ["A group with members is not deleted: stop them first."],
  examples: [
    ["Without a question", "mq group delete workers --yes"],
    ["Those of a test", "mq group list 'test-*' -f name | xargs mq group delete --yes"],
  ],
  async run(context): Promise<ExitCode> {
    const names = [...new Set(context.arguments)];
    const count = names.length === 1 ? "group" : `${names.length} groups`;
    await confirm(context, `Delete ${count} (${names.join(", ")}) with all committed offsets`);
    return await withClient(context, (client) => remove(context, client, names));
  },
};

async function remove(
  context: Context,
  client: Client,
  names: readonly string[],
): Promise<ExitCode> {
  const results = await client.admin.groups.deleteGroups(names);
  return await tellOutcomes(
    context,
    results.map(({ groupId, error }) => {
      const isGone = error?.code === "GROUP_ID_NOT_FOUND" && context.flags.isSet("if-exists");
      const isFailed = error !== undefined && !isGone;
      return {
        name: groupId,
        failure: isFailed ? groupFailure(error, groupId) : undefined,
        facts: { deleted: error === undefined },
        said: isGone ? `there is no group ${groupId}` : `deleted group ${groupId}`,
      };
    }),
  );
}
