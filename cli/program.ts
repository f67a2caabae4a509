/**
 * One run of `mq`: understand the line, run the command, tell what went wrong, give the exit code.
 *
 * Everything the world does to it comes in through `Io` and `library`, so a test can run the whole
 * program in a process of its own choosing.
 */
import type { CommandSpec } from "./command_spec.ts";
import { commands } from "./command_table.ts";
import type { Context, Library } from "./context.ts";
import { ExitCode } from "./exit_code.ts";
import { BrokenPipe, failureWithin, usageFailure } from "./failure.ts";
import { globalFlags, OUTPUT_FORMATS } from "./global_flags.ts";
import { commandHelp } from "./help.ts";
import type { Io } from "./io.ts";
import { Lifeline } from "./lifeline.ts";
import type { Grammar } from "./normalise.ts";
import { Flags, type ParsedLine, parseLine } from "./parse_line.ts";
import { failureDocument, type OutputFormat, Printer } from "./printer.ts";
import { versionLine } from "./version.ts";

const grammar: Grammar = { commands, globalFlags };

/** Resolves to the exit code when everything that was written is out. */
export async function runProgram(io: Io, library: () => Promise<Library>): Promise<ExitCode> {
  const lifeline = new Lifeline(io);
  let printer = new Printer(io, new Flags(new Map()), isJsonWanted(io.args) ? "json" : "text");
  let command: CommandSpec | undefined;
  try {
    const line = parseLine(io.args, grammar);
    command = line.command;
    printer = new Printer(io, line.flags, outputFormat(line, io));
    const context = { io, printer, lifeline, grammar, library, ...line };
    const code = await runLine(line, context);
    return command.endsBySignal === true ? code : lifeline.exitCode ?? code;
  } catch (error) {
    if (error instanceof BrokenPipe) return ExitCode.Done;
    const interrupted = command?.endsBySignal === true ? undefined : lifeline.exitCode;
    return interrupted ?? await tellFailure(error, printer, io, lifeline);
  }
}

async function runLine(line: ParsedLine, context: Context): Promise<ExitCode> {
  const { printer, io } = context;
  if (line.flags.isSet("version")) {
    await printer.print(versionLine(io.platform));
    return ExitCode.Done;
  }
  if (line.wantsHelp && line.command.path !== "help") {
    await printer.print(commandHelp(line.command, globalFlags, printer.out));
    return ExitCode.Done;
  }
  return await line.command.run(context);
}

/** Before the line is understood, its errors should come in the form that was asked for already. */
function isJsonWanted(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).includes("--json");
}

/** `-f` of a command that gives it another meaning (consume, produce) does not decide here. */
function outputFormat(line: ParsedLine, io: Io): OutputFormat {
  if (line.flags.isSet("json")) return "json";
  const isOwn = line.command.flags.some(({ name }) => name === "format");
  if (isOwn) return "text";
  const fromEnvironment = io.environment["MQ_FORMAT"] || undefined; // empty is not set
  const format = line.flags.text("format") ?? fromEnvironment ?? "text";
  const known = OUTPUT_FORMATS.find((name) => name === format);
  if (known !== undefined) return known;
  throw usageFailure(
    `Invalid value '${format}' of MQ_FORMAT`,
    `It is one of ${OUTPUT_FORMATS.join(", ")}`,
  );
}

async function tellFailure(
  error: unknown,
  printer: Printer,
  io: Io,
  lifeline: Lifeline,
): Promise<ExitCode> {
  const failure = failureWithin(error, lifeline);
  printer.complain(failure);
  if (failure.code === "INTERNAL" && io.environment["MQ_DEBUG"] !== undefined) {
    io.stderr.write(`${(failure.cause as Error | undefined)?.stack ?? ""}\n`);
  }
  try {
    if (printer.isJson) await printer.printJson({ error: failureDocument(failure) });
  } catch {
    // stdout is gone or full; what was to be said stands on stderr.
  }
  return failure.exitCode;
}
