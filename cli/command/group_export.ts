/** `mq group export`: what a group has committed, as lines that `mq group seek --to-file` takes back. */
import type { CommandSpec } from "../command_spec.ts";
import { ExitCode } from "../exit_code.ts";
import { failureOf } from "../failure.ts";
import { groupFailure, missingGroupOf } from "../group_view.ts";
import { formatOffsetLine } from "../offset_lines.ts";
import { withClient } from "../session.ts";

export const groupExport: CommandSpec = {
  path: "group export",
  summary: "Write the committed offsets of a group, for mq group seek --to-file",
  arguments: [{ name: "GROUP" }],
  flags: [],
  details: ["A line is: topic TAB partition TAB offset, without a header."],
  examples: [
    ["Keep them", "mq group export workers > workers.offsets"],
    ["Into another cluster", "mq group export g | mq -b other:9092 group seek g --to-file - --yes"],
  ],
  run: (context) =>
    withClient(context, async (client): Promise<ExitCode> => {
      const { printer, arguments: [groupId = ""] } = context;
      const committed = await client.admin.groups.groupOffsets(groupId).catch((error: unknown) => {
        throw groupFailure(error, groupId);
      });
      const offsets = committed.filter(({ offset, error }) => error !== undefined || offset >= 0);
      if (offsets.length === 0) throw await missingGroupOf(client, groupId);
      const failures = offsets.flatMap(({ error }) =>
        error === undefined ? [] : [failureOf(error)]
      );
      for (const failure of failures) printer.complain(failure);
      const known = offsets.filter(({ error }) => error === undefined)
        .map(({ topic, partition, offset, metadata }) => ({ topic, partition, offset, metadata }))
        .toSorted((one, other) =>
          one.topic === other.topic
            ? one.partition - other.partition
            : one.topic < other.topic
            ? -1
            : 1
        );
      if (printer.isJson) await printer.printJson({ groupId, offsets: known });
      else await printer.printLines(known.map(formatOffsetLine));
      return failures[0]?.exitCode ?? ExitCode.Done;
    }),
};
