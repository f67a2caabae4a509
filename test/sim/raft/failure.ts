/** What a failing run says: what broke, in which world, what each node saw last, and how to see it again. */
import type { SimOptions } from "./options.ts";
import { shrink } from "./shrink.ts";
import { type RunResult, type RunSettings, World } from "./world.ts";

const LINES_SHOWN = 200;

/** One line for a list of failures. */
export function failureLine(options: SimOptions, { violation }: RunResult): string {
  return `FAIL seed ${options.seed}: ${violation?.invariant}: ${violation?.message} ` +
    `at ${violation?.atMs} ms`;
}

/** The whole story, from a second run with recording, and a smaller world that breaks the same. */
export function failureReport(options: SimOptions, settings: RunSettings = {}): string {
  const result = new World(options, { ...settings, isRecording: true }).run();
  const shrunk = shrink(options, settings);
  const again = `bun test/sim/raft/main.ts`;
  return [
    failureLine(options, result),
    `replay: ${again} --seed ${options.seed}${
      options.sabotage.length === 0 ? "" : ` --sabotage ${options.sabotage.join(",")}`
    }`,
    `options: ${JSON.stringify(options)}`,
    `shrunk in ${shrunk.runCount} runs to ${shrunk.result.performed.length} deeds: ` +
    shrunk.result.performed.join(" "),
    `replay: ${again} --options '${JSON.stringify(shrunk.options)}'`,
    `-- the shrunk run: ${shrunk.result.violation?.message} at ${shrunk.result.violation?.atMs} ms`,
    shrunk.result.report.split("\n").slice(-LINES_SHOWN * (options.nodeCount + 1)).join("\n"),
  ].join("\n");
}
