/**
 * A controller without a vote ends itself where others go on saying that it leads: another node runs under
 * its id. Two words that were only late, hours apart, with another leader between them, did the same.
 */
import { expect, test } from "bun:test";
import { ClusterNode } from "../../src/broker/cluster_node.ts";
import { planOf } from "../../src/broker/node_plan.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { Prng } from "../../src/ground/prng.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import { BrokerSettings } from "../../src/runtime/broker_settings.ts";
import { CLUSTER_ID, TestCluster } from "../controller/cluster_fixture.ts";
import { directoryOf } from "../controller/hostile_peer.ts";
import { NodeNetwork } from "../controller/node_network.ts";
import { newDisk, openStorage } from "../runtime/quorum/quorum_fixture.ts";

const SELF = 3;
const SESSION_MS = 2000;
const HOUR_MS = 3_600_000;

interface Observer {
  readonly node: ClusterNode;
  /** How often it was told to end. */
  endCount: number;
}

/** In the cluster of nodes 1 and 2, who follows them and waits to be added. */
async function openObserver(cluster: TestCluster): Promise<Observer> {
  const chance = new Prng(9);
  const disk = newDisk();
  const settings = new BrokerSettings(
    new Map([
      ["node.id", String(SELF)],
      ["process.roles", "controller"],
      ["listeners", "PLAINTEXT://127.0.0.1:9099"],
      ["controller.quorum.voters", "1@127.0.0.1:9093,2@127.0.0.1:9094"],
      ["broker.session.timeout.ms", String(SESSION_MS)],
    ]),
  );
  const found: { node?: ClusterNode; endCount: number } = { endCount: 0 };
  found.node = await ClusterNode.open({
    env: {
      clock: cluster.clock,
      disk,
      network: new NodeNetwork(cluster.network),
      random: chance.fork(),
      crypto: { randomBytes: (count) => chance.bytes(count) },
      compressors: createHostCompressors(),
      crc32c: crc32cTables,
      trace: { event: () => undefined },
    },
    settings,
    plan: planOf(settings),
    release: "0",
    incarnationId: directoryOf(8),
    clusterId: CLUSTER_ID,
    directoryId: directoryOf(9),
    address: { host: "127.0.0.1", port: 9099 },
    ownAddress: () => undefined,
    storage: (await openStorage(disk)).storage,
    onDiskFault: (fault) => {
      throw fault;
    },
    onCorrupt: (fault) => {
      throw fault;
    },
    onDuplicate: () => void found.endCount++,
    onLeaderChange: () => undefined,
    onForwarded: () => undefined,
    onUnread: () => Promise.resolve({ errorCode: 0, ends: [] }),
  });
  found.node.start();
  return found as Observer;
}

/** A word that this node leads, in a term that is later than what it knows; it finds that it does not. */
async function hearOfItself(cluster: TestCluster, { node }: Observer): Promise<void> {
  node.channel.setLeader(SELF, (node.leader()?.term ?? 0) + 1);
  await cluster.clock.advance(SESSION_MS / 2);
}

test("late words that this node leads end it where nobody else is heard to, only then", async () => {
  const cluster = await TestCluster.start({
    voters: [1, 2],
    settings: { "broker.session.timeout.ms": String(SESSION_MS) },
  });
  await cluster.untilLeader();
  const observer = await openObserver(cluster);
  const leaderId = (): number | undefined => observer.node.channel.leaderId;
  await cluster.untilTrue(() => leaderId() === cluster.leader()?.id, "a leader to follow");
  for (let round = 0; round < 3; round++) {
    await hearOfItself(cluster, observer);
    await cluster.untilTrue(() => leaderId() === cluster.leader()?.id, "the leader again");
    cluster.clock.leap(HOUR_MS);
    await cluster.untilTrue(() => leaderId() === cluster.leader()?.id, "the leader after an hour");
  }
  expect(observer.endCount).toBe(0);
  cluster.haltAll();
  for (let round = 0; round < 6; round++) await hearOfItself(cluster, observer);
  expect(observer.endCount).toBeGreaterThan(0);
  observer.node.stop();
  observer.node.view.abandon();
});
