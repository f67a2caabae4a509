/**
 * What peers that are none, or that are not what they say, can do to a cluster: nothing. Before and
 * after each attack all nodes serve in the same term, with the same votes and the same log.
 *
 * Long because it is mostly tables. Refusals of single messages are in `test/runtime/peers/`; over sockets `test/conform/hostile_peer_test.ts`.
 */
import { describe, expect, test } from "bun:test";
import { createTopics } from "../../src/api/create_topics.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { allocateProducerIds } from "../../src/api/own/allocate_producer_ids.ts";
import { alterPartition } from "../../src/api/own/alter_partition.ts";
import { brokerHeartbeat } from "../../src/api/own/broker_heartbeat.ts";
import { forward } from "../../src/api/own/forward.ts";
import { hello } from "../../src/api/own/hello.ts";
import { metadataFetch } from "../../src/api/own/metadata_fetch.ts";
import type { AnyOwnApi } from "../../src/api/own/own_api.ts";
import { raftMessages } from "../../src/api/own/raft_messages.ts";
import { registerBroker } from "../../src/api/own/register_broker.ts";
import { ownApis } from "../../src/api/own/registry.ts";
import { snapshotFetch } from "../../src/api/own/snapshot_fetch.ts";
import { produce } from "../../src/api/produce.ts";
import type { Api } from "../../src/api/schema.ts";
import { concat } from "../../src/ground/concat.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { encodeRecords } from "../../src/runtime/quorum/quorum_batches.ts";
import { requestFrame } from "../../src/wire/message.ts";
import { CLUSTER_ID, TestCluster, type TestNode } from "./cluster_fixture.ts";
import { directoryOf, HostilePeer, ownFrame, refusals, stateOf, STRANGER } from "./hostile_peer.ts";

/** A quorum of three is left alone by `attack`; the table shares it, which is part of the test. */
const cluster = await TestCluster.start();
const leader = await cluster.untilLeader();
await cluster.clock.advance(1000);
const before = stateOf(cluster);

async function expectUnmoved(): Promise<void> {
  await cluster.clock.advance(600); // longer than a follower waits for its leader
  expect(stateOf(cluster)).toEqual(before as never);
}

describe("before a Hello", () => {
  for (const api of ownApis) {
    if (api.key === hello.key) continue;
    test(`${api.name} is not answered, and the connection ends`, async () => {
      const count = refusals(leader, "not-a-peer");
      const peer = await HostilePeer.dial(cluster, leader);
      expect(await peer.ask(api as never, {})).toBe("closed");
      expect(refusals(leader, "not-a-peer")).toBe(count + 1);
      await expectUnmoved();
    });
  }
});

describe("a Hello", () => {
  const wrong: Readonly<Record<string, readonly [body: unknown, reason: string]>> = {
    "of another cluster": [{ ...STRANGER, clusterId: "other" }, "other-cluster"],
    "with the id of the node itself": [{ ...STRANGER, nodeId: leader.id }, "own-identity"],
    "for somebody else": [
      { ...STRANGER, expected: { nodeId: 77, directoryId: directoryOf(7) } },
      "unexpected-identity",
    ],
    "with a release of 10,000 letters": [{ ...STRANGER, release: "x".repeat(10_000) }, "garbage"],
    "of 17,000 bytes": [{ ...STRANGER, release: "x".repeat(17_000) }, "oversized"],
    "that is a list": [[STRANGER], "garbage"],
    "that is nothing": [null, "garbage"],
    "with a node id of half a node": [{ ...STRANGER, nodeId: 0.5 }, "garbage"],
    "with a node id below 0": [{ ...STRANGER, nodeId: -1 }, "garbage"],
    "with fields of the prototype": [
      // {"__proto__": STRANGER's fields}: an object without fields of its own.
      concat([
        Uint8Array.of(0x81, 0xa9),
        new TextEncoder().encode("__proto__"),
        Uint8Array.of(0x80),
      ]),
      "garbage",
    ],
    "with bytes behind it": [Uint8Array.of(0x80, 0x80), "garbage"],
    "in an extension": [Uint8Array.of(0xc7, 1, 0x72, 0x40), "garbage"],
  };
  for (const [what, [body, reason]] of Object.entries(wrong)) {
    test(`${what} is refused and told once`, async () => {
      const count = refusals(leader, reason);
      for (let times = 0; times < 3; times++) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        const peer = await HostilePeer.dial(cluster, leader);
        // deno-lint-ignore no-await-in-loop
        const answer = await peer.ask(hello, body);
        const isRefused = answer === "closed" ||
          typeof answer === "object" && answer.errorCode !== ErrorCode.None;
        expect(isRefused).toBeTrue();
      }
      expect(refusals(leader, reason)).toBe(count + 3);
      const told = leader.events.filter((event) => event.includes(`a peer was refused ${reason}`));
      expect(told).toHaveLength(1);
      await expectUnmoved();
    });
  }
});

describe("bombs", () => {
  const list = Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff);
  const bombs: Readonly<Record<string, Uint8Array>> = {
    "a list of four thousand million": list,
    "a map of four thousand million": Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff),
    "a list of lists of lists": new Uint8Array(1 << 20).fill(0x91),
    "maps of maps": new Uint8Array(1 << 20).fill(0x81),
    "a million nothings": concat([Uint8Array.of(0xdd, 0, 0x10, 0, 0), new Uint8Array(1 << 20)]),
    "text of which one byte is there": Uint8Array.of(0xdb, 0x7f, 0xff, 0xff, 0xff, 0x61),
    "a list as the key of a map": concat([Uint8Array.of(0x81, 0x91), list, Uint8Array.of(0)]),
    "no byte": new Uint8Array(0),
    "the byte that is never used": Uint8Array.of(0xc1),
  };
  for (const [what, bytes] of Object.entries(bombs)) {
    test(`${what} ends its connection and nothing else, in every API`, async () => {
      const count = refusals(leader, "garbage");
      for (const api of ownApis) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        const peer = await HostilePeer.greeted(cluster, leader);
        // deno-lint-ignore no-await-in-loop
        expect(await peer.ask(api as never, bytes)).toBe("closed");
      }
      expect(refusals(leader, "garbage")).toBe(count + ownApis.length);
      await expectUnmoved();
    });
  }
});

describe("Raft messages", () => {
  const term = leader.broker.raft?.status().term ?? 0;
  const end = leader.broker.raft?.status().logEndOffset ?? 0;
  const place = { baseOffset: end, term, timestamp: 1 };
  const batch = encodeRecords([{ kind: "no-op", version: 0 }], place, crc32cTables);
  const flipped = batch.slice();
  flipped[batch.length - 1] = 99;
  const later = encodeRecords(
    [{ kind: "no-op", version: 0 }],
    { ...place, term: term + 1 },
    crc32cTables,
  );
  const append = (records: Uint8Array, prevOffset = end): unknown => [
    ...[5, term, prevOffset, term, 1e9, 0],
    records,
  ];
  const offer = { voters: [], learners: [] };
  /** Those that are not understood end the connection, the others are refused or change nothing. */
  const messages: Readonly<
    Record<string, readonly [message: unknown, reason: string | undefined]>
  > = {
    "of term 2^53": [[4, 2 ** 53, true], "garbage"],
    "of term 2^31": [[4, 2 ** 31, true], "garbage"],
    "of term 2^30": [[4, 2 ** 30, true], "impossible-term"],
    "of term -1": [[4, -1, true], "garbage"],
    "of term 1.5": [[4, 1.5, true], "garbage"],
    "of term NaN": [[4, NaN, true], "garbage"],
    "of term Infinity": [[4, Infinity, true], "garbage"],
    "of term true": [[4, true, true], "garbage"],
    "of an unknown kind": [[9, term], "garbage"],
    "that are no lists": [{ kind: "VoteReply", term }, "garbage"],
    "with a last term beyond their own": [[3, term, term + 1, end, false], "garbage"],
    "with entries at a hole": [append(batch, end - 1), "holes"],
    "with entries that overlap": [append(concat([batch, batch])), "holes"],
    "with half an entry": [append(batch.subarray(0, batch.length - 1)), "holes"],
    "with an entry of another CRC": [append(flipped), "corrupt"],
    "with an entry of a later term": [append(later), "holes"],
    "with entries that are text": [append("text" as never), "garbage"],
    "with a commit offset beyond the log": [[5, term, end, term, 2 ** 52, 0], undefined],
    "with entries of one who does not lead": [append(batch), undefined],
    "with answers that nobody asked for": [[6, term, true, 2 ** 52, 2 ** 52], undefined],
    "that ask for a vote of a former term": [[3, Math.max(term - 1, 0), 0, 1e9, true], undefined],
    "that order to campaign": [[8, term], undefined],
    "that offer a snapshot": [[7, term, 1e9, term, 0, offer], undefined],
    "that offer a snapshot of nobody": [[7, term, 1e9, term, 0, { voters: 1 }], "garbage"],
    "that offer a snapshot before the beginning": [[7, term, -1, term, 0, offer], "garbage"],
  };
  for (const [what, [message, reason]] of Object.entries(messages)) {
    test(`${what} change nothing`, async () => {
      for (const node of cluster.nodes) {
        const count = reason === undefined ? 0 : refusals(node, reason);
        // deno-lint-ignore no-await-in-loop -- one after the other
        const peer = await HostilePeer.greeted(cluster, node);
        // deno-lint-ignore no-await-in-loop
        await peer.send(ownFrame(raftMessages.key, [message]));
        expect(peer.isClosed).toBe(reason === "garbage");
        if (reason !== undefined) expect(refusals(node, reason)).toBe(count + 1);
      }
      await expectUnmoved();
    });
  }
});

describe("a peer that asks", () => {
  const registration = {
    brokerId: 1,
    incarnationId: directoryOf(1),
    clusterId: CLUSTER_ID,
    listeners: [{ name: "A", host: "h", port: 1 }],
    rack: null,
    features: [],
    directoryIds: [directoryOf(1)],
    previousBrokerEpoch: -1,
    isClean: false,
  };
  const own = { ...registration, brokerId: STRANGER.nodeId };
  const beat = { brokerEpoch: 2, metadataOffset: 0, wantFence: true, wantShutDown: true };
  const fetch = {
    offset: 2 ** 52,
    lastTerm: 0,
    bytesMax: 1,
    waitMs: 0,
    nodeId: STRANGER.nodeId,
    incarnationId: directoryOf(1),
  };
  const piece = { snapshot: { offset: 5, term: 1 }, position: 0, bytesMax: 1 };
  const partition = { topicId: directoryOf(3), partitionId: 0, leaderEpoch: 0, partitionEpoch: 0 };
  const other = ErrorCode.ClusterAuthorizationFailed;
  const many = Array.from({ length: 65 }, () => registration.listeners[0]);
  /** What is asked, and the error code or "closed". */
  const asked: readonly (readonly [string, AnyOwnApi, unknown, number | "closed"])[] = [
    ["to register another broker", registerBroker, registration, other],
    ["to register with 65 listeners", registerBroker, { ...own, listeners: many }, "closed"],
    [
      "to register in another cluster",
      registerBroker,
      { ...own, clusterId: "x" },
      ErrorCode.InconsistentClusterId,
    ],
    [
      "to register without listeners",
      registerBroker,
      { ...own, listeners: [] },
      ErrorCode.InvalidRegistration,
    ],
    ["to fence another broker", brokerHeartbeat, { brokerId: 1, ...beat }, other],
    [
      "to fence a broker that is not there",
      brokerHeartbeat,
      { brokerId: STRANGER.nodeId, ...beat },
      ErrorCode.BrokerIdNotRegistered,
    ],
    ["for the ids of another", allocateProducerIds, { brokerId: 1, brokerEpoch: 2 }, other],
    [
      "for ids without being a broker",
      allocateProducerIds,
      { brokerId: STRANGER.nodeId, brokerEpoch: 2 },
      ErrorCode.StaleBrokerEpoch,
    ],
    [
      "to alter partitions of another",
      alterPartition,
      { brokerId: 1, brokerEpoch: 2, partitions: [{ ...partition, isr: [] }] },
      other,
    ],
    [
      "to alter partitions",
      alterPartition,
      { brokerId: STRANGER.nodeId, brokerEpoch: 2, partitions: [{ ...partition, isr: [] }] },
      ErrorCode.StaleBrokerEpoch,
    ],
    ["for metadata beyond the end", metadataFetch, fetch, ErrorCode.None],
    ["for metadata below 0", metadataFetch, { ...fetch, offset: -1 }, "closed"],
    ["for metadata of another", metadataFetch, { ...fetch, nodeId: 1 }, other],
    [
      "for metadata behind a term that never was",
      metadataFetch,
      { ...fetch, offset: 2, lastTerm: 99 },
      ErrorCode.OffsetOutOfRange,
    ],
    ["for a snapshot that is not there", snapshotFetch, piece, ErrorCode.SnapshotNotFound],
    ["for a snapshot below 0", snapshotFetch, { ...piece, position: -1 }, "closed"],
    [
      "for a file",
      snapshotFetch,
      { ...piece, snapshot: { offset: "../x", term: 1 } },
      "closed",
    ],
  ];
  for (const [what, api, body, expected] of asked) {
    test(`${what} is refused`, async () => {
      const peer = await HostilePeer.greeted(cluster, leader);
      const answer = await peer.ask(api as never, body) as string | { errorCode: number };
      expect(typeof answer === "string" ? answer : answer.errorCode).toBe(expected);
      await expectUnmoved();
    });
  }
});

describe("a frame that is forwarded", () => {
  const frameOf = <A extends Api>(api: A, version: number, body: never): Uint8Array => {
    const header = { apiVersion: version, correlationId: 1, clientId: "c" };
    return concat(requestFrame(api, header, body) as Uint8Array[]).slice(4);
  };
  const creating = frameOf(createTopics, 7, {
    topics: [{
      name: "forwarded",
      numPartitions: 1_000_000,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    }],
    timeoutMs: 1,
    validateOnly: false,
  } as never);
  const ofVersion = creating.slice();
  ofVersion[3] = 99;
  const nested = ownFrame(forward.key, { frame: creating, clientId: null }).slice(4);
  const frames: Readonly<Record<string, Uint8Array>> = {
    "and is a Forward itself": nested,
    "and is a Hello": ownFrame(hello.key, STRANGER).slice(4),
    "and is a Produce": frameOf(produce, 9, { acks: -1, timeoutMs: 1, topicData: [] } as never),
    "and has a version that is not served": ofVersion,
    "and is cut": creating.slice(0, 20),
    "and is empty": new Uint8Array(0),
    "and is noise": new Uint8Array(5000).fill(0x7f),
  };
  for (const [what, frame] of Object.entries(frames)) {
    test(`${what} is not carried out`, async () => {
      const peer = await HostilePeer.greeted(cluster, leader);
      const answer = await peer.ask(forward, { frame, clientId: "x".repeat(1000) });
      if (typeof answer === "string") throw new Error(`It was not answered: ${answer}`);
      expect([ErrorCode.InvalidRequest, ErrorCode.UnsupportedVersion]).toContain(answer.errorCode);
      expect(answer.frame).toHaveLength(0);
      await expectUnmoved();
    });
  }
});

test("ten thousand Hellos on one connection are ten thousand answers", async () => {
  const peer = await HostilePeer.greeted(cluster, leader);
  peer.answers.length = 0;
  const one = ownFrame(hello.key, STRANGER);
  for (let burst = 0; burst < 10; burst++) {
    // deno-lint-ignore no-await-in-loop -- burst by burst
    await peer.send(...Array.from({ length: 1000 }, () => one));
    // deno-lint-ignore no-await-in-loop
    await cluster.clock.advance(20);
  }
  expect(peer.answers).toHaveLength(10_000);
  await expectUnmoved();
});

test("one who changes its name on the way is refused", async () => {
  const peer = await HostilePeer.greeted(cluster, leader);
  const answer = await peer.ask(hello, { ...STRANGER, nodeId: 67 });
  expect(typeof answer === "object" && answer.errorCode).toBe(ErrorCode.InvalidVoterKey);
  expect(await peer.ask(hello, STRANGER)).toBe("closed");
  await expectUnmoved();
});

test("a million partitions are not made while nobody can decide, nor later", async () => {
  const lonely = await TestCluster.start({ seed: 7 });
  const deposed = await lonely.untilLeader();
  const others = lonely.nodes.filter((node) => node !== deposed);
  for (const node of others) node.halt();
  const asking = await Promise.all(Array.from({ length: 50 }, () => deposed.dial()));
  for (const [index, connection] of asking.entries()) {
    const topic = { name: `t${index}`, replicationFactor: 1, assignments: [], configs: [] };
    connection.send(createTopics, 7, {
      topics: [{ ...topic, numPartitions: 1_000_000 }],
      timeoutMs: 1000,
      validateOnly: false,
    });
  }
  await lonely.clock.advance(20_000);
  for (const connection of asking) {
    const [answered] = connection.answer(createTopics, 7).topics;
    expect([ErrorCode.NotController, ErrorCode.RequestTimedOut, ErrorCode.PolicyViolation])
      .toContain(answered?.errorCode as number);
  }
  for (const node of others) node.restart();
  await lonely.untilLeader();
  await lonely.clock.advance(1000);
  expect([...deposed.broker.metadata?.image.topics() ?? []]).toHaveLength(0);
  lonely.haltAll();
});

test("after all that the cluster decides as before", async () => {
  for (const node of cluster.nodes as readonly TestNode[]) {
    // deno-lint-ignore no-await-in-loop -- one after the other
    expect(await cluster.createTopic(node, `after-${node.id}`)).toBe(ErrorCode.None);
  }
  cluster.haltAll();
});
