/**
 * A cluster of real processes on loopback for one test, and what may happen to it.
 *
 *     await using cluster = await Cluster.start({ isProxied: true });
 *     await cluster.node(1).kill();            // kill -9
 *     cluster.node(2).pause();                 // SIGSTOP
 *     cluster.links.cut(2, 3);                 // and not 3 to 2
 *     await cluster.node(1).start();           // the same data, another port
 *
 * With `isProxied` the nodes know each other by the fronts of `links.ts`, which stay the same over all
 * lives; tests talk to a node directly. Each process is ended by its own id and all directories are
 * removed when the value is disposed of, also when a start fails halfway.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mq, program } from "./broker.ts";
import { freePorts } from "./free_port.ts";
import { Links } from "./links.ts";
import { type RunningProcess, start } from "./process.ts";
import { temporaryDirectory } from "./temporary_directory.ts";
import { turn } from "./until.ts";

const READY_TIMEOUT_MS = 30_000;
/** A port that was free may be taken by the time it is listened on. */
const START_TRIES_MAX = 3;

export interface ClusterOptions {
  /** Three where left out. */
  readonly count?: number;
  /** Nodes reach each other through `links`. */
  readonly isProxied?: boolean;
  /** More words for the command of a node, such as `["-X", "num.partitions=3"]`. */
  readonly words?: (id: number) => readonly string[];
  /** "broker start" where left out. */
  readonly command?: (id: number) => string;
}

export class Cluster implements AsyncDisposable {
  readonly clusterId: string;
  readonly nodes: readonly ClusterNode[];
  readonly links: Links;
  readonly #stack: AsyncDisposableStack;
  #addedCount = 0;

  readonly #spare: Omit<NodeOptions, "id" | "port" | "command">;

  private constructor(
    nodes: readonly ClusterNode[],
    spare: Omit<NodeOptions, "id" | "port" | "command"> & { readonly clusterId: string },
    stack: AsyncDisposableStack,
  ) {
    this.clusterId = spare.clusterId;
    this.nodes = nodes;
    this.links = spare.links;
    this.#spare = spare;
    this.#stack = stack;
  }

  /** Starts all nodes and waits until each serves. Throws with what they said where one does not. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(temporaryDirectory());
    const links = stack.use(new Links());
    const clusterId = await randomId();
    const ids = Array.from({ length: options.count ?? 3 }, (_, index) => index + 1);
    const isProxied = options.isProxied === true;
    const ports = isProxied
      ? await Promise.all(ids.map((id) => links.open(id)))
      : await freePorts(ids.length);
    const quorum = ids.map((id, index) => `${id}@127.0.0.1:${ports[index]}`).join(",");
    const words = ["--controller-quorum", quorum, "--cluster-id", clusterId];
    const shared = { links, isProxied, directory: directory.path, clusterId };
    const nodes = ids.map((id, index) =>
      stack.use(
        new ClusterNode({
          ...shared,
          id,
          port: ports[index] as number,
          command: (options.command?.(id) ?? "broker start").split(" "),
          words: [...words, ...(options.words?.(id) ?? [])],
        }),
      )
    );
    await Promise.all(nodes.map((node) => node.start()));
    return new Cluster(nodes, { ...shared, words }, stack.move());
  }

  /** Makes another node, a broker only unless told otherwise, and does not start it. */
  async addBroker(more: readonly string[] = ["--roles", "broker"]): Promise<ClusterNode> {
    const id = this.nodes.length + ++this.#addedCount;
    const { isProxied, words } = this.#spare;
    const port = isProxied ? await this.links.open(id) : (await freePorts(1))[0] as number;
    return this.#stack.use(
      new ClusterNode({
        ...this.#spare,
        id,
        port,
        command: ["broker", "start"],
        words: [...words, ...more],
      }),
    );
  }

  node(id: number): ClusterNode {
    const found = this.nodes.find((node) => node.id === id);
    if (found === undefined) throw new Error(`Cannot find node ${id}`);
    return found;
  }

  /** For -b: every node, directly. */
  get bootstrap(): string {
    return this.nodes.map(({ kafka }) => kafka).join(",");
  }

  /** What every node has said, for a failure's message. */
  logs(): string {
    return this.nodes.map((node) => `-- node ${node.id}\n${node.log()}`).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

interface NodeOptions {
  readonly id: number;
  readonly links: Links;
  /** Its data is in a directory in here, by its id. */
  readonly directory: string;
  /** What the others are told. */
  readonly port: number;
  readonly isProxied: boolean;
  readonly command: readonly string[];
  readonly words: readonly string[];
}

export class ClusterNode implements AsyncDisposable {
  readonly id: number;
  readonly dataDirectory: string;
  readonly #options: NodeOptions;
  #process: RunningProcess | undefined;
  #port: number;
  #earlierLog = "";
  #isPaused = false;
  #isEnding = false;
  /** How often it was started. */
  lifeCount = 0;
  /** The exit code, where it ended by itself. */
  diedWith: number | undefined;

  constructor(options: NodeOptions) {
    this.id = options.id;
    this.dataDirectory = join(options.directory, String(options.id));
    this.#options = options;
    this.#port = options.port;
  }

  /** Where tests reach it in its present life. */
  get kafka(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** All that it said, in all its lives. */
  log(): string {
    return `${this.#earlierLog}${this.#process?.stderr() ?? ""}`;
  }

  /** Starts it with the data that it has, and waits until it serves. */
  async start(): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        // deno-lint-ignore no-await-in-loop -- one try after the other
        return await this.#startOnce();
      } catch (error) {
        const isTaken = /in use|EADDRINUSE/i.test(String(error));
        if (!isTaken || tries === START_TRIES_MAX) throw error;
      }
    }
  }

  /** SIGSTOP: it is silent, and its connections stay. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
    this.#isPaused = true;
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
    this.#isPaused = false;
  }

  /** kill -9, also of one that is paused. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** SIGTERM; gives the exit code. */
  async stop(): Promise<number> {
    this.resume();
    return await this.#end("SIGTERM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #startOnce(): Promise<void> {
    const { id, links, isProxied, port, command, words } = this.#options;
    if (isProxied) this.#port = (await freePorts(1))[0] as number;
    const [name, ...first] = program();
    const readyFile = `${this.dataDirectory}-ready.json`;
    const child = start(name, [
      ...first,
      ...command,
      ...["--node-id", String(id), "--listen", this.kafka, "--advertise", `127.0.0.1:${port}`],
      ...["--http", "off", "--data-dir", this.dataDirectory, "--ready-file", readyFile],
      ...words,
    ], { env: { MQ_NO_INPUT: "1" } });
    this.#process = child;
    this.#isPaused = false;
    this.lifeCount++;
    links.onStart(id, { port: this.#port, pid: child.pid });
    void child.ended.then((status) => {
      if (this.#process === child && !this.#isEnding) this.diedWith = status;
    });
    try {
      await untilReady(child, readyFile);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<number> {
    const child = this.#process;
    if (child === undefined) return 0;
    this.#isEnding = true;
    child.kill(signal);
    const status = await child.ended;
    this.#isEnding = false;
    this.#earlierLog = this.log();
    this.#process = undefined;
    this.#isPaused = false;
    this.#options.links.onEnd(this.id);
    return status;
  }
}

async function untilReady(child: RunningProcess, readyFile: string): Promise<void> {
  let status: number | undefined;
  child.ended.then((code) => status = code, () => status = -1);
  const end = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < end && status === undefined) {
    if (isReadyFileOf(child.pid, readyFile)) return;
    // deno-lint-ignore no-await-in-loop -- it is looked at again and again
    await turn();
  }
  const why = status === undefined ? "it is not ready in time" : `it ended with ${status}`;
  throw new Error(`Cannot start a node: ${why}\n${child.stderr()}`);
}

/** A file of a life that was killed may lie there still. */
function isReadyFileOf(pid: number, path: string): boolean {
  try {
    return (JSON.parse(readFileSync(path, "utf8")) as { pid?: number }).pid === pid;
  } catch {
    return false;
  }
}

async function randomId(): Promise<string> {
  const { status, text, stderr } = await mq(["storage", "random-id"]);
  if (status !== 0) throw new Error(`Cannot make a cluster id: ${stderr}`);
  return text.trim();
}
