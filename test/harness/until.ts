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

/** A moment in which others may run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
