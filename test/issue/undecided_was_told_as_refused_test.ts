/**
 * A process out of file handles could not read its metadata log for a moment. All decisions under way were
 * told as refused, though they were in the log and committed a little later: the next one was made for
 * an image without them, and no node could replay the two. Or the leader read no further until another
 * decision was committed, and what needs no records waited for that for ever.
 */
import { describe, expect, test } from "bun:test";
import { DiskFault } from "../../src/env/disk.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { uuidFromEntropy } from "../../src/ground/uuid.ts";
import { decideCreateTopics } from "../../src/metadata/decide/create_topics.ts";
import { decideRegisterBroker } from "../../src/metadata/decide/register_broker.ts";
import type { Decision } from "../../src/metadata/decision.ts";
import type { ClusterImage } from "../../src/metadata/image.ts";
import type { OutgoingAppend } from "../../src/raft/ready.ts";
import { DEFAULT_TIMING } from "../../src/runtime/quorum/raft_node_options.ts";
import { RaftSender } from "../../src/runtime/quorum/raft_sender.ts";
import { NO_TRANSPORT } from "../../src/runtime/quorum/raft_transport.ts";
import type { RaftWriter } from "../../src/runtime/quorum/raft_writer.ts";
import { registration } from "../metadata/cluster.ts";
import { type ClusterNode, settled, TestCluster } from "../runtime/quorum/quorum_fixture.ts";

const NO_RECORDS: Decision<string> = { records: [], reply: "asked" };

function createTopic(seed: number): (image: ClusterImage) => Decision<unknown> {
  return (image) =>
    decideCreateTopics(image, {
      topics: [{
        name: "orders",
        topicId: uuidFromEntropy(new Prng(seed).bytes(16)),
        partitionCount: 1,
        replicationFactor: 1,
        assignments: [],
        config: [],
      }],
      validateOnly: false,
      defaultPartitionCount: 1,
      defaultReplicationFactor: 1,
      partitionCountMax: 100,
      brokerValue: () => undefined,
    });
}

/** Reads of the log that fail from now on, each by a promise or at once. */
function refuseReads({ storage }: ClusterNode, count: number, how: "later" | "at once"): void {
  const read = storage.read.bind(storage);
  let left = count;
  storage.read = (...range) => {
    if (left-- <= 0) return read(...range);
    const fault = new DiskFault("no-handles", "/data", "too many open files");
    if (how === "at once") throw fault;
    return Promise.reject(fault);
  };
}

async function leaderOf(count: number): Promise<{ cluster: TestCluster; leader: ClusterNode }> {
  const cluster = await TestCluster.start(count);
  const leader = await cluster.leader();
  const register = leader.quorum.propose((image) =>
    decideRegisterBroker(image, { ...registration(1), startsUnfenced: true })
  );
  await cluster.clock.until(register);
  await cluster.until(
    () => [...cluster.nodes.values()].every(({ quorum }) => quorum.image.broker(1) !== undefined),
    "all know the broker",
  );
  return { cluster, leader };
}

async function expectOneTopic(cluster: TestCluster, leader: ClusterNode): Promise<void> {
  await cluster.until(
    () =>
      [...cluster.nodes.values()].every(({ quorum }) => [...quorum.image.topics()].length === 1),
    "all have the topic",
  );
  await cluster.clock.until(leader.quorum.propose(createTopic(9))); // refused by the image
  for (const { corrupt, diskFaults, quorum } of cluster.nodes.values()) {
    expect(corrupt).toEqual([]);
    expect(diskFaults).toEqual([]);
    expect([...quorum.image.topics()]).toHaveLength(1);
  }
}

describe("a metadata log that cannot be read for want of handles", () => {
  test("refuses no decision that it has", async () => {
    const { cluster, leader } = await leaderOf(1);
    refuseReads(leader, 1, "later");
    const first = settled(leader.quorum.propose(createTopic(1)));
    const second = settled(leader.quorum.propose(createTopic(2)));
    await cluster.until(() => Object.keys({ ...first, ...second }).length > 0, "one is told");
    await cluster.clock.advance(1000);
    expect(first.error).toBeUndefined();
    expect(second.error).toBeUndefined();
    await expectOneTopic(cluster, leader);
  });

  test("is read again, for what waits without records as well", async () => {
    const { cluster, leader } = await leaderOf(1);
    refuseReads(leader, 3, "later");
    const first = settled(leader.quorum.propose(createTopic(1)));
    await cluster.clock.advance(200);
    const asked = settled(leader.quorum.propose(() => NO_RECORDS));
    await cluster.clock.advance(10_000);
    expect(first.error).toBeUndefined();
    expect(asked.value).toBe("asked");
    expect(leader.events).toContain("error no room for metadata");
    await expectOneTopic(cluster, leader);
  });

  test("is not read again after the stop, which waits for nothing", async () => {
    const { cluster, leader } = await leaderOf(1);
    refuseReads(leader, Infinity, "later");
    const first = settled(leader.quorum.propose(createTopic(1)));
    await cluster.clock.advance(250); // in the middle of a pause
    const closed = settled(leader.quorum.close());
    await cluster.clock.advance(DEFAULT_TIMING.electionTimeoutMs); // what it gives to decisions
    expect(Object.keys(closed)).toEqual(["value"]);
    expect(first.error).toBeDefined();
    refuseReads(leader, Infinity, "at once");
    await cluster.clock.advance(10_000);
    expect(leader.diskFaults).toEqual([]);
  });

  test("makes the machine hear that an append did not leave", async () => {
    const { cluster, leader } = await leaderOf(2);
    const { storage, voter } = leader;
    const to = cluster.follower(leader).voter;
    const told: string[] = [];
    const sender = new RaftSender({
      storage,
      writer: { isWriting: false, written: () => Promise.resolve() } as RaftWriter,
      transport: { ...NO_TRANSPORT, send: () => void told.push("sent") },
      addressOf: () => voter,
      onLost: ({ id }) => void told.push(`lost ${id}`),
      onNoRoom: ({ kind }) => void told.push(kind),
      onFault: (fault) => void told.push(String(fault)),
    });
    refuseReads(leader, 2, "later"); // what lies in memory, and what does not
    const range = { from: toOffset(0), upTo: storage.logEndOffset };
    const append: OutgoingAppend = {
      kind: "AppendRequest",
      from: voter,
      to,
      term: 1,
      prevOffset: range.from,
      prevTerm: 0,
      entries: [{ baseOffset: range.from, nextOffset: range.upTo, term: 1, byteLength: 100 }],
      range,
      commitOffset: range.from,
      readSequence: 0,
    };
    sender.send(append);
    await cluster.clock.settle();
    expect(told).toEqual(["no-handles", `lost ${to.id}`]);
  });

  test("costs a leader nothing where a read fails at once", async () => {
    const { cluster, leader } = await leaderOf(3);
    const lagging = cluster.follower(leader);
    cluster.isolate(lagging.id);
    const first = settled(leader.quorum.propose(createTopic(1)));
    await cluster.until(() => first.value !== undefined, "it is decided by two");
    const ahead = leader.storage.logEndOffset;
    refuseReads(leader, 4, "at once");
    cluster.heal();
    await cluster.until(() => lagging.storage.logEndOffset >= ahead, "it has caught up");
    await expectOneTopic(cluster, await cluster.leader());
  });
});
