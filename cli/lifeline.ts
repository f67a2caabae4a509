/**
 * What may end a command from outside: SIGINT, SIGTERM, and its deadline.
 *
 * All three fire one `AbortSignal`; who asks is told which it was. The handlers are always our own: a
 * shell without job control starts background children with SIGINT ignored, and the default action
 * would then never happen. A second signal, or a command that does not end in time after the first,
 * ends the program at once.
 */
import { ExitCode } from "./exit_code.ts";
import type { Io, SignalName } from "./io.ts";

const TIDY_UP_MS = 10_000;

export class Lifeline {
  readonly #io: Io;
  readonly #controller = new AbortController();
  readonly #onSecond: (() => void)[] = [];
  #deadline: { cancel(): void } | undefined;
  #timeoutMs: number | undefined;
  #signalName: SignalName | undefined;
  /** Whether the program ends by itself when tidying up takes too long. */
  mayTakeLong = false;

  constructor(io: Io) {
    this.#io = io;
    io.onSignal((name) => this.#onSignal(name));
  }

  /** Fires when the command should end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether a signal came from outside. */
  get isInterrupted(): boolean {
    return this.#signalName !== undefined;
  }

  /** After how many milliseconds the deadline ended the command; undefined where it did not. */
  get expiredMs(): number | undefined {
    return this.#timeoutMs;
  }

  /** 130 or 143 after a signal. */
  get exitCode(): ExitCode | undefined {
    if (this.#signalName === undefined) return undefined;
    return this.#signalName === "SIGINT" ? ExitCode.Interrupted : ExitCode.Terminated;
  }

  /** Ends the command `timeoutMs` from now; replaces an earlier deadline. */
  setDeadline(timeoutMs: number): void {
    this.clearDeadline();
    this.#deadline = this.#io.after(timeoutMs, () => {
      this.#timeoutMs = timeoutMs;
      this.#controller.abort();
    });
  }

  clearDeadline(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
  }

  /** Called before a second signal ends the program. */
  onSecondSignal(action: () => void): void {
    this.#onSecond.push(action);
  }

  #onSignal(name: SignalName): void {
    const isSecond = this.#signalName !== undefined;
    this.#signalName = name;
    if (isSecond) {
      for (const action of this.#onSecond) action();
      this.#io.exit(this.exitCode ?? ExitCode.Failed);
    }
    this.clearDeadline();
    if (!this.mayTakeLong) {
      this.#io.after(TIDY_UP_MS, () => this.#io.exit(this.exitCode ?? ExitCode.Failed));
    }
    this.#controller.abort();
  }
}
