/**
 * How the client waits and tries again: exponential back-off with jitter, bounded by a deadline.
 *
 * Time and chance come from `Env`. Not here: what is worth a retry, which the caller decides.
 */
import type { Clock } from "../env/clock.ts";
import type { Random } from "../env/random.ts";
import { abortedError, type ClientError, timeoutError } from "./client_error.ts";

const FIRST_DELAY_MS = 20;
const DELAY_MS_MAX = 1000; // Kafka's retry.backoff.max.ms

export interface RetryTools {
  readonly clock: Clock;
  readonly random: Random;
}

/** Delay before try number `attempt` (from 1): doubles from 20 ms to 1 s, with 20 % of jitter. */
export function backoffMs(attempt: number, random: Random): number {
  const exact = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), DELAY_MS_MAX);
  return exact * (0.8 + random.below(401) / 1000);
}

/** Waits; ends early, with ABORTED, where the signal fires. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortedError("Cannot wait"));
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(abortedError("Cannot wait"));
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

export interface RetryOptions {
  /** All tries together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether this failure is worth another try; `error.retriable` where left out. */
  isRetriable?(error: ClientError): boolean;
}

/**
 * Calls `attempt` until it succeeds, fails for good, or the time is up; then the last error stands.
 * `attempt` throws nothing but `ClientError`.
 */
export async function retrying<T>(
  tools: RetryTools,
  options: RetryOptions,
  attempt: (attempt: number) => Promise<T>,
): Promise<T> {
  const deadline = tools.clock.monotonicMs() + options.timeoutMs;
  for (let count = 1;; count++) {
    try {
      return await attempt(count);
    } catch (thrown) {
      const error = thrown as ClientError;
      const isRetriable = options.isRetriable?.(error) ?? error.retriable;
      const delayMs = backoffMs(count, tools.random);
      if (!isRetriable || tools.clock.monotonicMs() + delayMs > deadline) throw error;
      await sleep(tools.clock, delayMs, options.signal);
    }
  }
}

/** The promise, or ABORTED where the signal fires first; what was begun goes on unheard. */
export function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  action: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortedError(action));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** The promise, or TIMEOUT where it takes longer; what was begun goes on unheard. */
export function within<T>(
  clock: Clock,
  timeoutMs: number,
  promise: Promise<T>,
  action: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => reject(timeoutError(action, timeoutMs)));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
