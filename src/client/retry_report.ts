/**
 * What a caller is told while something is tried again, so that whoever waits can know for what.
 *
 * Also here: how long a broker's storage may fail before that counts as an answer.
 */
import type { ClientError } from "./client_error.ts";

/** A partition that does not work; it is tried again. */
export interface RetryReport {
  readonly topic: string;
  readonly partition: number;
  /** Why the last try failed. */
  readonly error: ClientError;
  /** Since the first failure behind which nothing worked. */
  readonly failingForMs: number;
}

/**
 * A log that cannot be read is waited for so long: another replica may be made leader, which takes
 * its controller a heartbeat or two. Otherwise it stays so until somebody mends it and the broker is
 * started anew. Writing waits for as long as it may: room comes back by itself.
 */
export const UNREADABLE_MS_MAX = 5000;
