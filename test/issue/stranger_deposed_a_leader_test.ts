/**
 * Whoever knew the cluster id could say Hello under any node id, and one Raft message of a later term
 * made leader and followers take that term. With the last of all terms nobody could ever be elected
 * again, for the next one is beyond what is heard.
 */
import { describe, expect, test } from "bun:test";
import { addRaftVoter } from "../../src/api/add_raft_voter.ts";
import { describeQuorum } from "../../src/api/describe_quorum.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { removeRaftVoter } from "../../src/api/remove_raft_voter.ts";
import { type Uuid, ZERO_UUID } from "../../src/ground/uuid.ts";
import { CLUSTER_ID, TestCluster, type TestNode } from "../controller/cluster_fixture.ts";
import { HostilePeer, metric, ownFrame, refusals, stateOf } from "../controller/hostile_peer.ts";

const MESSAGES: Readonly<Record<string, (term: number) => unknown>> = {
  "a refused pre-vote": (term) => [2, term, false],
  "a request for a vote by order of the leader": (term) => [3, term, 1, 1000, true],
  "a vote": (term) => [4, term, true],
  "a heartbeat": (term) => [5, term, 0, 0, 0, 0],
  "an answer to entries": (term) => [6, term, false, 0, 0],
  "an order to campaign": (term) => [8, term],
};

async function quiet(): Promise<TestCluster> {
  const cluster = await TestCluster.start();
  await cluster.untilLeader();
  await cluster.clock.advance(1000);
  return cluster;
}

function termOf(node: TestNode): number {
  return metric(node, "kafka_server_raft_metrics_current_epoch") ?? -1;
}

describe("a stranger", () => {
  for (const [what, message] of Object.entries(MESSAGES)) {
    test(`who sends ${what} of a later term changes nothing`, async () => {
      const cluster = await quiet();
      const before = stateOf(cluster);
      for (const node of cluster.nodes) {
        // One that nobody knows, and one with the id of a voter and another disk.
        const voter = cluster.nodes.find((other) => other !== node) as TestNode;
        for (const nodeId of [66, voter.id]) {
          const peer = await HostilePeer.greeted(cluster, node, { nodeId });
          for (const leap of [1, 1000, 2 ** 30 - termOf(node)]) {
            await peer.send(ownFrame(0x4001, [message(termOf(node) + leap)]));
          }
          expect(peer.isClosed).toBeFalse();
        }
        expect(refusals(node, "unknown-voter")).toBe(4);
        expect(refusals(node, "impossible-term")).toBe(2);
        const told = node.events.filter((event) => event.includes("a peer was refused"));
        expect(told).toHaveLength(2); // one for each reason
      }
      await cluster.clock.advance(3000);
      expect(stateOf(cluster)).toEqual(before as never);
      cluster.haltAll();
    });
  }
});

test("not even a voter makes the others take the last of all terms", async () => {
  const cluster = await quiet();
  const before = stateOf(cluster);
  const [node, voter] = cluster.nodes as [TestNode, TestNode];
  const { topics } = await cluster.ask(node, describeQuorum, 2, {
    topics: [{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 0 }] }],
  });
  const { currentVoters = [] } = topics[0]?.partitions[0] ?? {};
  const key = currentVoters.find(({ replicaId }) => replicaId === voter.id);
  const peer = await HostilePeer.greeted(cluster, node, {
    nodeId: voter.id,
    directoryId: key?.replicaDirectoryId as Uuid,
  });
  await peer.send(ownFrame(0x4001, [[6, 2 ** 30, false, 0, 0]]));
  await cluster.clock.advance(1000);
  expect(stateOf(cluster)).toEqual(before as never);
  expect(refusals(node, "impossible-term")).toBe(1);
  cluster.haltAll();
});

async function changeVoter(
  cluster: TestCluster,
  api: typeof addRaftVoter | typeof removeRaftVoter,
  changed: TestNode,
  directoryId: Uuid,
): Promise<void> {
  const { errorCode } = await cluster.ask(cluster.leader() as TestNode, api, 0, {
    clusterId: CLUSTER_ID,
    timeoutMs: 10_000,
    voterId: changed.id,
    voterDirectoryId: directoryId,
    listeners: [{ name: "PLAINTEXT", ...changed.address }],
  });
  expect(errorCode).toBe(ErrorCode.None);
}

test("a voter that was removed deposes nobody", async () => {
  const cluster = await TestCluster.start();
  const leader = await cluster.untilLeader();
  const removed = cluster.nodes.find((node) => node !== leader) as TestNode;
  const { voters = [] } = leader.broker.raft?.status().configuration ?? {};
  const { directoryId } = voters.find(({ id }) => id === removed.id) as { directoryId: Uuid };
  await changeVoter(cluster, removeRaftVoter, removed, directoryId);
  removed.halt();
  await cluster.clock.advance(2000);
  const before = stateOf(cluster);
  for (const node of cluster.nodes.filter((one) => one !== removed)) {
    const identity = { nodeId: removed.id, directoryId };
    // deno-lint-ignore no-await-in-loop -- one after the other
    const peer = await HostilePeer.greeted(cluster, node, identity);
    const term = termOf(node);
    // deno-lint-ignore no-await-in-loop
    await peer.send(ownFrame(0x4001, [[3, term + 1, term, 1e6, true], [2, term + 2, false]]));
    expect(refusals(node, "unknown-voter")).toBe(2);
  }
  await cluster.clock.advance(2000);
  expect(stateOf(cluster)).toEqual(before as never);
  cluster.haltAll();
});

test("a voter that was away while all others were replaced is found by who leads now", async () => {
  const cluster = await TestCluster.start();
  const away = cluster.node(3);
  const gone = [cluster.node(1), cluster.node(2)];
  await cluster.untilLeader();
  away.halt();
  await cluster.untilLeader();
  for (const id of [4, 5]) {
    const node = cluster.prepare(id, {
      "controller.quorum.voters": "",
      "controller.quorum.bootstrap.servers": "127.0.0.1:9093,127.0.0.1:9094",
    });
    const started = node.start();
    const image = cluster.leader()?.broker.metadata?.image;
    // deno-lint-ignore no-await-in-loop -- one change after the other
    await cluster.untilTrue(() => image?.broker(id) !== undefined, "its registration");
    // deno-lint-ignore no-await-in-loop
    await changeVoter(cluster, addRaftVoter, node, ZERO_UUID);
    // deno-lint-ignore no-await-in-loop
    await cluster.until(started);
  }
  for (const node of gone) {
    const voters = cluster.leader()?.broker.raft?.status().configuration.voters ?? [];
    const key = voters.find(({ id }) => id === node.id);
    // deno-lint-ignore no-await-in-loop
    await changeVoter(cluster, removeRaftVoter, node, key?.directoryId as Uuid);
    // deno-lint-ignore no-await-in-loop
    await cluster.untilLeader();
  }
  for (const node of gone) node.halt();
  const leader = await cluster.untilLeader();
  expect(await cluster.createTopic(leader, "new")).toBe(ErrorCode.None);
  const restarted = away.restart();
  await cluster.until(restarted);
  await cluster.untilTrue(
    () => away.broker.metadata?.image.topic("new") !== undefined,
    "what was decided while it was away",
  );
  expect(away.broker.raft?.status().leader?.id).toBe(cluster.leader()?.id);
  cluster.haltAll();
});
