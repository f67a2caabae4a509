/** Waiting for something outside of this process to become true. */

const POLL_MS = 2;
const TIMEOUT_MS = 30_000;

/** Looks again and again until it is true; throws with what was waited for when it takes too long. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const end = performance.now() + TIMEOUT_MS;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`Cannot wait longer until ${what}`);
    await turn();
  }
}

/** The same of what has to be asked for: asked again when the answer is there. */
export async function untilAsync(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + TIMEOUT_MS;
  // deno-lint-ignore no-await-in-loop -- one question after the other
  while (!await isTrue()) {
    if (performance.now() > end) throw new Error(`Cannot wait longer until ${what}`);
    // deno-lint-ignore no-await-in-loop
    await turn();
  }
}

/** How long a fault lasts, or a load: the length is what is meant, nothing is waited for. */
export function lasting(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A moment in which others may run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
