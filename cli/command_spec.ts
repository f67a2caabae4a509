/**
 * What a command is, as data: its words, arguments, flags and texts, and the function that runs it.
 *
 * The table of commands (`command_table.ts`) feeds the normaliser, cac, help and did-you-mean, so a
 * flag exists nowhere but in its command's file.
 */
import type { Context } from "./context.ts";
import type { ExitCode } from "./exit_code.ts";

export interface FlagSpec {
  /** The long name without dashes: "key-from". */
  readonly name: string;
  /** One character. */
  readonly short?: string;
  /** Further long names. */
  readonly aliases?: readonly string[];
  /** What the value is called in help; a flag without it is a switch. */
  readonly value?: string;
  /** May be given more than once; otherwise the last one counts. */
  readonly isList?: boolean;
  /** The only values there are. */
  readonly choices?: readonly string[];
  readonly summary: string;
}

export interface ArgumentSpec {
  /** In capitals, as help shows it. */
  readonly name: string;
  readonly isOptional?: boolean;
  /** Takes all that is left; only the last argument may. */
  readonly isMany?: boolean;
}

export interface CommandSpec {
  /** The words of the command: "topic list". */
  readonly path: string;
  /** Whole paths that mean the same: "topic ls". */
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly flags: readonly FlagSpec[];
  /** Paragraphs behind the list of flags. */
  readonly details?: readonly string[];
  /** Each a comment and a line to copy. */
  readonly examples: readonly (readonly [comment: string, line: string])[];
  /** A signal is how it is meant to end: its own exit code stands, not 130 or 143. */
  readonly endsBySignal?: boolean;
  run(context: Context): Promise<ExitCode>;
}

/** `mq topic create NAME… [flags]`. */
export function usageLine(command: CommandSpec): string {
  const words = command.arguments.map(({ name, isOptional, isMany }) => {
    const shown = isMany === true ? `${name}…` : name;
    return isOptional === true ? `[${shown}]` : shown;
  });
  return ["mq", command.path, ...words, "[flags]"].join(" ");
}
