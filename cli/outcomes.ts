/**
 * Commands with several targets: what became of each, and one exit code for all.
 *
 * One target fails like a command does: its error is the command's. Of several each is told, and the
 * exit code is that of the first that failed.
 */
import type { Context } from "./context.ts";
import { ExitCode } from "./exit_code.ts";
import type { Failure } from "./failure.ts";
import { failureDocument } from "./printer.ts";

export interface Outcome {
  readonly name: string;
  readonly failure: Failure | undefined;
  /** What --json shows beside the name. */
  readonly facts: object;
  /** What is told where it went well. */
  readonly said: string;
}

export async function tellOutcomes(
  { printer }: Context,
  outcomes: readonly Outcome[],
): Promise<ExitCode> {
  const failed = outcomes.find(({ failure }) => failure !== undefined)?.failure;
  if (outcomes.length === 1 && failed !== undefined) throw failed;
  for (const { failure, said } of outcomes) {
    if (failure !== undefined) printer.complain(failure);
    else if (!printer.isJson && printer.format !== "name") printer.say(said);
  }
  const done = outcomes.filter(({ failure }) => failure === undefined);
  if (printer.isJson) {
    const results = outcomes.map(({ name, failure, facts }) =>
      failure === undefined ? { name, ...facts } : { name, error: failureDocument(failure) }
    );
    await printer.printJson({ results });
  } else if (printer.format === "name") await printer.printLines(done.map(({ name }) => name));
  return failed?.exitCode ?? ExitCode.Done;
}
