/**
 * A real broker process for one test: the compiled binary (or the source under Bun) on free loopback
 * ports, with its data in a temporary directory.
 *
 *     await using broker = await startBroker();
 *     await mq(["produce", "t", "hello"], broker);
 *
 * It is stopped by its process id and its directory removed, also when the test fails.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import {
  projectRoot,
  run,
  type RunningProcess,
  type RunOptions,
  type RunResult,
  start,
} from "./process.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

const READY_TIMEOUT_MS = 20_000;
const READY_POLL_MS = 5;

export interface BrokerOptions {
  /** More words for `mq broker start`, such as `["-X", "num.partitions=3"]`. */
  readonly words?: readonly string[];
  /** Use this directory and leave it there: for a broker that is started again. */
  readonly dataDirectory?: string;
  /** Listen here instead of on a free port: for a broker that is started again. */
  readonly listen?: string;
  /** Run `cli/main.ts` under Bun instead of the binary. */
  readonly fromSource?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Broker extends AsyncDisposable {
  /** "host:port" of the Kafka listener. */
  readonly kafka: string;
  /** "http://host:port", or null where HTTP is off. */
  readonly http: string | null;
  readonly dataDirectory: string;
  readonly process: RunningProcess;
  /** Asks it to stop (SIGTERM) and gives the exit code. */
  stop(): Promise<number>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** The words that start the program: the compiled binary, or the source under Bun. */
export function program(fromSource = false): readonly [program: string, ...words: string[]] {
  if (fromSource) return [`${projectRoot}node_modules/.bin/bun`, `${projectRoot}cli/main.ts`];
  const binary = process.env["MQ_BINARY"] ?? `${projectRoot}dist/mq`;
  if (!existsSync(binary)) throw new Error(`Cannot find ${binary}: run "npm run build" first`);
  return [binary];
}

/** Starts a broker and waits until it serves. Throws with what it said where it does not. */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(temporaryDirectory());
  const readyFile = join(directory.path, "ready.json");
  const dataDirectory = options.dataDirectory ?? join(directory.path, "data");
  const [command, ...first] = program(options.fromSource);
  const words = [...first, "broker", "start", "--listen", options.listen ?? "127.0.0.1:0"];
  words.push("--http", "127.0.0.1:0", "--data-dir", dataDirectory, "--ready-file", readyFile);
  words.push(...(options.words ?? []));
  const child = stack.use(start(command, words, { env: { ...quietEnv, ...options.env } }));
  const ready = await waitUntilReady(child, readyFile);
  const owned = stack.move();
  return {
    kafka: ready.kafka,
    http: ready.http ?? null,
    dataDirectory,
    process: child,
    async stop(): Promise<number> {
      child.kill("SIGTERM");
      return await child.ended;
    },
    async kill(): Promise<void> {
      child.kill("SIGKILL");
      await child.ended;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Runs the program against a broker; with no broker, alone. */
export async function mq(
  words: readonly string[],
  broker?: Pick<Broker, "kafka">,
  options: RunOptions = {},
): Promise<RunResult> {
  const [command, ...first] = program();
  const brokers = broker === undefined ? {} : { MQ_BROKERS: broker.kafka };
  return await run(command, [...first, ...words], {
    ...options,
    env: { ...quietEnv, ...brokers, ...options.env },
  });
}

const quietEnv = { MQ_NO_INPUT: "1" };

interface Ready {
  readonly kafka: string;
  readonly http?: string | null;
}

async function waitUntilReady(child: RunningProcess, readyFile: string): Promise<Ready> {
  let status: number | undefined;
  child.ended.then((code) => status = code, () => status = -1);
  const end = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < end && status === undefined) {
    const ready = readyIn(readyFile);
    if (ready !== undefined) return ready;
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  const why = status === undefined ? "it is not ready in time" : `it ended with ${status}`;
  throw new Error(`Cannot start a broker: ${why}\n${child.stderr()}`);
}

/** What the ready file says; undefined while it is missing or not whole. */
function readyIn(path: string): Ready | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
