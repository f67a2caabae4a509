/**
 * Apache Kafka beside mq: nodes with both roles (KRaft) on loopback, out of the jars of a directory.
 *
 *     MQ_BENCH_KAFKA_HOME=DIR     a folder `libs` with Kafka's jars; ~/.cache/mq-anchors/kafka by default
 *     MQ_BENCH_KAFKA_HEAP=512m    heap of each node
 *
 * `bun test/bench/kafka_cluster.ts` runs one until SIGINT, for trying things by hand. Its interface is
 * that of `Cluster` of the harness, so that the same figures are taken of both.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseAddress } from "../../src/client/address.ts";
import { connect } from "../../src/client/client.ts";
import type { Address } from "../../src/env/network.ts";
import { createHostEnv } from "../../src/host/host_env.ts";
import { freePorts } from "../harness/free_port.ts";
import { run, type RunningProcess, start } from "../harness/process.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";

const HEAP = process.env["MQ_BENCH_KAFKA_HEAP"] ?? "512m";
const READY_TIMEOUT_MS = 120_000;
const READY_POLL_MS = 200;

/** What figures need of a node, whoever made it. */
export interface BenchNode {
  readonly id: number;
  /** host:port */
  readonly kafka: string;
  readonly pid: number;
  /** Resolves when it serves. */
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

export interface BenchCluster extends AsyncDisposable {
  readonly clusterId: string;
  readonly nodes: readonly BenchNode[];
  /** Makes another node, a broker only, and does not start it. */
  addBroker(): Promise<BenchNode>;
}

/** Where the jars are; undefined where there are none, or no Java. */
export async function kafkaHome(): Promise<string | undefined> {
  const home = process.env["MQ_BENCH_KAFKA_HOME"] ??
    join(homedir(), ".cache", "mq-anchors", "kafka");
  if (!existsSync(join(home, "libs"))) return undefined;
  return (await run("sh", ["-c", "command -v java >/dev/null"])).status === 0 ? home : undefined;
}

/** Formats and starts nodes 1 to `count`, with more settings, and waits until all are registered. */
export async function startKafkaCluster(
  home: string,
  count = 3,
  settings: Readonly<Record<string, string>> = {},
): Promise<BenchCluster> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(temporaryDirectory());
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  const clientPorts = await freePorts(count * 2);
  const controllerPorts = clientPorts.slice(count);
  const voters = ids.map((id, index) => `${id}@127.0.0.1:${controllerPorts[index]}`).join(",");
  const clusterId = (await tool(home, ["kafka.tools.StorageTool", "random-uuid"])).trim();
  const shared = { home, clusterId, voters, count, settings };
  const nodes = ids.map((id, index) =>
    stack.use(
      new KafkaNode({
        ...shared,
        id,
        directory: join(directory.path, String(id)),
        clientPort: clientPorts[index] as number,
        controllerPort: controllerPorts[index] as number,
      }),
    )
  );
  await Promise.all(nodes.map((node) => node.format()));
  await Promise.all(nodes.map((node) => node.start()));
  await untilRegistered(nodes, count);
  const owned = stack.move();
  let lastId = count;
  const addBroker = async (): Promise<BenchNode> => {
    const id = ++lastId;
    const [clientPort = 0] = await freePorts(1);
    const node = new KafkaNode({
      ...shared,
      id,
      directory: join(directory.path, `${id}`),
      clientPort,
    });
    owned.use(node);
    await node.format();
    return node;
  };
  return { clusterId, nodes, addBroker, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface KafkaNodeOptions {
  readonly id: number;
  readonly home: string;
  readonly clusterId: string;
  readonly voters: string;
  readonly count: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly clientPort: number;
  /** Left out where it is a broker only. */
  readonly controllerPort?: number;
}

class KafkaNode implements BenchNode, AsyncDisposable {
  readonly id: number;
  readonly kafka: string;
  readonly #options: KafkaNodeOptions;
  #process: RunningProcess | undefined;

  constructor(options: KafkaNodeOptions) {
    this.id = options.id;
    this.kafka = `127.0.0.1:${options.clientPort}`;
    this.#options = options;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async format(): Promise<void> {
    const { home, directory, clusterId } = this.#options;
    mkdirSync(directory, { recursive: true });
    writeFileSync(this.#file, properties(this.#options));
    await tool(home, ["kafka.tools.StorageTool", "format", "-c", this.#file, "-t", clusterId]);
  }

  async start(): Promise<void> {
    const { home } = this.#options;
    const log = `-Dlog4j2.configurationFile=${home}/etc/log4j2.yaml`;
    const java = [`-Xmx${HEAP}`, `-Xms${HEAP}`, "-XX:+UseG1GC", log, "-cp", `${home}/libs/*`];
    const child = start("java", [...java, "kafka.Kafka", this.#file]);
    this.#process = child;
    let hasEnded = false;
    child.ended.then(() => hasEnded = true, () => hasEnded = true);
    await eventually(`Kafka's node ${this.id} serves`, async () => {
      if (hasEnded) throw new Error(`Kafka's node ${this.id} has ended: ${child.stderr()}`);
      await using client = await clientOf([this.kafka]);
      const { brokers } = await client.admin.describeCluster();
      return brokers.length > 0;
    });
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.ended;
    this.#process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  get #file(): string {
    return join(this.#options.directory, "server.properties");
  }
}

function properties(options: KafkaNodeOptions): string {
  const { id, voters, clientPort, controllerPort, directory, count, settings } = options;
  const listener = controllerPort === undefined ? "" : `,CONTROLLER://127.0.0.1:${controllerPort}`;
  return Object.entries({
    "process.roles": controllerPort === undefined ? "broker" : "broker,controller",
    "node.id": id,
    "controller.quorum.voters": voters,
    "listeners": `PLAINTEXT://127.0.0.1:${clientPort}${listener}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${clientPort}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "log.dirs": join(directory, "data"),
    "num.partitions": 1,
    "offsets.topic.replication.factor": count,
    "transaction.state.log.replication.factor": count,
    "share.coordinator.state.topic.replication.factor": count,
    "group.initial.rebalance.delay.ms": 0,
    ...settings,
  }).map(([name, value]) => `${name}=${value}\n`).join("");
}

/** Runs one of Kafka's own tools to its end and gives what it printed. */
async function tool(home: string, words: readonly string[]): Promise<string> {
  const quick = ["-XX:TieredStopAtLevel=1", "-cp", `${home}/libs/*`];
  const ended = await run("java", [...quick, ...words]);
  if (ended.status !== 0) throw new Error(`Cannot run ${words.join(" ")}: ${ended.stderr}`);
  return ended.text;
}

async function untilRegistered(nodes: readonly KafkaNode[], count: number): Promise<void> {
  await eventually("all nodes of Kafka are registered", async () => {
    await using client = await clientOf(nodes.map(({ kafka }) => kafka));
    return (await client.admin.describeCluster()).brokers.length === count;
  });
}

function clientOf(addresses: readonly string[]): ReturnType<typeof connect> {
  const brokers = addresses.map((text) => parseAddress(text) as Address);
  return connect({ brokers, env: createHostEnv(), requestTimeoutMs: 5000 });
}

/** Tries again and again; what fails meanwhile fails because it is too early. */
async function eventually(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + READY_TIMEOUT_MS;
  let last: unknown;
  while (performance.now() < end) {
    try {
      // deno-lint-ignore no-await-in-loop -- one try after the other
      if (await isTrue()) return;
    } catch (error) {
      last = error;
      if (String(error).includes("has ended")) throw error;
    }
    // deno-lint-ignore no-await-in-loop -- a moment between two tries
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  throw new Error(`Cannot wait longer until ${what}: ${last}`);
}

async function runUntilSignal(): Promise<void> {
  const home = await kafkaHome();
  if (home === undefined) throw new Error("Cannot find Apache Kafka: set MQ_BENCH_KAFKA_HOME");
  const count = Number(process.env["MQ_BENCH_KAFKA_NODES"] ?? 3);
  await using cluster = await startKafkaCluster(home, count);
  process.stdout.write(`${cluster.nodes.map(({ kafka }) => kafka).join(",")}\n`);
  for (const { id, pid } of cluster.nodes) process.stdout.write(`node ${id}: process ${pid}\n`);
  await new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
  });
}

if (import.meta.main) await runUntilSignal();
