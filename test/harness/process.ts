/**
 * Child processes of tests: run one to its end, or keep one running; on Bun and on Deno.
 *
 * Whatever a test does, no process outlives it: what is kept running is disposable, and what is left
 * when the test program itself ends is killed then, each by its own process id.
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Where the project is, with a slash at the end. */
export const projectRoot: string = fileURLToPath(new URL("../..", import.meta.url));

const RUN_TIMEOUT_MS = 60_000;

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** The exit code; 128 + n where signal n ended it, as in a shell. */
  readonly status: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
  /** `stdout` as text. */
  readonly text: string;
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGINT: 2,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** Runs a program to its end and gives all it wrote. Its stdin is `input`, or empty. */
export async function run(
  program: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  await using child = start(program, words, options);
  child.writeAndEnd(options.input ?? "");
  const limit = options.timeoutMs ?? RUN_TIMEOUT_MS;
  const late = setTimeout(() => child.kill("SIGKILL"), limit);
  const status = await child.ended;
  clearTimeout(late);
  const stdout = child.stdout();
  return { status, stdout, stderr: child.stderr(), text: new TextDecoder().decode(stdout) };
}

export interface RunningProcess extends AsyncDisposable {
  readonly pid: number;
  /** The exit code, once it and its streams have ended; 128 + n where signal n ended it. */
  readonly ended: Promise<number>;
  /** All it wrote so far. */
  stdout(): Uint8Array;
  stderr(): string;
  write(input: string | Uint8Array): void;
  writeAndEnd(input: string | Uint8Array): void;
  kill(signal: "SIGTERM" | "SIGINT" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
// A signal alone would end this program without its "exit".
for (const [name, number] of [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]] as const) {
  process.on(name, () => process.exit(128 + number));
}

/** Starts a program; it is killed when the value is disposed of. */
export function start(
  program: string,
  words: readonly string[],
  options: RunOptions = {},
): RunningProcess {
  const child = spawn(program, words, {
    cwd: options.directory ?? projectRoot,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  running.add(child);
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  child.stdout.on("data", (chunk: Uint8Array) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Uint8Array) => stderr.push(chunk));
  child.stdin.on("error", () => undefined); // a program may end without reading all its input
  const ended = endOf(child).then((status) => {
    running.delete(child);
    return status;
  });
  ended.catch(() => running.delete(child)); // who waits for `ended` hears of it
  return {
    pid: child.pid ?? 0,
    ended,
    stdout: () => joined(stdout),
    stderr: () => new TextDecoder().decode(joined(stderr)),
    write: (input) => void child.stdin.write(input),
    writeAndEnd: (input) => void child.stdin.end(input),
    kill(signal): void {
      // Not child.kill(): behind it Deno takes any end for the work of that signal.
      if (!running.has(child) || child.pid === undefined) return;
      try {
        process.kill(child.pid, signal);
      } catch {
        // It has ended in this moment.
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (running.has(child)) child.kill("SIGKILL");
      await ended.catch(() => undefined);
    },
  };
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve(status ?? 128 + (SIGNALS[signal ?? ""] ?? 0)));
  });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether a program of this name is on the PATH. */
export async function hasProgram(name: string): Promise<boolean> {
  return (await run("sh", ["-c", 'command -v "$0" >/dev/null', name])).status === 0;
}

/**
 * Whether a foreign tool is there; where it is not, says that its tests are skipped.
 *
 *     test.skipIf(!(await hasTool("kcat")))("…", …)
 */
export async function hasTool(name: string): Promise<boolean> {
  const isThere = await hasProgram(name);
  if (!isThere) process.stderr.write(`${name} is not installed: its tests are skipped\n`);
  return isThere;
}
