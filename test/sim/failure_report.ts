/** What a person needs of a failed simulation: what broke, how to see it again, what happened last. */
import type { SimResult } from "./world.ts";

/** The command that runs exactly this simulation again. */
export function replayCommand({ options }: SimResult): string {
  return `bun test/sim/main.ts --replay '${JSON.stringify(options)}'`;
}

export function reportFailure(result: SimResult, lineBytesMax = 240): string {
  const { failure, options, hash, eventCount, faultCount } = result;
  const lines = [
    `seed ${options.seed} failed at ${failure?.atMs.toFixed(3)} ms: ${failure?.what}`,
    failure?.message ?? "",
    `trace ${hash}, ${eventCount} events, ${faultCount} faults`,
    `again: ${replayCommand(result)}`,
  ];
  for (const [name, trail] of result.trails) {
    lines.push("", `== ${name}: the last ${trail.length} events`);
    for (const line of trail) lines.push(line.slice(0, lineBytesMax));
  }
  return lines.join("\n");
}
