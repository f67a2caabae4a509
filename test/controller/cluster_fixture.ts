/**
 * Nodes of one cluster in memory: one clock for all, moved by the test, one network, a disk for each.
 *
 *     const cluster = await TestCluster.start();
 *     const leader = await cluster.untilLeader();
 *     await cluster.createTopic(cluster.node(2), "orders");
 *     leader.halt();
 */
import type { Api, RequestInput, ResponseOf } from "../../src/api/schema.ts";
import { createTopics } from "../../src/api/create_topics.ts";
import { Broker, type BrokerStop } from "../../src/broker/broker.ts";
import type { Env } from "../../src/env/env.ts";
import type { Address } from "../../src/env/network.ts";
import { BufferPool } from "../../src/ground/buffer_pool.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { Prng } from "../../src/ground/prng.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import { RawConnection } from "../broker/broker_fixture.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { MemoryNetwork } from "../client/memory_network.ts";
import { MemoryDisk } from "../log/memory_disk.ts";
import { NodeNetwork } from "./node_network.ts";

export type NodeSettings = Readonly<Record<string, string>>;

export interface ClusterOptions {
  /** Ids of the nodes that are voters from the start. */
  readonly voters?: readonly number[];
  /** Of all nodes. */
  readonly settings?: NodeSettings;
  readonly seed?: number;
}

export const CLUSTER_ID = "cluster-of-the-test";
const FIRST_PORT = 9092;
const STEP_MS = 5;
const PATIENCE_MS = 30_000;

/** One node: the same disk and address at every start, a new broker each time. */
export class TestNode {
  readonly id: number;
  readonly address: Address;
  disk = new MemoryDisk();
  broker: Broker;
  network: NodeNetwork;
  readonly events: string[] = [];
  /** How it ended, once it has. */
  ending: BrokerStop | undefined;
  readonly #cluster: TestCluster;
  #settings: NodeSettings;

  constructor(cluster: TestCluster, id: number, settings: NodeSettings) {
    this.#cluster = cluster;
    this.id = id;
    this.address = { host: "127.0.0.1", port: FIRST_PORT + id };
    this.#settings = settings;
    this.network = new NodeNetwork(cluster.network);
    this.broker = this.#assemble();
  }

  start(): Promise<Address> {
    return this.broker.start();
  }

  /** Ends as a crash does: the disk keeps what the page cache had, the network what was sent. */
  halt(): void {
    this.broker.halt();
    this.network.end();
    this.disk = this.disk.kill();
  }

  async stop(): Promise<void> {
    await this.#cluster.clock.until(this.broker.stop());
    this.network.end();
  }

  /** A new process on the same disk, or on an empty one. Does not wait until it serves. */
  restart(
    options: { readonly isEmpty?: boolean; readonly settings?: NodeSettings } = {},
  ): Promise<Address> {
    if (options.isEmpty === true) this.disk = new MemoryDisk();
    this.#settings = { ...this.#settings, ...options.settings };
    this.network = new NodeNetwork(this.#cluster.network);
    this.ending = undefined;
    this.broker = this.#assemble();
    const started = this.broker.start();
    started.catch(() => undefined); // the caller may look at it later
    return started;
  }

  async dial(): Promise<RawConnection> {
    return new RawConnection(await this.#cluster.network.dial(this.address), this.#cluster.clock);
  }

  #assemble(): Broker {
    const chance = new Prng(this.#cluster.nextSeed());
    const env: Env = {
      clock: this.#cluster.clock,
      disk: this.disk,
      network: this.network,
      random: chance.fork(),
      crypto: { randomBytes: (count) => chance.bytes(count) },
      compressors: createHostCompressors(),
      crc32c: crc32cTables,
      trace: {
        event: (level, message, fields) => {
          const { reason, detail, error } = fields ?? {};
          this.events.push(
            `${level} ${message} ${String(reason ?? error ?? "")} ${String(detail ?? "")}`.trim(),
          );
        },
      },
    };
    const { host, port } = this.address;
    const given = Object.entries({
      "log.dirs": "/data",
      "mq.http.listener": "off",
      "node.id": String(this.id),
      "listeners": `PLAINTEXT://${host}:${port}`,
      "mq.cluster.id": CLUSTER_ID,
      ...this.#settings,
    });
    const framePool = new BufferPool({ bytesMax: 1 << 20, isPoisoned: true });
    const broker = new Broker({ env, settings: new Map(given), framePool });
    void broker.stopped.then((ending) => {
      if (broker === this.broker) this.ending = ending;
    });
    return broker;
  }
}

export class TestCluster {
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork();
  readonly nodes: TestNode[] = [];
  readonly #settings: NodeSettings;
  #seed: number;

  constructor(settings: NodeSettings, seed: number) {
    this.#settings = settings;
    this.#seed = seed;
  }

  /** Three voters that are brokers too, unless told otherwise; all serve when it resolves. */
  static async start(
    { voters = [1, 2, 3], settings = {}, seed = 1 }: ClusterOptions = {},
  ): Promise<TestCluster> {
    const named = voters.map((id) => `${id}@127.0.0.1:${FIRST_PORT + id}`).join(",");
    const cluster = new TestCluster({ "controller.quorum.voters": named, ...settings }, seed);
    await cluster.add(...voters);
    return cluster;
  }

  /** Starts these nodes together; resolves when all of them serve. */
  async add(...ids: readonly number[]): Promise<void> {
    const added = ids.map((id) => this.prepare(id));
    await this.until(Promise.all(added.map((node) => node.start())));
  }

  /** A node that is not started yet. */
  prepare(id: number, settings: NodeSettings = {}): TestNode {
    const node = new TestNode(this, id, { ...this.#settings, ...settings });
    this.nodes.push(node);
    return node;
  }

  node(id: number): TestNode {
    const node = this.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`There is no node ${id}`);
    return node;
  }

  nextSeed(): number {
    return this.#seed++;
  }

  /** The node that all that are alive take for the active controller. */
  leader(): TestNode | undefined {
    const alive = this.nodes.filter(({ broker }) => broker.state === "serving");
    const leading = alive.filter(({ broker }) => broker.isActiveController);
    return leading.length === 1 ? leading[0] : undefined;
  }

  async untilLeader(): Promise<TestNode> {
    await this.untilTrue(() => this.leader() !== undefined, "a leader");
    return this.leader() as TestNode;
  }

  /** Lets as much time pass as the promise needs, up to `PATIENCE_MS`. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    promise.finally(() => isSettled = true).catch(() => undefined);
    await this.untilTrue(() => isSettled, "a promise");
    return await promise;
  }

  async untilTrue(holds: () => boolean, what: string): Promise<void> {
    const endMs = this.clock.monotonicMs() + PATIENCE_MS;
    await this.clock.settle();
    while (!holds()) {
      if (this.clock.monotonicMs() > endMs) throw new Error(`Waited in vain for ${what}`);
      // deno-lint-ignore no-await-in-loop -- step by step
      await this.clock.advance(STEP_MS);
    }
  }

  /** Asks a node and lets time pass until it has answered. */
  async ask<A extends Api>(
    node: TestNode,
    api: A,
    version: number,
    body: RequestInput<A>,
  ): Promise<ResponseOf<A>> {
    const connection = await node.dial();
    connection.send(api, version, body);
    await this.untilTrue(
      () => connection.answerCount > 0 || connection.isClosed,
      `an answer to ${api.name}`,
    );
    const answer = connection.answer(api, version);
    await connection.close();
    return answer;
  }

  /** The error code. */
  async createTopic(node: TestNode, name: string, partitionCount = 1): Promise<number> {
    const { topics } = await this.ask(node, createTopics, 7, {
      topics: [{
        name,
        numPartitions: partitionCount,
        replicationFactor: 1,
        assignments: [],
        configs: [],
      }],
      timeoutMs: 5000,
      validateOnly: false,
    });
    return topics[0]?.errorCode ?? -1;
  }

  /** Ends all, as a crash does. */
  haltAll(): void {
    for (const { broker } of this.nodes) broker.halt();
  }
}
