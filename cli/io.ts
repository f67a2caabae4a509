/**
 * The process as the program sees it: argv, environment, standard streams, files, signals, timers.
 *
 * The only file of `cli/` that names `node:`; tests hand in a value of `Io` of their own. Streams are
 * file descriptors read and written off the event loop, so that a slow reader of stdout never keeps a
 * signal from being handled, and so that what was written is out when its promise resolves.
 * Not here: what is printed, and what a signal means.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import tty from "node:tty";
import { BrokenPipe, failedAction } from "./failure.ts";
import { runShell } from "./shell_process.ts";
import type { RunningShell, ShellRun } from "./shell_run.ts";

export interface InputStream {
  readonly isTerminal: boolean;
  /** Fills the start of `room` with what is at hand, waiting for at least a byte; 0 = the end. */
  read(room: Uint8Array): Promise<number>;
}

export interface OutputStream {
  readonly isTerminal: boolean;
  /** Resolves when the system has all of it. Throws `BrokenPipe` when nobody reads any more. */
  write(bytes: Uint8Array): Promise<void>;
}

export interface TextStream {
  readonly isTerminal: boolean;
  /** Written at once; a stream that is gone is no error. */
  write(text: string): void;
}

export type SignalName = "SIGINT" | "SIGTERM";

export interface Io {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** "bun 1.4.5, linux x64". */
  readonly platform: string;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: TextStream;
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `action` after the delay unless cancelled; keeps the program alive. */
  after(delayMs: number, action: () => void): { cancel(): void };
  /** Calls `action` when what has already arrived is dealt with. */
  soon(action: () => void): void;
  onSignal(listener: (signal: SignalName) => void): void;
  /**
   * Calls `listener` when nobody reads stdout any more, though nothing is written; unless cancelled.
   * Never where the system does not tell.
   */
  onReaderGone(listener: () => void): { cancel(): void };
  /** Errors that nobody waited for. */
  onCrash(listener: (error: unknown) => void): void;
  /** Ends the program now, whatever is under way. */
  exit(code: number): never;
  readonly files: Files;
  /** Starts a command of the shell. */
  runShell(run: ShellRun): RunningShell;
}

export interface Files {
  read(path: string): Uint8Array;
  /** Under the name there is either the old content or the whole new one. */
  replace(path: string, text: string): void;
  /** Content where there is none. */
  remove(path: string): void;
  /** Makes the file where it is missing; gives a function that adds a line. */
  append(path: string): (line: string) => void;
  /** A new directory of our own for what is thrown away. */
  temporaryDirectory(): string;
  homeDirectory(): string;
  join(...parts: readonly string[]): string;
}

export function processIo(): Io {
  const environment = process.env;
  return {
    args: process.argv.slice(2),
    environment,
    pid: process.pid,
    platform: `${runtimeName()}, ${process.platform} ${process.arch}`,
    stdin: new StandardInput(),
    stdout: { isTerminal: tty.isatty(1), write: (bytes) => writeAll(1, bytes) },
    stderr: { isTerminal: tty.isatty(2), write: writeError },
    now: () => Date.now(),
    after(delayMs, action): { cancel(): void } {
      const timer = setTimeout(action, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
    soon: (action) => void setImmediate(action),
    onSignal(listener): void {
      for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => listener(name));
    },
    onReaderGone: watchReader,
    onCrash(listener): void {
      process.on("uncaughtException", listener);
      process.on("unhandledRejection", listener);
    },
    exit: (code) => process.exit(code),
    files: processFiles,
    runShell,
  };
}

function runtimeName(): string {
  const { bun, deno, node } = process.versions as Readonly<Record<string, string | undefined>>;
  if (bun !== undefined) return `bun ${bun}`;
  return deno === undefined ? `node ${node}` : `deno ${deno}`;
}

/** Reads file descriptor 0; through `process.stdin` only where somebody made it non-blocking. */
class StandardInput implements InputStream {
  readonly isTerminal = tty.isatty(0);
  #stream: AsyncIterator<Uint8Array> | undefined;
  #left: Uint8Array = new Uint8Array(0);

  async read(room: Uint8Array): Promise<number> {
    if (this.#stream === undefined) {
      const count = await readDescriptor(0, room);
      if (count >= 0) return count;
      this.#stream = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    }
    if (this.#left.length === 0) {
      const { value, done } = await this.#stream.next();
      if (done === true) return 0;
      this.#left = value;
    }
    const part = this.#left.subarray(0, room.length);
    room.set(part);
    this.#left = this.#left.subarray(part.length);
    return part.length;
  }
}

/** -1 where the descriptor does not wait. */
function readDescriptor(descriptor: number, room: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, room, 0, room.length, null, (error, count) => {
      if (error === null || error === undefined) resolve(count);
      else if (error.code === "EAGAIN") resolve(-1);
      else if (error.code === "EOF") resolve(0);
      else reject(failedAction("Cannot read stdin", error));
    });
  });
}

const BUSY_DELAY_MS = 2;

async function writeAll(descriptor: number, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const count = await writeSome(descriptor, bytes, at);
    at += count;
    // A terminal or socket that another process made non-blocking is full.
    if (count === 0) await new Promise((resolve) => setTimeout(resolve, BUSY_DELAY_MS));
  }
}

function writeSome(descriptor: number, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(descriptor, bytes, at, bytes.length - at, null, (error, count) => {
      if (error === null || error === undefined) resolve(count);
      else if (error.code === "EAGAIN") resolve(0);
      else if (error.code === "EPIPE") reject(new BrokenPipe("stdout was closed"));
      else reject(failedAction("Cannot write stdout", error));
    });
  });
}

/** How soon it is noticed that nobody reads any more. */
const READER_LOOK_MS = 500;

/** Asks now and then; what is over before that pays nothing. */
function watchReader(listener: () => void): { cancel(): void } {
  if (tty.isatty(1)) return { cancel: () => undefined };
  let isGone: (() => boolean) | undefined;
  const look = async (): Promise<void> => {
    isGone ??= await loadPoll();
    if (isGone === undefined) return cancel();
    if (!isGone()) return;
    cancel();
    listener();
  };
  const timer = setInterval(() => void look(), READER_LOOK_MS);
  const cancel = (): void => clearInterval(timer);
  return { cancel };
}

const C_LIBRARIES = [
  "libc.so.6",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
  "libSystem.B.dylib",
];
/** POLLERR of a pipe, POLLHUP of a socket. */
const NOBODY = 0x8 | 0x10;

/** `{ fd, events, revents }`; what is wrong is told unasked. */
type Poll = (descriptor: Int32Array, count: 1 | 1n, timeoutMs: 0) => number;

/** What both runtimes have; the words for types differ. */
interface ForeignFunctions {
  dlopen(library: string, symbols: { readonly poll: object }): { readonly symbols: { poll: Poll } };
}

interface DenoForeign extends ForeignFunctions {
  readonly permissions: { querySync(wanted: { name: "ffi" }): { readonly state: string } };
}

/**
 * Only poll(2) tells that a pipe has lost its reader: a write of nothing is always fine, and neither
 * runtime looks after a descriptor that it does not read. Undefined where it cannot be called.
 */
async function loadPoll(): Promise<(() => boolean) | undefined> {
  const { Deno: deno } = globalThis as unknown as { Deno?: DenoForeign };
  if (deno?.permissions.querySync({ name: "ffi" }).state === "prompt") return undefined;
  if (deno === undefined && process.versions["bun"] === undefined) return undefined;
  const { dlopen }: ForeignFunctions = deno ?? await import("bun:ffi" as string);
  const signature = deno === undefined
    ? { args: ["buffer", "u64", "i32"], returns: "i32" }
    : { parameters: ["buffer", "u64", "i32"], result: "i32" };
  for (const library of C_LIBRARIES) {
    try {
      const { symbols: { poll } } = dlopen(library, { poll: signature });
      const descriptor = Int32Array.of(1, 0);
      return () =>
        poll(descriptor, deno === undefined ? 1 : 1n, 0) > 0 &&
        ((descriptor[1] as number) >> 16 & NOBODY) !== 0;
    } catch {
      // It has another name here.
    }
  }
  return undefined;
}

const ERROR_TRIES_MAX = 100;

function writeError(text: string): void {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  for (let tries = 0; at < bytes.length && tries < ERROR_TRIES_MAX; tries++) {
    try {
      at += fs.writeSync(2, bytes, at);
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN") return; // nobody is left to tell it
    }
  }
}

const processFiles: Files = {
  read: (name) => fs.readFileSync(name),
  replace(name, text): void {
    const aside = `${name}.${process.pid}.tmp`;
    fs.writeFileSync(aside, text);
    fs.renameSync(aside, name);
  },
  remove: (name) => fs.rmSync(name, { force: true, recursive: true }),
  append(name): (line: string) => void {
    const descriptor = fs.openSync(name, "a");
    return (line) => void fs.writeSync(descriptor, `${line}\n`);
  },
  temporaryDirectory: () => fs.mkdtempSync(path.join(os.tmpdir(), "mq-dev-")),
  homeDirectory: () => os.homedir(),
  join: (...parts) => path.join(...parts),
};
