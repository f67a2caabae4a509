/**
 * A broker registered with a listener without a name. That was decided and committed; no record may hold
 * it, so every controller ended itself when it came to replay it, and again at each start.
 */
import { supportedFeatures } from "../../src/metadata/feature.ts";
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { registerBroker, type RegisterBrokerResponse } from "../../src/api/own/register_broker.ts";
import type { MetadataRecord } from "../../src/metadata/record.ts";
import { CLUSTER_ID, TestCluster, type TestNode } from "../controller/cluster_fixture.ts";
import { directoryOf, HostilePeer, stateOf } from "../controller/hostile_peer.ts";
import { MetadataQuorum } from "../../src/runtime/quorum/metadata_quorum.ts";

const REGISTRATION = {
  brokerId: 66,
  incarnationId: directoryOf(1),
  clusterId: CLUSTER_ID,
  listeners: [{ name: "PLAINTEXT", host: "h", port: 1 }],
  rack: null,
  features: supportedFeatures(),
  directoryIds: [directoryOf(66)],
  previousBrokerEpoch: -1,
  isClean: false,
};
const [LEVEL] = REGISTRATION.features;
const WRONG: Readonly<Record<string, object>> = {
  "a listener without a name": { listeners: [{ name: "", host: "h", port: 1 }] },
  "a listener without a host": { listeners: [{ name: "A", host: "", port: 1 }] },
  "no listener": { listeners: [] },
  "a feature without a name": {
    features: [LEVEL, { name: "", minVersion: 0, maxVersion: 1 }],
  },
};

describe("a registration", () => {
  for (const [what, changes] of Object.entries(WRONG)) {
    test(`with ${what} is refused, and no node ends`, async () => {
      const cluster = await TestCluster.start();
      const leader = await cluster.untilLeader();
      await cluster.clock.advance(1000);
      const before = stateOf(cluster);
      const peer = await HostilePeer.greeted(cluster, leader);
      const answer = await peer.ask(registerBroker, { ...REGISTRATION, ...changes });
      const { errorCode, brokerEpoch } = answer as RegisterBrokerResponse;
      expect([errorCode, brokerEpoch]).toEqual([ErrorCode.InvalidRegistration, -1]);
      await cluster.clock.advance(1000);
      expect(stateOf(cluster)).toEqual(before as never);
      expect(await cluster.createTopic(leader, "t")).toBe(ErrorCode.None);
      cluster.haltAll();
    });
  }
});

test("a decision with a record that nobody could replay is not written", async () => {
  const cluster = await TestCluster.start({ voters: [1] });
  const node = cluster.node(1) as TestNode;
  const before = stateOf(cluster);
  const quorum = node.broker.metadata;
  if (!(quorum instanceof MetadataQuorum)) throw new Error("It decides nothing");
  const bad = { kind: "producer-ids", version: 0, brokerId: -1, nextProducerId: 0 };
  const decided = quorum.propose(() => ({ records: [bad as MetadataRecord], reply: 1 }));
  await expect(decided).rejects.toThrow("brokerId is not a whole number");
  expect(stateOf(cluster)).toEqual(before as never);
  expect(await cluster.createTopic(node, "t")).toBe(ErrorCode.None);
  cluster.haltAll();
});
