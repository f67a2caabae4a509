/** A process made of values: what the program is given, and what it wrote. */
import type { Io, SignalName } from "../../cli/io.ts";
import { BrokenPipe } from "../../cli/failure.ts";

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
}

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
  readonly pid = 7;
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
  readonly #timers: { action: () => void; isLive: boolean }[] = [];

  constructor(options: FakeIoOptions = {}) {
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
        await Promise.resolve();
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
  after(_delayMs: number, action: () => void): { cancel(): void } {
    const timer = { action, isLive: true };
    this.#timers.push(timer);
    return { cancel: () => void (timer.isLive = false) };
  }

  soon(action: () => void): void {
    setImmediate(action);
  }

  onSignal(listener: (signal: SignalName) => void): void {
    this.#listeners.push(listener);
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
