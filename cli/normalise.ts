/**
 * What stands between the typed line and cac.
 *
 * cac reads values as numbers where they look like one, loses a lone "-", takes "-10" for flags, knows
 * no command of two words, and says nothing about an unknown one. So the line is understood here, by
 * the command table, and handed to cac in a form it cannot misread:
 *
 *   1. the longest command path among the first words becomes one element, "topic create";
 *   2. only then are short flags looked up, since two commands may use one letter differently;
 *   3. every flag becomes its long name, every value and every argument carries a sentinel in front,
 *      which keeps it text; `unmark` takes it off again.
 *
 * A value flag takes the next element whatever it looks like ("-1", "-", "--", ""), as getopt does.
 * Also read: `-p0`, `-qv`, `-o=-1`, `--offset=-1`, `--` before arguments. The last of repeated flags
 * counts, unless the flag is a list.
 */
import type { CommandSpec, FlagSpec } from "./command_spec.ts";
import { type Failure, usageFailure } from "./failure.ts";
import { continuesPath, findCommand, isCommand } from "./find_command.ts";
import { nearest } from "./suggest.ts";

/** Behind it comes text that nobody may interpret. */
const SENTINEL = "\u0001";

export function mark(text: string): string {
  return SENTINEL + text;
}

export function unmark(text: string): string {
  return text.startsWith(SENTINEL) ? text.slice(1) : text;
}

/**
 * What cac is told a flag is called: it reads "--no-header" as the opposite of a flag "--header",
 * which another flag may be.
 */
export function cacFlagName(flag: FlagSpec): string {
  return flag.name.replace(/^no-/, "without-");
}

export interface Grammar {
  readonly commands: readonly CommandSpec[];
  readonly globalFlags: readonly FlagSpec[];
}

export interface NormalLine {
  readonly command: CommandSpec;
  /** What cac is given. */
  readonly argv: readonly string[];
  readonly wantsHelp: boolean;
  /** Long flags as they were understood, for those who need to know before cac has run. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly arguments: readonly string[];
}

/** Without any word it is the command "help". Throws a usage failure where it is not understood. */
export function normalise(typed: readonly string[], grammar: Grammar): NormalLine {
  const { words, rest } = splitWords(typed, grammar);
  const { command, used } = findCommand(words.length === 0 ? ["help"] : words, grammar.commands);
  const line = new LineReader([...words.slice(used), ...rest], command, grammar.globalFlags);
  return line.read();
}

/**
 * Flags that stand before the command are moved behind it; they can only be global ones, because the
 * command that gives other flags a meaning is not known yet. At most three words are looked at.
 */
function splitWords(
  typed: readonly string[],
  grammar: Grammar,
): { words: readonly string[]; rest: readonly string[] } {
  const words: string[] = [];
  const moved: string[] = [];
  let at = 0;
  for (; at < typed.length && typed[at] !== "--"; at++) {
    const element = typed[at] as string;
    if (element.length < 2 || !element.startsWith("-")) {
      if (words.length > 0 && !continuesPath([...words, element], grammar.commands)) break;
      words.push(element);
      continue;
    }
    const flag = globalFlagOf(element, grammar.globalFlags);
    if (flag === undefined) {
      if (words.length > 0) break;
      throw rejectEarlyFlag(element, grammar);
    }
    moved.push(element);
    if (flag.value !== undefined && isBareFlag(element, flag)) {
      at++;
      if (at < typed.length) moved.push(typed[at] as string);
    }
  }
  // A word that no path goes on with is an argument, or a typing error in the second word.
  return { words: withNext(words, typed, at, grammar), rest: [...moved, ...typed.slice(at)] };
}

/** Keeps a second word that is no command's beside its noun, so that the error can name both. */
function withNext(
  words: readonly string[],
  typed: readonly string[],
  at: number,
  grammar: Grammar,
): readonly string[] {
  if (isCommand(words.join(" "), grammar.commands)) return words;
  const next = typed[at];
  if (next === undefined || next.startsWith("-") || words.length === 0) return words;
  return [...words, next];
}

function globalFlagOf(element: string, flags: readonly FlagSpec[]): FlagSpec | undefined {
  if (element.startsWith("--")) return findLong(element.slice(2).split("=", 1)[0] as string, flags);
  return flags.find((flag) => flag.short === element[1]);
}

/** Whether the value is the next element, not part of this one. */
function isBareFlag(element: string, flag: FlagSpec): boolean {
  if (element.startsWith("--")) return !element.includes("=");
  return element === `-${flag.short}`;
}

function findLong(name: string, flags: readonly FlagSpec[]): FlagSpec | undefined {
  return flags.find((flag) => flag.name === name || (flag.aliases ?? []).includes(name));
}

function rejectEarlyFlag(element: string, grammar: Grammar): Failure {
  const name = element.replace(/=.*$/s, "");
  return usageFailure(
    `Unknown flag ${name} before a command`,
    nearestFlag(name, grammar.globalFlags) ?? "Put the flags of a command behind its name",
  );
}

function nearestFlag(typed: string, flags: readonly FlagSpec[]): string | undefined {
  const names = flags.flatMap((flag) => [flag.name, ...(flag.aliases ?? [])]);
  const found = nearest(typed.replace(/^-+/, ""), names);
  return found === undefined ? undefined : `Did you mean --${found}?`;
}

/** Reads what stands behind the command. */
class LineReader {
  readonly #elements: readonly string[];
  readonly #command: CommandSpec;
  readonly #flagSpecs: readonly FlagSpec[];
  readonly #flags = new Map<string, string[]>();
  readonly #arguments: string[] = [];
  #at = 0;

  constructor(
    elements: readonly string[],
    command: CommandSpec,
    globalFlags: readonly FlagSpec[],
  ) {
    this.#elements = elements;
    this.#command = command;
    this.#flagSpecs = [...command.flags, ...globalFlags];
  }

  read(): NormalLine {
    while (this.#at < this.#elements.length) {
      const element = this.#elements[this.#at++] as string;
      if (element === "--") break;
      if (element.startsWith("--")) this.#readLong(element.slice(2));
      else if (element.length > 1 && element.startsWith("-")) this.#readShorts(element.slice(1));
      else this.#arguments.push(element);
    }
    this.#arguments.push(...this.#elements.slice(this.#at));
    return {
      command: this.#command,
      // Arguments first: cac takes one for the value of a switch that has a dash in its name.
      argv: [this.#command.path, ...this.#arguments.map(mark), ...this.#flagElements()],
      wantsHelp: this.#flags.has("help"),
      flags: this.#flags,
      arguments: this.#arguments,
    };
  }

  #readLong(text: string): void {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const flag = findLong(name, this.#flagSpecs);
    if (flag === undefined) throw this.#rejectFlag(`--${name}`);
    const glued = equals < 0 ? undefined : text.slice(equals + 1);
    if (flag.value !== undefined) this.#take(flag, glued ?? this.#nextValue(flag));
    else if (glued === undefined) this.#take(flag, "");
    else throw usageFailure(`Flag --${flag.name} takes no value, but '${glued}' was given`);
  }

  /** `-qv`, `-p0`, `-p 0`, `-o=-1`: switches may be joined, a value flag takes what is left. */
  #readShorts(letters: string): void {
    for (let at = 0; at < letters.length; at++) {
      const letter = letters[at] as string;
      const flag = this.#flagSpecs.find(({ short }) => short === letter);
      if (flag === undefined) throw this.#rejectFlag(`-${letter}`);
      if (flag.value === undefined) {
        this.#take(flag, "");
        continue;
      }
      const glued = letters.slice(at + 1);
      this.#take(flag, glued === "" ? this.#nextValue(flag) : glued.replace(/^=/, ""));
      return;
    }
  }

  #nextValue(flag: FlagSpec): string {
    const value = this.#elements[this.#at++];
    if (value !== undefined) return value;
    throw usageFailure(`Missing value for --${flag.name}: ${flag.value} is wanted`, flag.summary);
  }

  #take(flag: FlagSpec, value: string): void {
    if (flag.choices !== undefined && !flag.choices.includes(value)) {
      const found = nearest(value, flag.choices);
      const question = found === undefined ? "" : `. Did you mean '${found}'?`;
      throw usageFailure(
        `Invalid value '${value}' for --${flag.name}${question}`,
        `It is one of ${flag.choices.join(", ")}`,
      );
    }
    const values = this.#flags.get(flag.name);
    if (values === undefined || flag.isList !== true) this.#flags.set(flag.name, [value]);
    else values.push(value);
  }

  #flagElements(): string[] {
    const elements: string[] = [];
    for (const [name, values] of this.#flags) {
      const flag = findLong(name, this.#flagSpecs) as FlagSpec;
      const shown = `--${cacFlagName(flag)}`;
      for (const value of values) {
        elements.push(flag.value === undefined ? shown : `${shown}=${mark(value)}`);
      }
    }
    return elements;
  }

  #rejectFlag(typed: string): Failure {
    const question = typed.startsWith("--")
      ? nearestFlag(typed, this.#flagSpecs) ?? dottedHint(typed, this.#flagSpecs)
      : undefined;
    return usageFailure(
      `Unknown flag ${typed} for mq ${this.#command.path}`,
      question ?? `mq ${this.#command.path} --help lists its flags`,
    );
  }
}

/** Kafka's setting names have dots; people try them as flags. */
function dottedHint(typed: string, flags: readonly FlagSpec[]): string | undefined {
  const hasSet = flags.some((flag) => flag.name === "set");
  if (!typed.includes(".") || !hasSet) return undefined;
  return `A setting is given with -X: -X ${typed.slice(2)}=…`;
}
