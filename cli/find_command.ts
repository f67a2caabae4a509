/** Which command the first words of a line name, and which was meant where they name none. */
import type { CommandSpec } from "./command_spec.ts";
import { type Failure, usageFailure } from "./failure.ts";
import { nearest } from "./suggest.ts";

/** Throws a usage failure with the nearest command. `used` counts the words that name it. */
export function findCommand(
  words: readonly string[],
  commands: readonly CommandSpec[],
): { command: CommandSpec; used: number } {
  for (let used = words.length; used > 0; used--) {
    const path = words.slice(0, used).join(" ");
    const command = commands.find((candidate) => namesOf(candidate).includes(path));
    if (command !== undefined) return { command, used };
  }
  throw rejectCommand(words, commands);
}

function rejectCommand(words: readonly string[], commands: readonly CommandSpec[]): Failure {
  const noun = words[0] as string;
  const verbs = commands.filter(({ path }) => path.startsWith(`${noun} `))
    .map(({ path }) => path.slice(noun.length + 1));
  if (words.length === 1 && verbs.length > 0) {
    return usageFailure(
      verbs.length === 1
        ? `Incomplete command '${noun}': '${verbs[0]}' is missing behind it`
        : `Incomplete command '${noun}': one of ${verbs.join(", ")} is missing behind it`,
      `See mq ${noun} ${verbs[0]} --help`,
    );
  }
  const suggestion = nearestCommand(words, commands);
  const typed = verbs.length > 0 ? words.slice(0, 2).join(" ") : noun;
  const question = suggestion === undefined ? "" : `. Did you mean '${suggestion}'?`;
  return usageFailure(`Unknown command '${typed}'${question}`, "mq help lists all commands");
}

/** The nearest command to the first two words, else to the first one. */
export function nearestCommand(
  words: readonly string[],
  commands: readonly CommandSpec[],
): string | undefined {
  const [noun = "", verb] = words;
  const paths = commands.map(({ path }) => path);
  if (verb !== undefined) {
    const verbs = paths.filter((path) => path.startsWith(`${noun} `));
    const found = nearest(verb, verbs.map((path) => path.slice(noun.length + 1)));
    if (found !== undefined) return `${noun} ${found}`;
    if (verbs.length > 0) return undefined;
    const whole = nearest(`${noun} ${verb}`, paths.filter((path) => path.includes(" ")));
    if (whole !== undefined) return whole;
  }
  return nearest(noun, new Set(paths.map((path) => path.split(" ", 1)[0] as string)));
}

function namesOf(command: CommandSpec): readonly string[] {
  return [command.path, ...(command.aliases ?? [])];
}

export function continuesPath(words: readonly string[], commands: readonly CommandSpec[]): boolean {
  const path = words.join(" ");
  return commands.some((command) =>
    namesOf(command).some((name) => name === path || name.startsWith(`${path} `))
  );
}

export function isCommand(path: string, commands: readonly CommandSpec[]): boolean {
  return commands.some((command) => namesOf(command).includes(path));
}
