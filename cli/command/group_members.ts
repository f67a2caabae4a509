/** `mq group members`: who is in a group, and who reads what. */
import type { CommandSpec } from "../command_spec.ts";
import { ExitCode } from "../exit_code.ts";
import { groupFailure, isMissing, membersTable, missingGroupOf } from "../group_view.ts";
import { withClient } from "../session.ts";

export const groupMembers: CommandSpec = {
  path: "group members",
  summary: "Show the members of a group and what they read",
  arguments: [{ name: "GROUP" }],
  flags: [],
  examples: [
    ["Who reads what", "mq group members workers"],
    ["Hosts", "mq group members workers --json | jq -r '.[].clientHost'"],
  ],
  run: (context) =>
    withClient(context, async (client): Promise<ExitCode> => {
      const [groupId = ""] = context.arguments;
      const [group] = await client.admin.groups.describeGroups([groupId]);
      if (group === undefined || isMissing(group)) throw await missingGroupOf(client, groupId);
      if (group.error !== undefined) throw groupFailure(group.error, groupId);
      const { members } = group;
      const names = members.map(({ memberId }) => memberId);
      await context.printer.printList({ names, items: members, table: membersTable(members) });
      if (members.length === 0) context.printer.remark(`group ${groupId} has no members`);
      return ExitCode.Done;
    }),
};
