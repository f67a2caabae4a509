/** Runs one simulation from its options, in a task of its own. */
import process from "node:process";
import { inOwnTask, loadDrainMicrotasks } from "./drain_microtasks.ts";
import type { SimOptions } from "./sim_options.ts";
import type { Script } from "./stage.ts";
import { type SimResult, World } from "./world.ts";

/**
 * A promise that is rejected and that nobody waits for ends a real process; here it fails the run, but
 * for those of a program that went on in the middle of the event that ended its life.
 */
export async function runSimulation(options: SimOptions, script?: Script): Promise<SimResult> {
  const drain = await loadDrainMicrotasks();
  const world = new World(options, drain, script);
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => {
    const isOfTheDead = reason instanceof Error && world.failuresOfTheDead.has(reason);
    if (!isOfTheDead) unhandled.push(reason);
  };
  process.on("unhandledRejection", onUnhandled);
  try {
    const result = await inOwnTask(() => world.run());
    await inOwnTask(() => undefined); // the runtime tells of rejections behind the task
    const [reason] = unhandled;
    if (reason === undefined || result.failure !== undefined) return result;
    const message = reason instanceof Error ? `${reason.stack}` : String(reason);
    const failure = { what: "unhandled rejection", message, atMs: result.simulatedMs };
    return { ...result, failure };
  } finally {
    process.off("unhandledRejection", onUnhandled);
  }
}
