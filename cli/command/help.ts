/** `mq help`: the overview, a command's page, a topic, or the whole table for programs. */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { usageFailure } from "../failure.ts";
import { commandHelp, overview } from "../help.ts";
import { helpTopics } from "../help_topics.ts";
import { nearestCommand } from "../find_command.ts";
import { nearest } from "../suggest.ts";

export const help: CommandSpec = {
  path: "help",
  summary: "Show help for a command or a topic",
  arguments: [{ name: "COMMAND-OR-TOPIC", isOptional: true, isMany: true }],
  flags: [],
  details: [`Topics: ${helpTopics.map(({ name }) => name).join(", ")}.`],
  examples: [
    ["All commands", "mq help"],
    ["One command", "mq help topic create"],
    ["What exit codes mean", "mq help exit-codes"],
    ["What a broker can be told", "mq help settings"],
    ["The table of commands for programs", "mq help --json"],
  ],
  async run(context: Context): Promise<ExitCode> {
    const { printer, grammar } = context;
    if (printer.isJson) await printer.printJson(grammar);
    else await printer.print(await helpText(context));
    return ExitCode.Done;
  },
};

async function helpText(context: Context): Promise<string> {
  const { arguments: words, grammar, printer } = context;
  const names = helpTopics.map(({ name }) => name);
  if (words.length === 0) return overview(grammar, names, printer.out);
  const wanted = words.join(" ");
  const topic = helpTopics.find(({ name }) => name === wanted);
  if (topic !== undefined) {
    return typeof topic.text === "string" ? topic.text : topic.text(await context.library());
  }
  const command = grammar.commands.find(({ path, aliases }) =>
    path === wanted || aliases?.includes(wanted) === true
  );
  if (command !== undefined) return commandHelp(command, grammar.globalFlags, printer.out);
  const pages = grammar.commands.filter(({ path }) => path.startsWith(`${wanted} `));
  if (pages.length > 0) {
    const width = Math.max(...pages.map((page) => page.path.length));
    return pages.map((page) => `mq ${page.path.padEnd(width)}  ${page.summary}\n`).join("");
  }
  const suggestion = nearest(wanted, names) ?? nearestCommand(words, grammar.commands);
  const question = suggestion === undefined ? "" : `. Did you mean '${suggestion}'?`;
  throw usageFailure(`Unknown command or topic '${wanted}'${question}`, "mq help lists them all");
}
