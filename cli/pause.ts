/** Waiting for a while, unless a signal fires first. */
import type { Io } from "./io.ts";

/** Resolves after the delay, or at once when the signal fires. */
export function pause(
  io: Pick<Io, "after">,
  delayMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = io.after(delayMs, end);
    signal.addEventListener("abort", end, { once: true });
  });
}
