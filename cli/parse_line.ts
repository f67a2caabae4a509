/**
 * From the typed line to a command with its flags and arguments, through the normaliser and cac.
 *
 * cac checks what a command needs (missing and surplus arguments, unknown flags) and sorts the rest;
 * its words never reach the user, since it would show the sentinels and its own way of writing.
 */
import { cac } from "cac";
import { type CommandSpec, type FlagSpec, usageLine } from "./command_spec.ts";
import { usageFailure } from "./failure.ts";
import { cacFlagName, type Grammar, normalise, type NormalLine, unmark } from "./normalise.ts";
import { toBytes } from "./record_text.ts";

export interface ParsedLine {
  readonly command: CommandSpec;
  readonly flags: Flags;
  readonly arguments: readonly string[];
  readonly wantsHelp: boolean;
}

/** The flags of a line by their long names; always text. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  isSet(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value, "" for a switch; undefined where the flag was not given. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
}

/** Throws a usage failure. */
export function parseLine(typed: readonly string[], grammar: Grammar): ParsedLine {
  const line = normalise(typed, grammar);
  if (line.wantsHelp || line.flags.has("version")) {
    return {
      command: line.command,
      flags: new Flags(line.flags),
      arguments: [],
      wantsHelp: line.wantsHelp,
    };
  }
  return runCac(line, grammar);
}

function runCac(line: NormalLine, grammar: Grammar): ParsedLine {
  const { command } = line;
  const program = cac("mq");
  const entry = program.command(cacName(command), command.summary);
  for (const flag of effectiveFlags(command, grammar.globalFlags)) {
    entry.option(cacOption(flag), flag.summary, flag.isList === true ? { type: [String] } : {});
  }
  let parsed: ParsedLine | undefined;
  entry.action((...given: unknown[]) => {
    const options = given.pop() as Readonly<Record<string, unknown>>;
    parsed = {
      command,
      flags: new Flags(readOptions(options, command, grammar.globalFlags)),
      arguments: given.flat().filter((value) => value !== undefined).map((value) =>
        unmark(String(value))
      ),
      wantsHelp: false,
    };
  });
  try {
    program.parse(["", "mq", ...line.argv]);
  } catch (error) {
    throw rejectLine(error, line);
  }
  if (parsed === undefined) throw new Error(`cac did not match the command ${command.path}`);
  rejectNames(parsed);
  return parsed;
}

/** What stands for a name, of an argument or of the value of a flag. */
const NAMES = new Set(["GLOB", "GROUP", "NAME", "TOPIC"]);
/** The longest text of Kafka's requests and records. */
const NAME_BYTES_MAX = 32_767;
const SHOWN_MAX = 40;

/** No topic has an empty name; what is empty comes from a variable that was not set. */
function rejectNames({ command, arguments: given, flags }: ParsedLine): void {
  given.forEach((text, at) => {
    const spec = command.arguments[at] ?? command.arguments.at(-1);
    if (spec === undefined) return;
    const isName = NAMES.has(spec.name);
    if (isName) rejectLongName(spec.name, text);
    if (text !== "" || (spec.isOptional === true && !isName)) return;
    throw usageFailure(
      `Empty argument ${spec.name} of mq ${command.path}`,
      `Usage: ${usageLine(command)}`,
    );
  });
  for (const { name, value, isList } of command.flags) {
    if (!NAMES.has(value ?? "")) continue;
    const texts = isList === true ? flags.list(name) : [flags.text(name) ?? ""];
    for (const text of texts) rejectLongName(`--${name}`, text);
  }
}

function rejectLongName(what: string, text: string): void {
  const { length } = toBytes(text);
  if (length <= NAME_BYTES_MAX) return;
  throw usageFailure(
    `Invalid ${what} '${text.slice(0, SHOWN_MAX)}…': it has ${length} bytes`,
    `A name has ${NAME_BYTES_MAX} bytes at most`,
  );
}

/** A command's own flag hides the global one of the same name. */
export function effectiveFlags(
  command: CommandSpec,
  globalFlags: readonly FlagSpec[],
): readonly FlagSpec[] {
  const own = new Set(command.flags.map(({ name }) => name));
  return [...command.flags, ...globalFlags.filter(({ name }) => !own.has(name))];
}

/** cac tells required from optional arguments by their brackets. */
function cacName(command: CommandSpec): string {
  const words = command.arguments.map(({ name, isOptional, isMany }) => {
    const shown = isMany === true ? `...${name}` : name;
    return isOptional === true ? `[${shown}]` : `<${shown}>`;
  });
  return [command.path, ...words].join(" ");
}

function cacOption(flag: FlagSpec): string {
  const name = `--${cacFlagName(flag)}`;
  return flag.value === undefined ? name : `${name} <${flag.value}>`;
}

/** cac's names are in camelCase. */
function readOptions(
  options: Readonly<Record<string, unknown>>,
  command: CommandSpec,
  globalFlags: readonly FlagSpec[],
): Map<string, readonly string[]> {
  const values = new Map<string, readonly string[]>();
  for (const flag of effectiveFlags(command, globalFlags)) {
    const name = cacFlagName(flag).replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
    const value = options[name];
    if (value === undefined) continue;
    const isSwitch = flag.value === undefined;
    values.set(flag.name, isSwitch ? [""] : [value].flat().map((text) => unmark(String(text))));
  }
  return values;
}

function rejectLine(error: unknown, line: NormalLine): Error {
  if (!(error instanceof Error) || error.name !== "CACError") return error as Error;
  const usage = `Usage: ${usageLine(line.command)}`;
  const wanted = line.command.arguments;
  if (error.message.startsWith("missing required args")) {
    const missing = wanted[line.arguments.length]?.name ?? "argument";
    return usageFailure(`Missing argument ${missing} of mq ${line.command.path}`, usage);
  }
  if (error.message.startsWith("Unused args")) {
    const surplus = line.arguments.slice(wanted.length).map((text) => `'${text}'`).join(", ");
    return usageFailure(`Too many arguments for mq ${line.command.path}: ${surplus}`, usage);
  }
  return usageFailure(error.message.replaceAll("\u0001", ""), usage);
}
