/** Requests on their way to the active controller: what is too large, takes long, or is overtaken. */
import { describe, expect, test } from "bun:test";
import { addRaftVoter } from "../../src/api/add_raft_voter.ts";
import { createTopics } from "../../src/api/create_topics.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { forward, type ForwardResponse } from "../../src/api/own/forward.ts";
import type { RequestInput } from "../../src/api/schema.ts";
import { ownRequests } from "../../src/broker/own_requests.ts";
import { concat } from "../../src/ground/concat.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { NotController } from "../../src/runtime/quorum/not_controller.ts";
import { requestFrame } from "../../src/wire/message.ts";
import { CLUSTER_ID, TestCluster, type TestNode } from "./cluster_fixture.ts";

const PEER_BYTES_MAX = 1024 * 1024;
const SMALL_FRAMES = { "mq.peer.request.max.bytes": String(PEER_BYTES_MAX) };

type NewTopics = RequestInput<typeof createTopics>;

function creating(names: readonly string[], parts: Partial<NewTopics> = {}): NewTopics {
  const topics = names.map((name) => ({
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  }));
  return { topics, timeoutMs: 5000, validateOnly: false, ...parts };
}

async function followerOf(cluster: TestCluster): Promise<TestNode> {
  const leader = await cluster.untilLeader();
  return cluster.nodes.find((node) => node !== leader) as TestNode;
}

describe("a request that is forwarded", () => {
  test("and too large is refused, and so is one whose answer would be", async () => {
    const cluster = await TestCluster.start({ settings: SMALL_FRAMES });
    const node = await followerOf(cluster);
    const [topic] = creating(["large"]).topics;
    const value = "x".repeat(30_000);
    const configs = Array.from({ length: 40 }, () => ({ name: "retention.ms", value }));
    const large = await cluster.ask(node, createTopics, 7, {
      ...creating([]),
      topics: [{ ...topic as NonNullable<typeof topic>, configs }],
    });
    expect(large.topics[0]?.errorCode).toBe(ErrorCode.PolicyViolation);
    expect(large.topics[0]?.errorMessage).toContain("mq.peer.request.max.bytes = 1048576");
    // The answer tells all settings of each topic.
    const names = Array.from({ length: 1000 }, (_, index) => `t${index}`);
    const many = creating(names, { validateOnly: true });
    const answered = await cluster.ask(node, createTopics, 7, many);
    expect(new Set(answered.topics.map(({ errorCode }) => errorCode)))
      .toEqual(new Set([ErrorCode.PolicyViolation]));
    for (const { events } of cluster.nodes) {
      expect(events.filter((event) => event.includes("oversized"))).toEqual([]);
    }
    expect(await cluster.createTopic(node, "small")).toBe(ErrorCode.None);
    cluster.haltAll();
  });

  test("and takes long keeps no heartbeat waiting", async () => {
    const settings = { "broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500" };
    const cluster = await TestCluster.start({ voters: [1], settings });
    const broker = cluster.prepare(4, { "process.roles": "broker" });
    await cluster.until(broker.start());
    const startMs = cluster.clock.monotonicMs();
    // Nobody is there: the change is given up when the time is over.
    const asking = cluster.ask(broker, addRaftVoter, 0, {
      clusterId: CLUSTER_ID,
      timeoutMs: 8000,
      voterId: 9,
      voterDirectoryId: `${ZERO_UUID.slice(0, -1)}Q` as typeof ZERO_UUID,
      listeners: [{ name: "CONTROLLER", host: "127.0.0.1", port: 9 }],
    });
    let isFenced = false;
    cluster.node(1).broker.metadata?.onReplayed((record) => {
      if (record.kind === "broker-change" && record.isFenced === true) isFenced = true;
    });
    const { errorCode } = await asking;
    expect(errorCode).not.toBe(ErrorCode.None);
    expect(cluster.clock.monotonicMs() - startMs).toBeGreaterThan(7900);
    expect(isFenced).toBeFalse();
    expect(broker.broker.state).toBe("serving");
    cluster.haltAll();
  });

  test("and whose client has gone is decided, and harms nobody", async () => {
    const cluster = await TestCluster.start();
    const node = await followerOf(cluster);
    const leader = await cluster.untilLeader();
    leader.halt();
    const connection = await node.dial();
    connection.send(createTopics, 7, creating(["left-behind"]));
    await cluster.clock.advance(20);
    await connection.close();
    await cluster.untilLeader();
    const image = node.broker.metadata?.image;
    await cluster.untilTrue(() => image?.topic("left-behind") !== undefined, "the topic");
    expect(await cluster.createTopic(node, "left-behind")).toBe(ErrorCode.TopicAlreadyExists);
    cluster.haltAll();
  });

  test("and whose controller ends meanwhile is answered by what is true", async () => {
    for (let delayMs = 0; delayMs <= 3; delayMs++) {
      // deno-lint-ignore no-await-in-loop -- one cluster after the other
      const errorCode = await overtaken(delayMs);
      expect([ErrorCode.None, ErrorCode.RequestTimedOut] as number[]).toContain(errorCode);
    }
  });
});

/** The leader ends so long after the request has come: the error code, checked against the topics. */
async function overtaken(delayMs: number): Promise<number> {
  const cluster = await TestCluster.start({ seed: 100 + delayMs });
  const node = await followerOf(cluster);
  const leader = await cluster.untilLeader();
  const connection = await node.dial();
  connection.send(createTopics, 7, creating(["t"]));
  if (delayMs > 0) await cluster.clock.advance(delayMs);
  leader.halt();
  await cluster.untilTrue(() => connection.answerCount > 0, "an answer");
  const errorCode = connection.answer(createTopics, 7).topics[0]?.errorCode ?? -1;
  await cluster.untilLeader();
  const again = await cluster.createTopic(node, "t");
  if (errorCode === ErrorCode.None) expect(again).toBe(ErrorCode.TopicAlreadyExists);
  else expect([ErrorCode.None, ErrorCode.TopicAlreadyExists] as number[]).toContain(again);
  await connection.close();
  cluster.haltAll();
  return errorCode;
}

describe("the active controller", () => {
  const frameOf = (apiVersion: number): Uint8Array => {
    const header = { apiVersion: 7, correlationId: 1, clientId: "c" };
    const parts = requestFrame(createTopics, header, creating(["t"])) as Uint8Array[];
    const frame = concat(parts).slice(4);
    new DataView(frame.buffer).setInt16(2, apiVersion);
    return frame;
  };

  function answerTo(
    frame: Uint8Array,
    onForwarded: () => Promise<Uint8Array | undefined>,
    isLeader = true,
  ): Promise<ForwardResponse> {
    const quorum = { isLeader, leader: () => ({ id: 3, term: 1 }), appliedOffset: 17 };
    const handlers = ownRequests({
      controller: undefined as never,
      server: undefined as never,
      refusals: { add: () => undefined },
      trace: { event: () => undefined },
      quorum: quorum as never,
      frameBytesMax: 1000,
      onForwarded: () => onForwarded,
    });
    const peer = { nodeId: 2, directoryId: ZERO_UUID, release: "1", roles: [] };
    return handlers.get(forward.key)?.handle({ frame, clientId: "c" }, peer) as never;
  }

  const answering = (length: number) => () => Promise.resolve(new Uint8Array(length));

  test("tells with its answer how far one must be to know of it", async () => {
    const { errorCode, metadataOffset, frame } = await answerTo(frameOf(7), answering(700));
    expect([errorCode, metadataOffset, frame.length]).toEqual([ErrorCode.None, 17, 700]);
  });

  test("says why it has no answer", async () => {
    const codeOf = async (answer: Promise<ForwardResponse>): Promise<number> =>
      (await answer).errorCode;
    const none = (): Promise<undefined> => Promise.resolve(undefined);
    expect(await codeOf(answerTo(frameOf(99), none))).toBe(ErrorCode.UnsupportedVersion);
    expect(await codeOf(answerTo(frameOf(7), none))).toBe(ErrorCode.InvalidRequest);
    expect(await codeOf(answerTo(Uint8Array.of(1), none))).toBe(ErrorCode.UnsupportedVersion);
    expect(await codeOf(answerTo(frameOf(7), answering(900)))).toBe(ErrorCode.PolicyViolation);
    const failing = (isDefinite: boolean) => () => Promise.reject(new NotController(3, isDefinite));
    expect(await codeOf(answerTo(frameOf(7), failing(true)))).toBe(ErrorCode.NotController);
    expect(await codeOf(answerTo(frameOf(7), failing(false)))).toBe(ErrorCode.RequestTimedOut);
    const elsewhere = await answerTo(frameOf(7), answering(1), false);
    expect([elsewhere.errorCode, elsewhere.leaderId]).toEqual([ErrorCode.NotController, 3]);
  });
});
