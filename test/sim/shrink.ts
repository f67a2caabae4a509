/**
 * Makes a failing simulation smaller while it still fails in the same way: shorter, without whole
 * classes of faults, without operations, with fewer clients, without single faults.
 *
 * Greedy: each step that still fails is kept. What a step takes away changes no chance of what is left
 * among faults (each draws from its own number); among operations it does, and the failure may go.
 */
import type { FaultName } from "./fault/fault_names.ts";
import type { OperationName } from "./operation/operation_names.ts";
import type { SimOptions } from "./sim_options.ts";
import type { SimResult } from "./world.ts";

export interface ShrinkOptions {
  readonly run: (options: SimOptions) => Promise<SimResult>;
  readonly runsMax: number;
  readonly onStep?: (options: SimOptions) => void;
}

type Step = (options: SimOptions) => SimOptions | undefined;

export async function shrink(
  failed: SimResult,
  { run, runsMax, onStep }: ShrinkOptions,
): Promise<SimResult> {
  let best = failed;
  let runs = 0;
  const tryStep = async (step: Step): Promise<boolean> => {
    const options = step(best.options);
    if (options === undefined || runs >= runsMax) return false;
    runs++;
    const result = await run(options);
    if (result.failure?.what !== failed.failure?.what) return false;
    best = result;
    onStep?.(options);
    return true;
  };
  const isLiveness = failed.failure?.what === "liveness";
  if (!isLiveness) {
    await tryStep((options) => ({ ...options, safetyMs: Math.ceil(best.failure?.atMs ?? 0) + 1 }));
  }
  await tryStep((options) => ({ ...options, clients: 1 }));
  await tryStep((options) => ({ ...options, settings: {} }));
  for (const name of Object.keys(best.options.faults) as FaultName[]) {
    // deno-lint-ignore no-await-in-loop -- each step begins where the last one ended
    await tryStep((options) => ({ ...options, faults: without(options.faults, name) }));
  }
  for (const name of Object.keys(best.options.operations) as OperationName[]) {
    if (name === "create-topic") continue;
    // deno-lint-ignore no-await-in-loop
    await tryStep((options) => ({ ...options, operations: without(options.operations, name) }));
  }
  await tryStep((options) => ({ ...options, driftPpm: 0, timerLateUs: 0 }));
  for (let number = best.faultCount - 1; number >= 0; number--) {
    // deno-lint-ignore no-await-in-loop
    await tryStep((options) => {
      return { ...options, skippedFaults: [...options.skippedFaults, number] };
    });
  }
  return best;
}

function without<Name extends string>(
  weights: Partial<Record<Name, number>>,
  name: Name,
): Partial<Record<Name, number>> {
  const { [name]: _, ...left } = weights;
  return left as Partial<Record<Name, number>>;
}
