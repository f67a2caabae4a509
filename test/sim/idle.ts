/**
 * What three nodes cost that have nothing to do: simulated seconds for each second of a core.
 *
 *     bun test/sim/idle.ts [seconds] [seed]
 *
 * All invariants are looked at, as in every simulation; what is measured is the price of an event and how
 * many of them an idle cluster has.
 */
import process from "node:process";
import { reportFailure } from "./failure_report.ts";
import { runSimulation } from "./run_seed.ts";
import { calmOptions } from "./sim_options.ts";

const [seconds = "600", seed = "1"] = process.argv.slice(2);
const US_PER_SECOND = 1_000_000;
const idleMs = 1000 * Number(seconds);

const options = calmOptions(Number(seed), idleMs + 60_000);
/** The first time the runtime compiles on the way; a sweep pays for that once in each process. */
for (const state of ["cold", "warm"]) {
  const began = process.cpuUsage();
  // deno-lint-ignore no-await-in-loop -- one after the other
  const result = await runSimulation(options, async (stage) => {
    await stage.allServe();
    await stage.sleep(idleMs);
  });
  const { user, system } = process.cpuUsage(began);
  if (result.failure !== undefined) throw new Error(reportFailure(result));
  const cpuSeconds = (user + system) / US_PER_SECOND;
  const simulated = result.simulatedMs / 1000;
  const words = [
    `three idle nodes, ${state}: ${simulated.toFixed(0)} simulated s in ${cpuSeconds.toFixed(2)} s`,
    `of CPU, ${(simulated / cpuSeconds).toFixed(0)} per s;`,
    `${(result.eventCount / simulated).toFixed(1)} events per simulated s,`,
    `${(US_PER_SECOND * cpuSeconds / result.eventCount).toFixed(1)} us each; trace ${result.hash}`,
  ];
  process.stdout.write(`${words.join(" ")}\n`);
}
