/** `mq cluster …` as processes on three real nodes, and a cluster that grows from one to three. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Broker, mq, program, startBroker } from "../harness/broker.ts";
import { Cluster } from "../harness/cluster.ts";
import { run, type RunResult } from "../harness/process.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { untilAsync } from "../harness/until.ts";

interface Place {
  readonly kafka: string;
}

/** Runs a line that must go well. */
async function done(line: string, at: Place): Promise<RunResult> {
  const ended = await mq(line.split(" "), at);
  expect(ended.status, `mq ${line}: ${ended.stderr}`).toBe(0);
  return ended;
}

async function json<T>(line: string, at: Place): Promise<T> {
  return JSON.parse((await done(`${line} --json`, at)).text) as T;
}

/** Asks again and again until the answer is right; fails with the last answer. */
async function eventually(
  line: string,
  at: Place,
  isRight: (text: string) => boolean,
): Promise<void> {
  let last = "";
  await untilAsync(`mq ${line} answers otherwise`, async () => {
    const { text, stderr } = await mq([...line.split(" "), "--json"], at);
    last = `${text}${stderr}`;
    return isRight(text);
  }).catch((error: unknown) => {
    throw new Error(`${error}: ${last}`);
  });
}

interface Quorum {
  readonly leaderId: number;
  readonly voters: readonly { readonly nodeId: number; readonly directoryId: string | null }[];
  readonly observers: readonly { readonly nodeId: number }[];
}

function votersOf({ voters }: Quorum): readonly number[] {
  return voters.map(({ nodeId }) => nodeId).sort();
}

describe("mq cluster, on three nodes", () => {
  test("tells the same wherever it asks, and who is gone", async () => {
    await using cluster = await Cluster.start({
      words: () => ["-X", "broker.session.timeout.ms=1500"],
    });
    for (const node of cluster.nodes) {
      await eventually("cluster status", node, (text) => text.includes('"isHealthy":true'));
      const quorum = await json<Quorum>("cluster quorum", node);
      expect(votersOf(quorum)).toEqual([1, 2, 3]);
    }
    const status = await json<{ readonly clusterId: string }>("cluster status", cluster.node(1));
    expect(status.clusterId).toBe(cluster.clusterId);
    const { leaderId } = await json<Quorum>("cluster quorum", cluster.node(1));
    await cluster.node(leaderId).kill();
    const left = cluster.nodes.filter(({ isRunning }) => isRunning);
    for (const node of left) {
      await done(`topic create after-${node.id} -p 2 -r 1`, node);
      await eventually(
        "cluster brokers",
        node,
        (text) =>
          text.includes('"isFenced":true') &&
          !text.includes(`"brokerId":${node.id},"isFenced":true`),
      );
    }
    const asked = left[0] as Place;
    await done(`cluster unregister ${leaderId} --yes`, asked);
    await eventually("cluster brokers", asked, (text) => !text.includes(`"brokerId":${leaderId},`));
    await cluster.node(leaderId).start();
    await eventually("cluster status", asked, (text) => text.includes('"aliveBrokers":[1,2,3]'));
  });

  test("changes partitions and features through any node", async () => {
    await using cluster = await Cluster.start();
    const one = cluster.node(1);
    const two = cluster.node(2);
    const three = cluster.node(3);
    await done("topic create t -p 1 -r 1", one);
    await done("topic alter t --partitions 4", two);
    await eventually("topic describe t", three, (text) => text.includes('"partition":3'));
    const fewer = await mq(["topic", "alter", "t", "-p", "2"], three);
    expect([fewer.status, fewer.text]).toEqual([2, ""]);
    const features = await json<readonly { readonly feature: string; readonly level: number }[]>(
      "cluster features",
      one,
    );
    expect(features.find(({ feature }) => feature === "metadata.version")?.level)
      .toBeGreaterThan(0);
    await done("cluster features --upgrade metadata.version --dry-run", two);
    const wrong = await mq(["cluster", "features", "--upgrade", "metadata.version=30000"], two);
    expect(wrong.status, wrong.stderr).toBe(2);
  });
});

describe("a cluster of one", () => {
  test("grows to three without a stop, and does without the first then", async () => {
    using root = temporaryDirectory();
    await using first = await startBroker();
    await done("topic create before -p 3", first);
    const { clusterId } = await json<{ readonly clusterId: string }>("cluster status", first);
    const join = (id: number): Promise<Broker> => joined(id, first, clusterId, root.path);
    await using second = await join(2);
    await using third = await join(3);
    for (const id of [2, 3]) {
      await eventually("cluster quorum", first, (text) => observerIds(text).includes(id));
      await done(`cluster add-voter ${id}`, first);
    }
    for (const at of [first, second, third]) {
      await eventually(
        "cluster quorum",
        at,
        (text) => text.includes('"voters"') && votersOf(JSON.parse(text)).join() === "1,2,3",
      );
    }
    await done("topic create between -r 1", second);
    await first.kill();
    await done("topic create behind -r 1", third);
    await eventually(
      "topic list",
      second,
      (text) => ["before", "between", "behind"].every((name) => text.includes(`"${name}"`)),
    );
    await done("cluster remove-voter 1 --yes", second);
    await eventually(
      "cluster quorum",
      third,
      (text) => text.includes('"voters"') && votersOf(JSON.parse(text)).join() === "2,3",
    );
  });
});

function observerIds(text: string): readonly number[] {
  if (!text.includes('"observers"')) return [];
  return (JSON.parse(text) as Quorum).observers.map(({ nodeId }) => nodeId);
}

async function joined(id: number, first: Place, clusterId: string, root: string): Promise<Broker> {
  const dataDirectory = join(root, String(id));
  const format = ["storage", "format", "--cluster-id", clusterId, "--node-id", String(id)];
  expect((await mq([...format, dataDirectory])).status).toBe(0);
  const words = ["--node-id", String(id), "--controller-quorum", first.kafka];
  return await startBroker({ dataDirectory, words });
}

describe("a node that is not told enough, or the wrong thing", () => {
  /** Starts a node that must refuse, and gives what it says. */
  async function refused(dataDirectory: string, words: readonly string[]): Promise<RunResult> {
    const [command, ...first] = program();
    const place = ["--listen", "127.0.0.1:0", "--http", "off", "--data-dir", dataDirectory];
    return await run(command, [...first, "broker", "start", ...place, ...words]);
  }

  const quorum = ["--controller-quorum", "1@127.0.0.1:1,2@127.0.0.1:2,3@127.0.0.1:3"];

  test("does not make up a cluster", async () => {
    using root = temporaryDirectory();
    const path = join(root.path, "data");
    const { status, stderr } = await refused(path, ["--node-id", "1", ...quorum]);
    expect(status).not.toBe(0);
    expect(stderr).toContain("--cluster-id");
    expect(existsSync(join(path, "meta.properties"))).toBe(false);
  });

  test("does not take another cluster's or node's directory", async () => {
    using root = temporaryDirectory();
    const path = join(root.path, "data");
    const format = ["storage", "format", "--cluster-id", "cluster-a", "--node-id", "1", path];
    expect((await mq(format)).status).toBe(0);
    const other = await refused(path, ["--node-id", "1", "--cluster-id", "cluster-b", ...quorum]);
    expect([other.status === 0, other.stderr.includes("cluster-a")]).toEqual([false, true]);
    const node = await refused(path, ["--node-id", "2", ...quorum]);
    expect([node.status === 0, node.stderr.includes("node 1")]).toEqual([false, true]);
  });
});
