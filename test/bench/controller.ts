/**
 * Figures of the metadata quorum: three nodes of mq, and three of Apache Kafka where it is there.
 *
 *     bun test/bench/controller.ts                        everything, of both
 *     bun test/bench/controller.ts idle failover mq       these parts, of mq alone
 *     MQ_BENCH_KILLS=100  MQ_BENCH_IDLE_S=20  MQ_BENCH_SETTLE_S=75
 *
 *     idle       CPU and memory of each node while nothing happens
 *     failover   from kill -9 of the active controller until a CreateTopics is accepted through a node
 *                that is left, which are asked again and again
 *     topics     1,000 topics of 10 partitions in one request, and a record into each partition; then
 *                how long a new broker, a broker that was killed, and a controller that was killed take
 *                until they tell of all of them; then all topics are deleted in one request
 *     alone      the same on one node, of mq only
 *
 * Not a test: nothing here passes or fails. Build first (`npm run build`).
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import type { RequestInput } from "../../src/api/schema.ts";
import { metadata } from "../../src/api/metadata.ts";
import { produce } from "../../src/api/produce.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { Cluster } from "../harness/cluster.ts";
import { NodeConnections } from "../harness/node_connections.ts";
import { quorumAt, quorumLeader } from "../harness/quorum_leader.ts";
import {
  type BenchCluster,
  type BenchNode,
  kafkaHome,
  startKafkaCluster,
} from "./kafka_cluster.ts";
import { printTable, report } from "./report.ts";

const KILLS = Number(process.env["MQ_BENCH_KILLS"] ?? 20);
const IDLE_S = Number(process.env["MQ_BENCH_IDLE_S"] ?? 20);
/** Until collectors of garbage and compilers, of both runtimes, have come to rest. */
const SETTLE_S = Number(process.env["MQ_BENCH_SETTLE_S"] ?? 75);
const TOPICS = 1000;
const PARTITIONS = 10;
const TICKS_A_SECOND = 100; // USER_HZ, fixed on Linux
const TRY_MS = 2000;
const PATIENCE_MS = 60_000;
const POLL_MS = 2;
const PASSING: ReadonlySet<number> = new Set([ErrorCode.None, ErrorCode.NotLeaderOrFollower]);

interface Side {
  readonly who: string;
  readonly cluster: BenchCluster;
  /** For what is asked once: with patience. */
  readonly connections: NodeConnections;
}

const parts: Readonly<Record<string, (side: Side) => Promise<void>>> = {
  idle: benchIdle,
  failover: benchFailover,
  topics: benchTopics,
  alone: benchAlone,
};

const starters: Readonly<Record<string, () => Promise<BenchCluster | undefined>>> = {
  mq: () => Cluster.start(),
  kafka: async () => {
    const home = await kafkaHome();
    if (home === undefined) process.stderr.write("Apache Kafka is not there: it is left out\n");
    return home === undefined ? undefined : await startKafkaCluster(home);
  },
};

async function main(words: readonly string[]): Promise<void> {
  const unknown = words.find((word) => !(word in parts) && !(word in starters));
  if (unknown !== undefined) throw new Error(`There is no part ${unknown}`);
  const chosen = (all: Readonly<Record<string, unknown>>): readonly string[] => {
    const named = Object.keys(all).filter((name) => words.includes(name));
    return named.length === 0 ? Object.keys(all) : named;
  };
  for (const who of chosen(starters)) {
    await using cluster = await starters[who]?.();
    if (cluster === undefined) continue;
    const connections = new NodeConnections("bench", PATIENCE_MS);
    for (const part of chosen(parts)) await parts[part]?.({ who, cluster, connections });
    connections.close();
  }
  printTable();
}

async function benchIdle({ who, cluster }: Side): Promise<void> {
  await moment(SETTLE_S * 1000);
  const before = cluster.nodes.map(({ pid }) => cpuSeconds(pid));
  await moment(IDLE_S * 1000);
  for (const [index, { id, pid }] of cluster.nodes.entries()) {
    const part = (cpuSeconds(pid) - (before[index] as number)) / IDLE_S;
    const memory = (residentBytes(pid) / 1e6).toFixed(0);
    report(
      `idle cluster of three, node ${id}`,
      who,
      `${(part * 100).toFixed(2)} % of a core, ${memory} MB`,
    );
  }
}

async function benchFailover({ who, cluster, connections }: Side): Promise<void> {
  const times: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    await untilCaughtUp(cluster, connections);
    const leader = await quorumLeader(connections, cluster.nodes);
    const victim = cluster.nodes.find(({ id }) => id === leader) as BenchNode;
    const left = cluster.nodes.filter((node) => node !== victim);
    await victim.kill();
    times.push(await untilAccepted(left, `failover-${kill}`));
    await victim.start();
  }
  const sorted = times.toSorted((one, other) => one - other);
  const at = (part: number): string =>
    // the nearest rank
    (sorted[Math.max(Math.ceil(sorted.length * part), 1) - 1] as number).toFixed(0);
  report(
    `fail-over of the controller, ${KILLS} kills`,
    who,
    `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
  );
}

/** Milliseconds until one of the nodes has accepted a topic; each is asked again and again. */
async function untilAccepted(nodes: readonly BenchNode[], name: string): Promise<number> {
  const began = performance.now();
  let acceptedAt: number | undefined;
  const connections = new NodeConnections("bench", TRY_MS);
  await Promise.all(nodes.map(async (node) => {
    for (let tries = 0; acceptedAt === undefined; tries++) {
      if (performance.now() - began > PATIENCE_MS) return;
      const topic = topicsOf([`${name}-${node.id}-${tries}`], 1);
      const code = await connections.request(node, createTopics, topic)
        .then(({ topics }) => topics[0]?.errorCode, () => -1);
      if (code === 0) acceptedAt ??= performance.now();
      else await moment(POLL_MS);
    }
  }));
  connections.close();
  if (acceptedAt === undefined) throw new Error("Cannot wait longer for a controller");
  return acceptedAt - began;
}

function topicsOf(
  names: readonly string[],
  numPartitions: number,
): RequestInput<typeof createTopics> {
  const how = { numPartitions, replicationFactor: 1, assignments: [], configs: [] };
  return {
    topics: names.map((name) => ({ name, ...how })),
    timeoutMs: PATIENCE_MS,
    validateOnly: false,
  };
}

async function benchTopics(side: Side): Promise<void> {
  const { who, cluster, connections } = side;
  await untilCaughtUp(cluster, connections);
  const names = Array.from({ length: TOPICS }, (_, index) => `many-${index}`);
  const began = performance.now();
  const requests = await createAll(side, names);
  const ms = (performance.now() - began).toFixed(0);
  const how = requests === 1 ? "one request" : `${requests} requests: it takes no more in one`;
  report(`create ${TOPICS} topics of ${PARTITIONS}`, who, `${ms} ms, in ${how}`);
  const told = await Promise.all(cluster.nodes.map((node) => untilKnown(side, node, began)));
  report("and until every node tells of them", who, `${Math.max(...told).toFixed(0)} ms`);
  await Promise.all(cluster.nodes.map((node) => produceToAll(side, node, 1)));
  report("and until every partition has taken a record", who, msSince(began));
  const durable = performance.now();
  await Promise.all(cluster.nodes.map((node) => produceToAll(side, node, -1)));
  report("and until that and another one are durable (mq)", who, msSince(durable));
  report("memory of the nodes then", who, memoryOf(cluster));

  const added = await cluster.addBroker();
  await reportStart(
    side,
    added,
    "a new broker, from its start until it tells of 10,000 partitions",
  );
  await added.kill();
  await reportStart(side, added, "the same broker after kill -9");
  const leader = await quorumLeader(connections, cluster.nodes);
  const voter = cluster.nodes.find(({ id }) => id !== leader) as BenchNode;
  await voter.kill();
  await reportStart(side, voter, "a controller and broker after kill -9");
  await deleteAll(side, names);
}

async function benchAlone({ who }: Side): Promise<void> {
  if (who !== "mq") return;
  await using cluster = await Cluster.start({ count: 1 });
  const connections = new NodeConnections("bench", PATIENCE_MS);
  const side = { who: "mq, one node", cluster, connections };
  await untilCaughtUp(cluster, connections);
  const names = Array.from({ length: TOPICS }, (_, index) => `many-${index}`);
  report("memory before", side.who, memoryOf(cluster));
  const began = performance.now();
  await createAll(side, names);
  report(`create ${TOPICS} topics of ${PARTITIONS}`, side.who, msSince(began));
  const node = cluster.nodes[0] as BenchNode;
  await produceToAll(side, node, 1);
  report("and until every partition has taken a record", side.who, msSince(began));
  const durable = performance.now();
  await produceToAll(side, node, -1);
  report("and until that and another one are durable", side.who, msSince(durable));
  report("memory then", side.who, memoryOf(cluster));
  await node.kill();
  await reportStart(side, node, "the same node after kill -9");
  await deleteAll(side, names);
  connections.close();
}

/**
 * Into each partition that the node leads, by the node itself. With acks=1 no disk is waited for. Who tells
 * of a partition may not lead it yet (Kafka): it is asked again.
 */
async function produceToAll(
  { connections }: Side,
  node: BenchNode,
  acks: number,
): Promise<void> {
  const batch = new BatchBuilder({ bytesMax: 1024, compressionType: "none" });
  batch.append({ key: null, value: new Uint8Array(10), timestamp: Date.now() });
  const fields = { partitionLeaderEpoch: 0, baseOffset: 0 };
  const records = batch.finish(fields, { crc32c: crc32cTables, compress: (_, bytes) => bytes });
  const body = { topics: null, allowAutoTopicCreation: false };
  const { topics } = await connections.request(node, metadata, body);
  let topicData = topics.flatMap(({ name, topicId, partitions }) => {
    const own = partitions.filter(({ leaderId }) => leaderId === node.id);
    const partitionData = own.map(({ partitionIndex: index }) => ({ index, records }));
    return own.length > 0 ? [{ name: name ?? "", topicId, partitionData }] : [];
  });
  const settings = { transactionalId: null, acks, timeoutMs: PATIENCE_MS };
  while (topicData.length > 0) {
    // deno-lint-ignore no-await-in-loop -- the rest again
    const { responses } = await connections.request(node, produce, { ...settings, topicData });
    topicData = topicData.flatMap((topic, at) => {
      const answers = responses[at]?.partitionResponses ?? [];
      const refused = answers.find(({ errorCode }) => !PASSING.has(errorCode));
      if (refused !== undefined) {
        throw new Error(`Node ${node.id} refuses a record: ${refused.errorCode}`);
      }
      const partitionData = topic.partitionData.filter((_, index) =>
        answers[index]?.errorCode !== ErrorCode.None
      );
      return partitionData.length > 0 ? [{ ...topic, partitionData }] : [];
    });
  }
}

/** And whether the controller is still the one that it was. */
async function deleteAll(side: Side, names: readonly string[]): Promise<void> {
  const { who, cluster, connections } = side;
  await untilCaughtUp(cluster, connections);
  const epochOf = async (): Promise<number> => {
    const told = await Promise.all(cluster.nodes.map((node) => quorumAt(connections, node)));
    return Math.max(...told.map(({ leaderEpoch }) => leaderEpoch));
  };
  const before = await epochOf();
  const [node] = cluster.nodes as readonly [BenchNode];
  const began = performance.now();
  const { responses } = await connections.request(node, deleteTopics, {
    topics: names.map((name) => ({ name, topicId: ZERO_UUID })),
    topicNames: names,
    timeoutMs: PATIENCE_MS,
  });
  const refused = responses.find(({ errorCode }) => errorCode !== ErrorCode.None);
  if (refused !== undefined) throw new Error(`Cannot delete: ${refused.errorCode}`);
  const elections = await epochOf() - before;
  report(`delete ${TOPICS} topics`, who, `${msSince(began)}, ${elections} elections`);
}

function msSince(began: number): string {
  return `${(performance.now() - began).toFixed(0)} ms`;
}

function memoryOf({ nodes }: BenchCluster): string {
  return nodes.map(({ pid }) => `${(residentBytes(pid) / 1e6).toFixed(0)} MB`).join(", ");
}

/** In as few requests as the cluster takes (Apache Kafka: fewer than 10,000 partitions); gives how many. */
async function createAll(
  { cluster, connections }: Side,
  names: readonly string[],
): Promise<number> {
  const [node] = cluster.nodes as readonly [BenchNode];
  for (let requests = 1; requests <= 4; requests++) {
    const size = Math.ceil(names.length / requests);
    const codes = new Set<number>();
    for (let at = 0; at < names.length; at += size) {
      const body = topicsOf(names.slice(at, at + size), PARTITIONS);
      const { topics } = await connections.request(node, createTopics, body);
      for (const { errorCode } of topics) codes.add(errorCode);
    }
    if (codes.size === 1 && codes.has(ErrorCode.None)) return requests;
    if (!codes.has(ErrorCode.PolicyViolation)) throw new Error(`Refused: ${[...codes].join(", ")}`);
  }
  throw new Error("Cannot create the topics in four requests");
}

async function reportStart(side: Side, node: BenchNode, what: string): Promise<void> {
  const began = performance.now();
  await node.start();
  const readyMs = performance.now() - began;
  const ms = await untilKnown(side, node, began);
  report(what, side.who, `${ms.toFixed(0)} ms (ready after ${readyMs.toFixed(0)} ms)`);
}

/** Milliseconds from then on until the node tells of all partitions. */
async function untilKnown(
  { connections }: Side,
  node: BenchNode,
  began: number,
): Promise<number> {
  while (performance.now() - began < PATIENCE_MS) {
    const body = { topics: null, allowAutoTopicCreation: false };
    const { topics } = await connections.request(node, metadata, body);
    const count = topics.filter(({ name }) => name?.startsWith("many-"))
      .reduce((sum, { partitions }) => sum + partitions.length, 0);
    if (count === TOPICS * PARTITIONS) return performance.now() - began;
    await moment(POLL_MS);
  }
  throw new Error(`Cannot wait longer for node ${node.id}`);
}

/** Every voter has all that is committed: the next kill finds a cluster that is well. */
async function untilCaughtUp(cluster: BenchCluster, connections: NodeConnections): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    const leader = await quorumLeader(connections, cluster.nodes);
    const node = cluster.nodes.find(({ id }) => id === leader);
    const quorum = node && await quorumAt(connections, node).catch(() => undefined);
    const isWell = quorum?.currentVoters.every(({ logEndOffset }) =>
      logEndOffset >= quorum.highWatermark
    );
    if (isWell === true) return;
    await moment(50);
  }
  throw new Error("Cannot wait longer until all voters have caught up");
}

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1] ?? NaN) * 1024;
}

function moment(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

await main(process.argv.slice(2));
