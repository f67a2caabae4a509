/** How far a long reading is, on one line of a terminal's stderr; nowhere else. */
import { formatBytes } from "./byte_size.ts";
import type { Context } from "./context.ts";

const EVERY_MS = 200;

export class ProgressLine {
  readonly #context: Context;
  readonly #isShown: boolean;
  readonly #startMs: number;
  #lastMs = 0;
  #isDrawn = false;

  constructor(context: Context) {
    this.#context = context;
    this.#isShown = context.io.stderr.isTerminal && !context.printer.isQuiet;
    this.#startMs = context.io.now();
  }

  update(bytes: number, bytesTotal: number): void {
    const now = this.#context.io.now();
    if (!this.#isShown || now - this.#lastMs < EVERY_MS) return;
    this.#lastMs = now;
    this.#isDrawn = true;
    const part = bytesTotal === 0 ? 100 : Math.floor(bytes / bytesTotal * 100);
    const told = `${part}% of ${formatBytes(bytesTotal)}, ${this.rate(bytes)}`;
    this.#context.io.stderr.write(`\r${told.padEnd(60)}\r`);
  }

  /** Before anything else is written. */
  clear(): void {
    if (this.#isDrawn) this.#context.io.stderr.write(`\r${"".padEnd(60)}\r`);
    this.#isDrawn = false;
  }

  /** "812 MB/s" */
  rate(bytes: number): string {
    const seconds = Math.max((this.#context.io.now() - this.#startMs) / 1000, 0.001);
    return `${formatBytes(bytes / seconds)}/s`;
  }
}
