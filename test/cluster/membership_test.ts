/** Nodes that come, go and come back, as processes: voters added and removed, stops, wrong identities. */
import { describe, expect, test } from "bun:test";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Broker, mq, program, startBroker } from "../harness/broker.ts";
import { Cluster, type ClusterNode } from "../harness/cluster.ts";
import { freePorts } from "../harness/free_port.ts";
import { run, type RunningProcess, type RunResult, start } from "../harness/process.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { until, untilAsync } from "../harness/until.ts";
import { AckedProducer } from "./acked_producer.ts";

interface Place {
  readonly kafka: string;
}

/** Runs a line that must go well. */
async function done(line: string, at?: Place): Promise<RunResult> {
  const ended = await mq(line.split(" "), at);
  expect(ended.status, `mq ${line}: ${ended.stderr}`).toBe(0);
  return ended;
}

interface Quorum {
  readonly leaderId: number;
  readonly voters: readonly { readonly nodeId: number; readonly directoryId: string | null }[];
  readonly observers: readonly { readonly nodeId: number }[];
}

async function quorumAt(at: Place): Promise<Quorum | undefined> {
  const { status, text } = await mq(["cluster", "quorum", "--json"], at);
  return status === 0 ? JSON.parse(text) as Quorum : undefined;
}

/** Looked at from that node. */
async function untilVoters(at: Place, ids: readonly number[]): Promise<void> {
  await untilAsync(`the voters are ${ids}`, async () => {
    const voters = (await quorumAt(at))?.voters.map(({ nodeId }) => nodeId).sort();
    return voters?.join() === ids.join();
  });
}

async function untilTopic(at: Place, name: string): Promise<void> {
  await untilAsync(`${at.kafka} knows ${name}`, async () => {
    const { text } = await mq(["topic", "list", "--json"], at);
    return text.includes(`"${name}"`);
  });
}

async function leaderOf(cluster: Cluster): Promise<ClusterNode> {
  let leaderId = -1;
  await untilAsync("somebody leads", async () => {
    leaderId = (await quorumAt({ kafka: cluster.bootstrap }))?.leaderId ?? -1;
    return leaderId > 0;
  });
  return cluster.node(leaderId);
}

function other(cluster: Cluster, ...than: readonly ClusterNode[]): ClusterNode {
  return cluster.nodes.find((node) => !than.includes(node)) as ClusterNode;
}

describe("a cluster of one", () => {
  test("grows to three while a producer runs", async () => {
    using root = temporaryDirectory();
    await using first = await startBroker();
    await done("topic create t -p 1", first);
    await using producer = await AckedProducer.connect(first.kafka, "t");
    const acked = { count: 0, asked: 0 };
    const more = (): void => {
      acked.asked++;
      producer.append(`record ${acked.asked}`, () => {
        acked.count++;
        more();
      });
    };
    more();
    const { clusterId } = JSON.parse((await done("cluster status --json", first)).text) as {
      readonly clusterId: string;
    };
    const join = (id: number): Promise<Broker> =>
      startBroker({
        dataDirectory: `${root.path}/${id}`,
        words: [
          "--node-id",
          `${id}`,
          "--controller-quorum",
          first.kafka,
          "--cluster-id",
          clusterId,
        ],
      });
    await using second = await join(2);
    // It waits to be added, and serves.
    await done("topic create made-by-2 -r 2", second);
    await untilTopic(second, "made-by-2");
    await done("cluster add-voter 2", second);
    await using third = await join(3);
    await done("cluster add-voter 3", third);
    await untilVoters(third, [1, 2, 3]);
    const before = acked.count;
    await until("the producer goes on", () => acked.count > before + 10);
  });

  test("is not begun anew by settings that name two strangers", async () => {
    using root = temporaryDirectory();
    const dataDirectory = join(root.path, "data");
    {
      await using broker = await startBroker({ dataDirectory });
      await done("topic create precious", broker);
      expect(await broker.stop()).toBe(0);
    }
    const quorum = "1@127.0.0.1:1,2@127.0.0.1:2,3@127.0.0.1:3";
    const { status, stderr } = await refused(dataDirectory, ["--controller-quorum", quorum]);
    expect(status).toBe(2);
    expect(stderr).toContain("mq cluster add-voter");
  });
});

describe("mq cluster remove-voter", () => {
  test("lets a follower and a leader go on as observers, and takes them back", async () => {
    await using cluster = await Cluster.start();
    const leader = await leaderOf(cluster);
    const follower = other(cluster, leader);
    for (const gone of [follower, leader]) {
      const stays = other(cluster, follower, leader);
      await done(`cluster remove-voter ${gone.id} --yes`, stays);
      await done(`topic create without-${gone.id} -r 1`, stays);
      await untilTopic(gone, `without-${gone.id}`);
      await untilAsync("it is an observer", async () => {
        const quorum = await quorumAt(stays);
        return quorum?.observers.some(({ nodeId }) => nodeId === gone.id) === true;
      });
      await done(`cluster add-voter ${gone.id}`, stays);
      await untilVoters(gone, [1, 2, 3]);
    }
    expect(cluster.logs()).toContain("goes on following it");
  });

  test("of one that is away: it finds out when it is back, and may be added with an empty disk", async () => {
    await using cluster = await Cluster.start({
      words: () => ["-X", "broker.session.timeout.ms=1500"],
    });
    const leader = await leaderOf(cluster);
    const gone = other(cluster, leader);
    await gone.kill();
    await done(`cluster remove-voter ${gone.id} --yes`, leader);
    await gone.start();
    await done("topic create t -r 1", leader);
    await untilTopic(gone, "t");
    await gone.kill();
    rmSync(gone.dataDirectory, { recursive: true });
    await gone.start();
    await done(`cluster add-voter ${gone.id}`, leader);
    await untilVoters(gone, [1, 2, 3]);
  });
});

describe("SIGTERM", () => {
  const names = "1@127.0.0.1:1,2@127.0.0.1:2,3@127.0.0.1:3";
  const states: readonly (readonly [string, string, readonly string[]])[] = [
    ["without a quorum", "broker start", ["--controller-quorum", names]],
    ["waiting for a controller", "broker start", ["--controller-quorum", "127.0.0.1:1"]],
    ["as a controller only", "controller start", ["--controller-quorum", "127.0.0.1:1"]],
  ];
  for (const [state, command, words] of states) {
    test(`ends a node ${state} at once, with 0`, async () => {
      using root = temporaryDirectory();
      const path = join(root.path, "data");
      await using child = starting(command, path, [
        "--node-id",
        "1",
        "--cluster-id",
        "c",
        ...words,
      ]);
      await until("it has made its log", () => existsSync(join(path, "__cluster_metadata-0")));
      child.kill("SIGTERM");
      expect(await child.ended).toBe(0);
    });
  }

  test("ends three nodes that are told at the same time", async () => {
    await using cluster = await Cluster.start();
    await done("topic create t -p 6 -r 3", cluster.node(1));
    const codes = await Promise.all(cluster.nodes.map((node) => node.stop()));
    expect(codes).toEqual([0, 0, 0]);
  });

  test("ends the one that is left", async () => {
    await using cluster = await Cluster.start();
    await Promise.all([cluster.node(2).kill(), cluster.node(3).kill()]);
    expect(await cluster.node(1).stop()).toBe(0);
  });
});

describe("an identity", () => {
  test("that another node lives under, another cluster's, or a swapped directory is refused", async () => {
    await using cluster = await Cluster.start();
    using root = temporaryDirectory();
    const [port] = await freePorts(1) as [number];
    const names = ["--controller-quorum", cluster.node(1).kafka];
    const at = ["--listen", `127.0.0.1:${port}`, "-X", "broker.session.timeout.ms=500"];
    const twice = await refused(join(root.path, "a"), [
      ...["--node-id", "3", "--cluster-id", cluster.clusterId, ...names, ...at],
    ]);
    expect([twice.status === 0, twice.stderr.includes("another node with this id")])
      .toEqual([false, true]);
    await using foreign = starting("broker start", join(root.path, "b"), [
      ...["--node-id", "4", "--cluster-id", "another", ...names, ...at],
    ]);
    const reason = `it is of cluster ${cluster.clusterId}, this is another`;
    await until("it says why it is refused", () => foreign.stderr().includes(reason));
    foreign.kill("SIGTERM");
    expect(await foreign.ended).toBe(0);
    const [one, two] = [cluster.node(1), cluster.node(2)];
    await Promise.all([one.kill(), two.kill()]);
    renameSync(one.dataDirectory, `${one.dataDirectory}-kept`);
    renameSync(two.dataDirectory, one.dataDirectory);
    let said = "";
    await one.start().catch((error: unknown) => said = String(error));
    expect(said).toContain("node 2");
  });
});

function starting(
  command: string,
  dataDirectory: string,
  words: readonly string[],
): RunningProcess {
  const [name, ...first] = program();
  const place = ["--http", "off", "--data-dir", dataDirectory];
  const listen = words.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
  return start(name, [...first, ...command.split(" "), ...listen, ...place, ...words]);
}

/** Starts a node that must refuse, and gives what it says. */
async function refused(dataDirectory: string, words: readonly string[]): Promise<RunResult> {
  const [name, ...first] = program();
  const place = ["--http", "off", "--data-dir", dataDirectory];
  const listen = words.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
  return await run(name, [...first, "broker", "start", ...listen, ...place, ...words]);
}
