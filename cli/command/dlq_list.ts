/** `mq dlq list`: which dead-letter topics there are, and how many letters wait in them. */
import type { CommandSpec } from "../command_spec.ts";
import { ExitCode } from "../exit_code.ts";
import { compileGlob } from "../glob.ts";
import { isDeadLetterName, openBox, waitingCount } from "../letter_box.ts";
import { rejectMissingName } from "../missing_name.ts";
import { withClient } from "../session.ts";

export const dlqList: CommandSpec = {
  path: "dlq list",
  aliases: ["dlq ls"],
  summary: "List dead-letter topics and how many letters wait in them",
  arguments: [{ name: "GLOB", isOptional: true }],
  flags: [],
  details: [
    "Without GLOB those whose names end in dlq, dlt or dead-letters behind a dot, dash or underscore. " +
    "A name that is not there is an error (3). " +
    "COUNT is how many letters lie there, WAITING how many of them were not put back by mq dlq redrive.",
  ],
  examples: [
    ["All", "mq dlq list"],
    ["Is anything waiting?", "mq dlq list --json | jq -e 'all(.waiting == 0)'"],
    ["Topics that are named otherwise", "mq dlq list 'errors-*'"],
  ],
  run: (context) =>
    withClient(context, async (client): Promise<ExitCode> => {
      const [pattern] = context.arguments;
      const matches = pattern === undefined ? isDeadLetterName : compileGlob(pattern);
      const all = await client.admin.listTopics();
      rejectMissingName("topic", pattern, all.map(({ name }) => name));
      const topics = all
        .filter(({ name, isInternal }) => !isInternal && matches(name))
        .map(({ name }) => name)
        .toSorted();
      const items = await Promise.all(topics.map(async (topic) => {
        const partitions = await openBox(client, topic);
        const sum = (count: (one: typeof partitions[number]) => number): number =>
          partitions.reduce((total, one) => total + count(one), 0);
        return {
          topic,
          count: sum(({ start, end }) => end - start),
          waiting: sum(waitingCount),
          partitions: partitions.length,
        };
      }));
      await context.printer.printList({
        names: topics,
        items,
        table: {
          columns: ["TOPIC", "COUNT", "WAITING"],
          rows: items.map(({ topic, count, waiting }) => [topic, count, waiting]),
        },
      });
      return ExitCode.Done;
    }),
};
