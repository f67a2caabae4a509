/**
 * Log lines: one JSON object a line, or a line for people; to whatever takes text.
 *
 * Repeats are limited: the same message at most ten times in ten seconds, then one line says how many
 * were left out. Values of records and secrets never come here, because callers hand in named fields.
 */
import type { Clock } from "../env/clock.ts";
import type { Trace, TraceFields, TraceLevel } from "../env/trace.ts";

const LEVELS: readonly TraceLevel[] = ["debug", "info", "warn", "error"];
const WINDOW_MS = 10_000;
const REPEATS_MAX = 10;
const MESSAGES_MAX = 1_000;

export interface TraceOptions {
  readonly clock: Clock;
  readonly level: TraceLevel;
  readonly format: "json" | "text";
  /** Takes one line without its end. */
  readonly write: (line: string) => void;
}

interface Repeats {
  windowStartMs: number;
  count: number;
}

export class LineTrace implements Trace {
  readonly #options: TraceOptions;
  readonly #levelMin: number;
  readonly #repeats = new Map<string, Repeats>();

  constructor(options: TraceOptions) {
    this.#options = options;
    this.#levelMin = LEVELS.indexOf(options.level);
  }

  event(level: TraceLevel, message: string, fields: TraceFields = {}): void {
    if (LEVELS.indexOf(level) < this.#levelMin) return;
    const left = this.#mayWrite(message);
    if (left === undefined) return;
    this.#options.write(
      this.#line(level, message, left > 0 ? { ...fields, leftOut: left } : fields),
    );
  }

  /** Undefined = not now; else how many equal messages were left out before this one. */
  #mayWrite(message: string): number | undefined {
    const now = this.#options.clock.monotonicMs();
    const known = this.#repeats.get(message);
    if (known === undefined || now - known.windowStartMs >= WINDOW_MS) {
      if (this.#repeats.size >= MESSAGES_MAX) this.#repeats.clear();
      this.#repeats.set(message, { windowStartMs: now, count: 1 });
      return Math.max((known?.count ?? 0) - REPEATS_MAX, 0);
    }
    known.count++;
    return known.count <= REPEATS_MAX ? 0 : undefined;
  }

  #line(level: TraceLevel, message: string, fields: TraceFields): string {
    const time = new Date(this.#options.clock.wallMs()).toISOString();
    if (this.#options.format === "json") {
      return JSON.stringify({ time, level, message, ...fields });
    }
    let line = `${time} ${level.padEnd(5)} ${message}`;
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) line += ` ${name}=${printable(String(value))}`;
    }
    return line;
  }
}

/** Quotes what would break the line or the field: text from the network ends up here. */
function printable(value: string): string {
  return /^[\x21\x23-\x7e]+$/.test(value) ? value : JSON.stringify(value);
}

/** A trace that tells nothing, for tests and for short commands. */
export const SILENT_TRACE: Trace = { event(): void {} };
