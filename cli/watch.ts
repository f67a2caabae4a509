/** One look after the other, until a signal: `--watch`. */
import type { CommandSpec } from "./command_spec.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exit_code.ts";
import { BrokenPipe, failureOf, usageFailure } from "./failure.ts";
import { pause } from "./pause.ts";
import { requireDuration } from "./quantity.ts";
import { type Client, connectFirst } from "./session.ts";

const INTERVAL_MS = 2000;
const INTERVAL_MS_MIN = 100;
/** Moves to the corner and clears what is below it. */
const CLEAR = "\u001b[H\u001b[J";

export const WATCH_FLAGS: CommandSpec["flags"] = [
  { name: "watch", short: "w", summary: "again and again, until SIGINT" },
  { name: "interval", value: "DURATION", summary: "between two looks of --watch (2s)" },
];

/** Throws a usage failure. */
export function intervalOf({ flags }: Context): number {
  const given = flags.text("interval");
  if (given === undefined) return INTERVAL_MS;
  const intervalMs = requireDuration(given, "--interval");
  if (intervalMs >= INTERVAL_MS_MIN) return intervalMs;
  throw usageFailure(
    `Invalid duration '${given}' for --interval: too short to look in between`,
    `${INTERVAL_MS_MIN}ms is the least`,
  );
}

/**
 * A look that fails is told and the next one is taken. `look` gives a function that prints what it
 * saw, so that nothing is cleared before there is something new.
 */
export async function watch(
  context: Context,
  intervalMs: number,
  look: (client: Client) => Promise<() => Promise<void>>,
): Promise<ExitCode> {
  const { io, lifeline: { signal }, printer } = context;
  const client = await connectFirst(context, signal);
  let isFirst = true;
  try {
    while (!signal.aborted) {
      try {
        // deno-lint-ignore no-await-in-loop -- one look after the other
        const print = await look(client);
        await printer.print(separator(context, isFirst));
        isFirst = false;
        await print();
      } catch (error) {
        if (error instanceof BrokenPipe) throw error;
        if (signal.aborted) break;
        printer.complain(failureOf(error));
      }
      await pause(io, intervalMs, signal);
    }
  } finally {
    await client[Symbol.asyncDispose]();
  }
  return ExitCode.Done;
}

function separator({ io, printer }: Context, isFirst: boolean): string {
  if (printer.format !== "text" && printer.format !== "wide") return "";
  if (io.stdout.isTerminal) return CLEAR;
  return isFirst ? "" : "\n";
}
