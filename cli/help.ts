/** Help from the command table: the overview, and the page of a command. Topics: `help_topics.ts`. */
import type { Colours } from "./colours.ts";
import { type CommandSpec, type FlagSpec, usageLine } from "./command_spec.ts";
import { effectiveFlags } from "./parse_line.ts";
import type { Grammar } from "./normalise.ts";

const WIDTH = 100;

export function overview(grammar: Grammar, topics: readonly string[], colours: Colours): string {
  const { commands, globalFlags } = grammar;
  return [
    "mq: a Kafka-compatible broker and its tools in one program",
    "",
    colours.bold("Usage"),
    "  mq [flags] COMMAND [arguments] [flags]",
    "",
    colours.bold("Commands"),
    ...twoColumns(commands.map(({ path, summary }) => [path, summary])),
    "",
    colours.bold("Flags of every command"),
    ...twoColumns(globalFlags.map(flagRow)),
    "",
    colours.bold("Examples"),
    "  mq broker start --dev                        # a throw-away broker on a free port",
    "  echo 'hello world' | mq produce greetings    # one record for each line",
    "  mq consume greetings -o start:end            # everything there is, then stop",
    "",
    "mq COMMAND --help tells more about a command.",
    `mq help TOPIC tells about ${topics.join(", ")}.`,
    "",
  ].join("\n");
}

export function commandHelp(
  command: CommandSpec,
  globalFlags: readonly FlagSpec[],
  colours: Colours,
): string {
  const own = new Set(command.flags);
  const shared = effectiveFlags(command, globalFlags).filter((flag) => !own.has(flag));
  const lines = [command.summary, "", colours.bold("Usage"), `  ${usageLine(command)}`];
  if (command.aliases !== undefined) lines.push(`  also: mq ${command.aliases.join(", mq ")}`);
  if (command.flags.length > 0) {
    lines.push("", colours.bold("Flags"), ...twoColumns(command.flags.map(flagRow)));
  }
  lines.push("", colours.bold("Flags of every command"), ...twoColumns(shared.map(flagRow)));
  for (const paragraph of command.details ?? []) lines.push("", ...wrap(paragraph, WIDTH));
  lines.push("", colours.bold("Examples"));
  for (const [comment, line] of command.examples) lines.push(`  # ${comment}`, `  ${line}`);
  return `${lines.join("\n")}\n`;
}

function flagRow(flag: FlagSpec): readonly [string, string] {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  const value = flag.value === undefined ? "" : ` ${flag.value}${flag.isList === true ? " …" : ""}`;
  return [`${short}--${flag.name}${value}`, flag.summary];
}

function twoColumns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.flatMap(([left, right]) => {
    const [first = "", ...more] = wrap(right, WIDTH - width - 4);
    const indent = " ".repeat(width + 4);
    return [`  ${left.padEnd(width)}  ${first}`, ...more.map((line) => indent + line)];
  });
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
