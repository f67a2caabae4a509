/**
 * Runs every waiting promise job, now: what makes "one event, and all that follows from it" one step.
 *
 * Bun has it as `drainMicrotasks` of `bun:jsc`, Deno as an op of its core. Both are synchronous, so a
 * whole simulation is one synchronous call; a turn of the event loop for each event (setImmediate,
 * MessageChannel) costs two to eight times as much. Neither does anything when a promise job is what
 * calls it: a simulation begins in a task of its own (`inOwnTask`).
 */

export type DrainMicrotasks = () => void;

interface DenoCore {
  readonly core: { runMicrotasks(): void };
}

export async function loadDrainMicrotasks(): Promise<DrainMicrotasks> {
  const deno: unknown = (globalThis as Record<string, unknown>)["Deno"];
  if (deno !== undefined) {
    const { internal } = deno as { readonly internal: symbol };
    const { core } = (deno as Readonly<Record<symbol, DenoCore>>)[internal] as DenoCore;
    return () => core.runMicrotasks();
  }
  const name = "bun:jsc"; // not a literal: Deno would try to resolve it
  const { drainMicrotasks } = await import(name) as { drainMicrotasks: DrainMicrotasks };
  return drainMicrotasks;
}

/** Runs the action as a task of the event loop, outside of any promise job. */
export function inOwnTask<Result>(action: () => Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    setTimeout(() => {
      try {
        resolve(action());
      } catch (error) {
        reject(error);
      }
    }, 0);
  });
}
