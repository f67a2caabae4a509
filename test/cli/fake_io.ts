/** A process made of values: what the program is given, and what it wrote. */
import type { Io, SignalName } from "../../cli/io.ts";
import { BrokenPipe } from "../../cli/failure.ts";
import type { ShellEnd, ShellRun } from "../../cli/shell_run.ts";

export interface FakeIoOptions {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What stdin gives, piece by piece; then it ends. */
  readonly input?: readonly string[];
  /** stdin goes on after that, and gives nothing. */
  readonly isInputOpen?: boolean;
  readonly terminals?: readonly ("stdin" | "stdout" | "stderr")[];
  readonly files?: Readonly<Record<string, string>>;
  /** After so many bytes nobody reads stdout any more. */
  readonly outputBytesMax?: number;
  readonly pid?: number;
  /** No write to stdout ends before it. */
  readonly gate?: Promise<void>;
  /** What a command of the shell does; without it there is no shell. */
  readonly shell?: (run: FakeShellRun) => FakeShellEnd | Promise<FakeShellEnd>;
  /** Timers of less than ten seconds go off by themselves, without time passing. */
  readonly isHasty?: boolean;
}

export interface FakeShellRun {
  readonly command: string;
  readonly input: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface FakeShellEnd extends Partial<ShellEnd> {
  readonly output?: string;
  readonly errors?: string;
}

const HASTY_MS_MAX = 10_000;

export class ExitCalled extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export class FakeIo implements Io {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly platform = "test";
  readonly files: Io["files"];
  readonly stdin: Io["stdin"];
  readonly stdout: Io["stdout"];
  readonly stderr: Io["stderr"];
  output = "";
  talk = "";
  exitCode: number | undefined;
  readonly written = new Map<string, string>();
  readonly #listeners: ((name: SignalName) => void)[] = [];
  readonly #onReaderGone = new Set<() => void>();
  readonly #timers: { action: () => void; isLive: boolean }[] = [];
  readonly #options: FakeIoOptions;
  /** Milliseconds of all timers that were set. */
  readonly delays: number[] = [];

  constructor(options: FakeIoOptions = {}) {
    this.#options = options;
    this.pid = options.pid ?? 7;
    const isTerminal = (name: "stdin" | "stdout" | "stderr"): boolean =>
      options.terminals?.includes(name) === true;
    this.args = options.args ?? [];
    this.environment = options.environment ?? {};
    this.stdin = { isTerminal: isTerminal("stdin"), read: fakeRead(options) };
    const decoder = new TextDecoder();
    let outputBytes = 0;
    this.stdout = {
      isTerminal: isTerminal("stdout"),
      write: async (bytes) => {
        await (options.gate ?? Promise.resolve());
        outputBytes += bytes.length;
        if (outputBytes > (options.outputBytesMax ?? Infinity)) throw new BrokenPipe("gone");
        this.output += decoder.decode(bytes, { stream: true });
      },
    };
    this.stderr = {
      isTerminal: isTerminal("stderr"),
      write: (text) => void (this.talk += text),
    };
    this.files = this.#files(options.files ?? {});
  }

  now(): number {
    return Date.parse("2026-06-01T12:00:00Z");
  }

  /** Runs only when the test says that time is over. */
  after(delayMs: number, action: () => void): { cancel(): void } {
    const timer = { action, isLive: true };
    this.delays.push(delayMs);
    this.#timers.push(timer);
    if (this.#options.isHasty === true && delayMs < HASTY_MS_MAX) {
      setImmediate(() => timer.isLive && action());
    }
    return { cancel: () => void (timer.isLive = false) };
  }

  soon(action: () => void): void {
    setImmediate(action);
  }

  runShell(run: ShellRun): { ended: Promise<ShellEnd>; stop(): void } {
    return { ended: this.#runShell(run), stop: () => undefined };
  }

  async #runShell(run: ShellRun): Promise<ShellEnd> {
    const { shell } = this.#options;
    if (shell === undefined) throw new Error(`no shell for ${run.command}`);
    const input = new TextDecoder().decode(run.input);
    const end = await shell({ command: run.command, input, environment: run.environment });
    const encoder = new TextEncoder();
    if (end.errors !== undefined) run.onError(encoder.encode(end.errors));
    if (end.output !== undefined) await run.onOutput(encoder.encode(end.output));
    return { code: end.code === undefined ? 0 : end.code, signal: end.signal ?? null };
  }

  onSignal(listener: (signal: SignalName) => void): void {
    this.#listeners.push(listener);
  }

  onReaderGone(listener: () => void): { cancel(): void } {
    this.#onReaderGone.add(listener);
    return { cancel: () => void this.#onReaderGone.delete(listener) };
  }

  /** Nobody reads stdout any more. */
  loseReader(): void {
    for (const listener of this.#onReaderGone) listener();
  }

  onCrash(): void {}

  exit(code: number): never {
    this.exitCode = code;
    throw new ExitCalled(code);
  }

  signal(name: SignalName): void {
    for (const listener of this.#listeners) listener(name);
  }

  /** All timers that were not cancelled go off. */
  elapse(): void {
    for (const timer of this.#timers.splice(0)) if (timer.isLive) timer.action();
  }

  #files(contents: Readonly<Record<string, string>>): Io["files"] {
    return {
      read: (path) => {
        const text = contents[path];
        if (text === undefined) {
          throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), {
            code: "ENOENT",
          });
        }
        return new TextEncoder().encode(text);
      },
      replace: (path, text) => void this.written.set(path, text),
      remove: (path) => void this.written.delete(path),
      append: (path) => (line) =>
        void this.written.set(path, `${this.written.get(path) ?? ""}${line}\n`),
      temporaryDirectory: () => "/tmp/fake",
      homeDirectory: () => "/home/fake",
      join: (...parts) => parts.join("/"),
    };
  }
}

function fakeRead(options: FakeIoOptions): Io["stdin"]["read"] {
  const pieces = (options.input ?? []).map((piece) => new TextEncoder().encode(piece));
  return async (room) => {
    await Promise.resolve();
    const piece = pieces.shift();
    if (piece === undefined) {
      return options.isInputOpen === true ? await new Promise<number>(() => undefined) : 0;
    }
    const part = piece.subarray(0, room.length);
    room.set(part);
    if (part.length < piece.length) pieces.unshift(piece.subarray(part.length));
    return part.length;
  };
}
