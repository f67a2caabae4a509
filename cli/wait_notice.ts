/**
 * Tells once why a command that tries again and again has come to a halt, and when it goes on.
 *
 * A command that waits without a word looks like one that hangs; one that tells of every try fills the
 * terminal. So the first word comes after a few seconds, once for each kind of reason.
 */
import type { Printer } from "./printer.ts";

/** Shape of the library's report; see `RetryReport`. */
export interface Retry {
  readonly topic: string;
  readonly partition: number;
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
  readonly failingForMs: number;
}

const SILENT_MS = 3000;
/** What was heard within this time still holds: tries are at most a second or so apart. */
const FRESH_MS = 5000;

export interface WaitNoticeOptions {
  readonly printer: Printer;
  /** Milliseconds since 1970. */
  now(): number;
  /** How long it goes on: "for 12 s at most". */
  readonly limit: string;
}

export class WaitNotice {
  readonly #options: WaitNoticeOptions;
  /** Codes of the reasons that were told. */
  readonly #told = new Set<string>();
  #heard: { readonly error: Retry["error"]; readonly atMs: number } | undefined;
  /** Partitions of which a reason was told, "orders-0". */
  readonly #waiting = new Set<string>();

  constructor(options: WaitNoticeOptions) {
    this.#options = options;
  }

  onRetry({ topic, partition, error, failingForMs }: Retry): void {
    const { printer, now, limit } = this.#options;
    this.#heard = { error, atMs: now() };
    if (failingForMs < SILENT_MS) return;
    this.#waiting.add(`${topic}-${partition}`);
    if (this.#told.has(error.code)) return;
    this.#told.add(error.code);
    printer.warn(`${error.message}; trying again ${limit}`, error.hint);
  }

  /** Something of this partition works. */
  onProgress(topic: string, partition: number): void {
    if (this.#waiting.size === 0) return;
    if (!this.#waiting.delete(`${topic}-${partition}`) || this.#waiting.size > 0) return;
    this.#told.clear();
    this.#heard = undefined;
    this.#options.printer.say(`${topic}-${partition} works again`);
  }

  /** Why nothing works now, for who gives up; undefined where nothing is known to be wrong. */
  reason(): Retry["error"] | undefined {
    const heard = this.#heard;
    if (heard === undefined || this.#options.now() - heard.atMs > FRESH_MS) return undefined;
    return heard.error;
  }
}
