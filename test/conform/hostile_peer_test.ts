/**
 * Hostile peers over real sockets on the real binary: nodes go on in the same term with the same votes,
 * others are served meanwhile, memory stays bounded, and each reason for a refusal is told once.
 *
 * The long tables are in `test/controller/hostile_peer_test.ts`, on a cluster in memory.
 */
import { supportedFeatures } from "../../src/metadata/feature.ts";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import net from "node:net";
import { apiVersions } from "../../src/api/api_versions.ts";
import { hello } from "../../src/api/own/hello.ts";
import { metadataFetch } from "../../src/api/own/metadata_fetch.ts";
import { raftMessages } from "../../src/api/own/raft_messages.ts";
import { registerBroker } from "../../src/api/own/register_broker.ts";
import { requestFrame } from "../../src/wire/message.ts";
import { directoryOf, ownFrame, STRANGER } from "../controller/hostile_peer.ts";
import { type Broker, mq, startBroker } from "../harness/broker.ts";
import { Cluster, type ClusterNode } from "../harness/cluster.ts";

const MEBIBYTE = 1024 * 1024;
/** What a node may take beyond what it had, whatever it is sent. */
const GROWTH_BYTES_MAX = 300 * MEBIBYTE;
/** Connections to whoever sent Raft messages; the voters have some of them. */
const KEPT_MAX = 64;
/** Dialled together. */
const TOGETHER = 100;

let cluster: Cluster;
let quorumBefore: string;
let residentBefore: readonly number[];

beforeAll(async () => {
  // So long that no voter stands for election because this machine has other things to do.
  cluster = await Cluster.start({
    words: () => ["-X", "controller.quorum.election.timeout.ms=2000"],
  });
  quorumBefore = await quorumNow();
  residentBefore = cluster.nodes.map(({ pid }) => residentBytes(pid));
});
afterAll(() => cluster[Symbol.asyncDispose]());

interface Quorum {
  readonly leaderId: number;
  readonly term: number;
  readonly voters: readonly { readonly nodeId: number }[];
}

/** Leader, term and voters as they are told, and what the nodes have on their disks. */
async function quorumNow(): Promise<string> {
  const { text, stderr, status } = await mq(["cluster", "quorum", "--json"], {
    kafka: cluster.bootstrap,
  });
  if (status !== 0) throw new Error(stderr);
  const { leaderId, term, voters } = JSON.parse(text) as Quorum;
  const ids = voters.map(({ nodeId }) => nodeId);
  const states = cluster.nodes.map(({ dataDirectory }) =>
    readFileSync(`${dataDirectory}/__cluster_metadata-0/quorum-state`, "utf8")
  );
  return JSON.stringify({ leaderId, term, ids, states });
}

/** As Linux tells it; 0 elsewhere. */
function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** All nodes serve, in the same term, and took no more memory than they may. */
async function expectUnmoved(): Promise<void> {
  await Promise.all(cluster.nodes.map(expectServing));
  expect(await quorumNow()).toBe(quorumBefore);
  for (const [index, { pid, diedWith }] of cluster.nodes.entries()) {
    expect(diedWith).toBeUndefined();
    const grownBytes = residentBytes(pid) - (residentBefore[index] as number);
    expect(grownBytes).toBeLessThanOrEqual(GROWTH_BYTES_MAX);
  }
}

class Socket implements Disposable {
  readonly stream: net.Socket;
  readonly closed: Promise<void>;

  private constructor(stream: net.Socket) {
    this.stream = stream;
    this.closed = new Promise((resolve) => stream.once("close", () => resolve()));
    stream.on("error", () => undefined);
  }

  static async dial({ kafka }: { readonly kafka: string }): Promise<Socket> {
    const [host = "", port = ""] = kafka.split(":");
    const stream = net.connect({ host, port: Number(port) });
    await new Promise((resolve, reject) => {
      stream.once("connect", () => resolve(undefined));
      stream.once("error", reject);
    });
    return new Socket(stream);
  }

  static async greeted(
    node: { readonly kafka: string },
    changes: object = {},
    clusterId = cluster.clusterId,
  ): Promise<Socket> {
    const socket = await Socket.dial(node);
    const answered = socket.next();
    socket.send(ownFrame(hello.key, { ...STRANGER, clusterId, ...changes }));
    expect((await answered).length).toBeGreaterThan(0);
    return socket;
  }

  send(...parts: readonly Uint8Array[]): void {
    for (const part of parts) this.stream.write(part);
  }

  /** What comes next; nothing where it is closed. */
  next(): Promise<Uint8Array> {
    return Promise.race([
      new Promise<Uint8Array>((resolve) => this.stream.once("data", resolve)),
      this.closed.then(() => new Uint8Array(0)),
    ]);
  }

  /** Resolves when the node has closed it; what it says before is thrown away. */
  ended(): Promise<void> {
    this.stream.resume();
    return this.closed;
  }

  [Symbol.dispose](): void {
    this.stream.destroy();
  }
}

const header = { apiVersion: 0, correlationId: 1, clientId: "hostile" };
const askVersions = requestFrame(apiVersions, header, {}) as readonly Uint8Array[];

async function expectServing(node: { readonly kafka: string }): Promise<void> {
  using socket = await Socket.dial(node);
  const answered = socket.next();
  socket.send(...askVersions);
  expect((await answered).length).toBeGreaterThan(0);
}

function toldBy(node: ClusterNode, reason: string): number {
  return node.log().split("\n").filter((line) =>
    line.includes("a peer was refused") && line.includes(`"${reason}"`)
  ).length;
}

describe("three nodes", () => {
  test("hear no stranger of a later term, and say so once", async () => {
    const strange = [[2, 50, false], [3, 50, 1, 1e9, true], [4, 50, true], [5, 50, 0, 0, 0, 0]];
    for (const node of cluster.nodes) {
      for (const nodeId of [66, node.id % 3 + 1]) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        using socket = await Socket.greeted(node, { nodeId });
        socket.send(ownFrame(raftMessages.key, [...strange, [6, 2 ** 30, false, 0, 0]]));
        // What comes behind is answered, so the messages have been looked at.
        const answered = socket.next();
        socket.send(ownFrame(hello.key, { ...STRANGER, nodeId, clusterId: cluster.clusterId }));
        // deno-lint-ignore no-await-in-loop
        expect((await answered).length).toBeGreaterThan(0);
      }
    }
    await expectUnmoved();
    for (const node of cluster.nodes) {
      expect([toldBy(node, "unknown-voter"), toldBy(node, "impossible-term")]).toEqual([1, 1]);
    }
  });

  test("end a client's connection that comes with an API of theirs", async () => {
    for (const node of cluster.nodes) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      using socket = await Socket.dial(node);
      const answered = socket.next();
      socket.send(...askVersions);
      // deno-lint-ignore no-await-in-loop
      expect((await answered).length).toBeGreaterThan(0);
      socket.send(ownFrame(raftMessages.key, [[4, 1, true]]));
      // deno-lint-ignore no-await-in-loop
      await socket.ended();
      expect(toldBy(node, "not-a-peer")).toBe(1);
    }
    await expectUnmoved();
  });

  test("outlive a registration that no record can hold", async () => {
    for (const node of cluster.nodes) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      using socket = await Socket.greeted(node);
      const answered = socket.next();
      socket.send(ownFrame(registerBroker.key, {
        brokerId: STRANGER.nodeId,
        incarnationId: directoryOf(1),
        clusterId: cluster.clusterId,
        listeners: [{ name: "", host: "", port: 1 }],
        rack: null,
        features: supportedFeatures(),
        directoryIds: [directoryOf(66)],
        previousBrokerEpoch: -1,
        isClean: false,
      }));
      // deno-lint-ignore no-await-in-loop
      expect((await answered).length).toBeGreaterThan(0);
    }
    await expectUnmoved();
  });

  test("take no bomb, and nothing over the limit", async () => {
    const [node] = cluster.nodes as [ClusterNode];
    for (const first of [0x91, 0xdd, 0x81, 0xc7, 0xdf]) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      using socket = await Socket.greeted(node);
      socket.send(ownFrame(raftMessages.key, new Uint8Array(4 * MEBIBYTE).fill(first)));
      // deno-lint-ignore no-await-in-loop
      await socket.ended();
    }
    using large = await Socket.greeted(node);
    large.send(ownFrame(raftMessages.key, new Uint8Array(17 * MEBIBYTE)));
    await large.ended();
    expect([toldBy(node, "garbage"), toldBy(node, "oversized")]).toEqual([1, 1]);
    await expectUnmoved();
  });

  test("are not filled by peers that ask and never read", async () => {
    const [node] = cluster.nodes as [ClusterNode];
    const sockets: Socket[] = [];
    for (let nodeId = 500; nodeId < 510; nodeId++) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      const socket = await Socket.greeted(node, { nodeId });
      sockets.push(socket);
      socket.stream.pause();
      const one = ownFrame(metadataFetch.key, {
        offset: 0,
        lastTerm: 0,
        bytesMax: 2 ** 31 - 1,
        waitMs: 0,
        nodeId,
        incarnationId: directoryOf(1),
      });
      socket.send(Buffer.concat(Array.from({ length: 5000 }, () => one)));
    }
    await expectUnmoved();
    for (const socket of sockets) socket[Symbol.dispose]();
  });

  test("dial strangers back, and keep few of these connections", async () => {
    const [node] = cluster.nodes as [ClusterNode];
    const streams = new Set<net.Socket>();
    let dialCount = 0;
    const server = net.createServer((stream) => {
      streams.add(stream);
      dialCount++;
      stream.on("error", () => undefined);
      stream.on("close", () => streams.delete(stream));
      stream.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    const term = (JSON.parse(quorumBefore) as Quorum).term + 1;
    for (let nodeId = 1000; nodeId < 1100; nodeId++) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      using socket = await Socket.greeted(node, { nodeId, address: { host: "127.0.0.1", port } });
      const answered = socket.next();
      socket.send(ownFrame(raftMessages.key, [[1, term, 0, 1000]]));
      const changes = { nodeId, clusterId: cluster.clusterId };
      socket.send(ownFrame(hello.key, { ...STRANGER, ...changes }));
      // deno-lint-ignore no-await-in-loop
      await answered;
    }
    await expectUnmoved();
    expect(dialCount).toBeGreaterThan(0);
    expect(streams.size).toBeLessThanOrEqual(KEPT_MAX);
    server.close();
    for (const stream of streams) stream.destroy();
  });

  test("serve beside a thousand who never finish their Hello", async () => {
    const [node] = cluster.nodes as [ClusterNode];
    const half = ownFrame(hello.key, { ...STRANGER, clusterId: cluster.clusterId }).slice(0, 30);
    const sockets: Socket[] = [];
    while (sockets.length < 1000) {
      const dialled = Array.from({ length: TOGETHER }, () => Socket.dial(node));
      // deno-lint-ignore no-await-in-loop -- as many together as a backlog takes
      sockets.push(...await Promise.all(dialled));
    }
    for (const socket of sockets) socket.send(half);
    await expectUnmoved();
    for (const socket of sockets) socket[Symbol.dispose]();
  });

  test("make topics after all that", async () => {
    const { status, stderr } = await mq(["topic", "create", "after"], { kafka: cluster.bootstrap });
    expect(status, stderr).toBe(0);
  });
});

describe("a node alone", () => {
  test("is not deposed by a stranger, and counts what it refused", async () => {
    await using broker: Broker = await startBroker();
    const metrics = async (): Promise<string> =>
      await (await fetch(`${broker.http}/metrics`)).text();
    const termOf = (text: string): string =>
      /^kafka_server_raft_metrics_current_epoch .*$/m.exec(text)?.[0] ?? "no term";
    const before = termOf(await metrics());
    const { text } = await mq(["cluster", "status", "--json"], broker);
    const { clusterId } = JSON.parse(text) as { readonly clusterId: string };
    using socket = await Socket.greeted(broker, {}, clusterId);
    const answered = socket.next();
    socket.send(ownFrame(raftMessages.key, [[2, 9, false], [6, 9, false, 0, 0], [8, 2 ** 30]]));
    socket.send(ownFrame(hello.key, { ...STRANGER, clusterId }));
    expect((await answered).length).toBeGreaterThan(0);
    const after = await metrics();
    expect(termOf(after)).toBe(before);
    expect(after).toContain('mq_peer_refusals{reason="unknown-voter"} 2');
    expect(after).toContain('mq_peer_refusals{reason="impossible-term"} 1');
    const { status, stderr } = await mq(["topic", "create", "t"], broker);
    expect(status, stderr).toBe(0);
  });
});
