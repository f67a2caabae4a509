/**
 * Three nodes under kill -9, SIGSTOP and cut links, while clients create, delete, alter and list topics
 * through any of them: what they were told has an order that explains it, nothing stays stopped when all
 * is well again, and then every node tells the same.
 *
 *     MQ_CLUSTER_MINUTES=10     so long, in place of a minute (ten seconds on Deno: the nodes are the
 *                               same binary)
 *     MQ_SEED=7                 which faults, when
 */
import { lasting } from "../harness/until.ts";
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Prng } from "../../src/ground/prng.ts";
import { Cluster, type ClusterNode } from "../harness/cluster.ts";
import { quorumLeader } from "../harness/quorum_leader.ts";
import { type Call, describeOperation, judge, type Operation } from "./linearizability.ts";
import { Nemesis } from "./nemesis.ts";
import { TopicClient } from "./topic_client.ts";

const IS_DENO = "deno" in process.versions;
const MINUTES = Number(process.env["MQ_CLUSTER_MINUTES"] ?? (IS_DENO ? 1 / 6 : 1));
const SEED = Number(process.env["MQ_SEED"] ?? 5);
const CLIENT_COUNT = 5;
/** Topics of one name live this long: a history of one stays short enough to be judged. */
const GENERATION_MS = 4000;
const NAMES_PER_GENERATION = 3;
const THINK_MS_MAX = 25;
/** About twenty are usual. */
const FAULTS_PER_MINUTE_MIN = 5;
/** When all is well, how long until each node serves changes and tells what the others tell. */
const RECOVERY_MS = 20_000;
const TEST_MS = MINUTES * 60_000 + 90_000;

interface Work {
  readonly cluster: Cluster;
  readonly client: TopicClient;
  readonly chance: Prng;
  readonly isOver: () => boolean;
  readonly topics: () => readonly string[];
}

let valueCount = 1_000_000;

describe(`three nodes in trouble for ${MINUTES.toFixed(2)} min (MQ_SEED=${SEED})`, () => {
  test("answer about topics as one would", async () => {
    await using cluster = await Cluster.start({ isProxied: true });
    const chance = new Prng(SEED);
    const began = performance.now();
    const isOver = (): boolean => performance.now() - began > MINUTES * 60_000;
    const topics = (): readonly string[] => {
      const generation = Math.floor((performance.now() - began) / GENERATION_MS);
      return Array.from({ length: NAMES_PER_GENERATION }, (_, at) => `g${generation}-${at}`);
    };
    const clients = Array.from({ length: CLIENT_COUNT }, (_, at) => new TopicClient(`c${at}`));
    const watcher = new TopicClient("watcher");
    const nemesis = new Nemesis(
      cluster,
      chance.fork(),
      () => quorumLeader(watcher.connections, cluster.nodes.filter(isAwake)),
    );
    try {
      await Promise.all([
        nemesis.run(isOver),
        ...clients.map((client) =>
          work({ cluster, client, chance: chance.fork(), isOver, topics })
        ),
      ]);
      await expectProgress(cluster, watcher);
      const history = (): readonly Operation[] =>
        [...clients, watcher].flatMap((client) => client.history);
      await expectAgreement(cluster, watcher, new Set(history().map(({ topic }) => topic)));
      tell(history(), nemesis);
      expect(cluster.nodes.map(({ diedWith }) => diedWith)).toEqual(
        cluster.nodes.map(() => undefined),
      );
      expectLinearizable(history(), cluster);
    } finally {
      for (const client of [...clients, watcher]) client.close();
    }
  }, TEST_MS);
});

async function work({ cluster, client, chance, isOver, topics }: Work): Promise<void> {
  while (!isOver()) {
    const names = topics();
    const topic = names[chance.below(names.length)] as string;
    const node = cluster.nodes[chance.below(cluster.nodes.length)] as ClusterNode;
    if (node.isRunning) {
      if (chance.below(8) === 0) await client.list(node, names);
      else await client.perform(node, topic, drawCall(chance));
    }
    await lasting(chance.below(THINK_MS_MAX));
  }
}

function drawCall(chance: Prng): Call {
  const drawn = chance.below(10);
  if (drawn < 3) return { kind: "create", value: String(valueCount++) };
  if (drawn < 5) return { kind: "alter", value: String(valueCount++) };
  if (drawn < 7) return { kind: "delete" };
  return drawn < 9 ? { kind: "probe" } : { kind: "read" };
}

function isAwake({ isRunning, isPaused }: ClusterNode): boolean {
  return isRunning && !isPaused;
}

/** A change through each node is accepted. */
async function expectProgress(cluster: Cluster, client: TopicClient): Promise<void> {
  const end = performance.now() + RECOVERY_MS;
  for (const node of cluster.nodes) {
    let isDone = false;
    for (let tries = 0; !isDone; tries++) {
      const call = { kind: "create", value: String(valueCount++) } as const;
      isDone = (await client.perform(node, `after-${node.id}-${tries}`, call)).kind === "done";
      if (isDone) continue;
      if (performance.now() > end) {
        throw new Error(`No change through node ${node.id} when all is well\n${cluster.logs()}`);
      }
      await lasting(50);
    }
  }
}

/**
 * Every node tells the same topics with the same ids and values, the last that were made among them. What
 * they tell is read, too: of each topic that was ever asked about, so that one that is lost, or is back,
 * long after its generation is found as well.
 */
async function expectAgreement(
  cluster: Cluster,
  client: TopicClient,
  topics: ReadonlySet<string>,
): Promise<void> {
  const last = client.history.filter(({ answer }) => answer.kind === "done");
  const end = performance.now() + RECOVERY_MS;
  for (;;) {
    const calledAt = performance.now();
    const told = await Promise.all(cluster.nodes.map((node) => stateAt(node, client)));
    const [first, ...others] = told.map((each) => JSON.stringify([...each]));
    const state = told[0] as ReadonlyMap<string, readonly [id: string, value: string]>;
    if (others.every((other) => other === first) && last.every(({ topic }) => state.has(topic))) {
      const answeredAt = performance.now();
      for (const topic of new Set([...topics, ...state.keys()])) {
        const value = state.get(topic)?.[1];
        const answer = value === undefined
          ? { kind: "missing" } as const
          : { kind: "value", value } as const;
        client.history.push(
          { topic, client: "all", call: { kind: "read" }, answer, calledAt, answeredAt },
        );
      }
      return;
    }
    if (performance.now() > end) {
      throw new Error(
        `The nodes do not agree:\n${told.map((each) => JSON.stringify([...each])).join("\n")}`,
      );
    }
    await lasting(100);
  }
}

async function stateAt(
  node: ClusterNode,
  client: TopicClient,
): Promise<ReadonlyMap<string, readonly [id: string, value: string]>> {
  const state = new Map<string, readonly [string, string]>();
  for (const [name, id] of [...await client.topicsOf(node)].sort()) {
    state.set(name, [id, await client.valueOf(node, name) ?? "-"]);
  }
  return state;
}

function expectLinearizable(history: readonly Operation[], cluster: Cluster): void {
  const verdict = judge(history);
  if (verdict.kind === "linearizable") return;
  const path = join(tmpdir(), `mq-history-${process.pid}.txt`);
  const { topic } = verdict;
  const lines = history.map((operation) => `${operation.topic} ${describeOperation(operation)}`);
  writeFileSync(path, `${lines.join("\n")}\n\n${cluster.logs()}`);
  throw new Error(
    verdict.kind === "violation"
      ? `${verdict.why}\nThe whole history is in ${path}`
      : `The history of ${topic} is too long to judge: see ${path}`,
  );
}

/** So that a run that asked little, was refused everything or harmed nothing does not look like a good one. */
function tell(history: readonly Operation[], { counts }: Nemesis): void {
  const kinds = new Map<string, number>();
  for (const { call, answer, reader } of history) {
    const kind = `${reader === undefined ? "" : "follow-"}${call.kind} ${answer.kind}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const list = (map: ReadonlyMap<string, number>): string =>
    [...map].map(([name, count]) => `${name} ${count}`).sort().join(", ");
  process.stderr.write(`${history.length} operations: ${list(kinds)}\nfaults: ${list(counts)}\n`);
  const wanted = ["create done", "delete done", "alter done", "probe exists", "probe missing"];
  expect(wanted.filter((kind) => !kinds.has(kind))).toEqual([]);
  const faultCount = [...counts.values()].reduce((total, count) => total + count, 0);
  expect(faultCount).toBeGreaterThan(MINUTES * FAULTS_PER_MINUTE_MIN);
}
