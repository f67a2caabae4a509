/** Outgoing connections between nodes: over a network in memory, with all that may happen to it. */
import { describe, expect, test } from "bun:test";
import { allocateProducerIds } from "../../../src/api/own/allocate_producer_ids.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { snapshotFetch } from "../../../src/api/own/snapshot_fetch.ts";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { toOffset } from "../../../src/ground/numbers.ts";
import { addressOf, keyOf, peersOf, voterOf, World } from "./fake_node.ts";
import { BLOCK, faultOf, twoNodes, vote } from "./two_nodes.ts";

const ASKED = { brokerId: 1, brokerEpoch: 5 };
const TIMEOUT = { timeoutMs: 1000 };

describe("Peers.call()", () => {
  test("says Hello first, and tells who leads", async () => {
    const { world, node, peers, heard } = await twoNodes();
    node.leader = { leaderId: 2, term: 7 };
    const answer = await world.clock.until(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    expect(answer).toEqual(BLOCK);
    expect(node.greeted).toEqual([{
      nodeId: 1,
      directoryId: keyOf(1).directoryId,
      release: "test",
      roles: ["broker", "controller"],
    }]);
    expect(heard).toEqual(["2 in 7"]);
  });

  test("works byte by byte", async () => {
    const { world, node, peers } = await twoNodes();
    world.network.pieceBytes = 1;
    peers.send(voterOf(2), vote(1, 2, 3));
    const calls = [1, 2, 3].map(() => peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    expect(await world.clock.until(Promise.all(calls))).toEqual([BLOCK, BLOCK, BLOCK]);
    expect(node.received).toEqual([vote(1, 2, 3)]);
  });

  test("dials once for calls that come together, and pipelines them", async () => {
    const { world, node, peers } = await twoNodes();
    const order: number[] = [];
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    node.serve(allocateProducerIds, async ({ brokerId }) => {
      order.push(brokerId);
      await gate;
      return { ...BLOCK, count: brokerId };
    });
    const calls = [1, 2, 3].map((brokerId) =>
      peers.call(2, allocateProducerIds, { brokerId, brokerEpoch: 0 }, TIMEOUT)
    );
    await world.clock.settle();
    expect(order).toEqual([1, 2, 3]);
    open();
    const answers = await world.clock.until(Promise.all(calls));
    expect(answers.map(({ count }) => count)).toEqual([1, 2, 3]);
    expect(world.network.dials.get("node:9002")).toBe(1);
  });

  test("fails when the connection is lost, and says whether it had been sent", async () => {
    const { world, node, peers } = await twoNodes();
    node.serve(allocateProducerIds, () => new Promise(() => undefined));
    const sent = faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    await world.clock.settle();
    node.drop();
    const fault = await world.clock.until(sent);
    expect([fault.kind, fault.wasSent]).toEqual(["closed", true]);
    const refused = await faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    expect([refused.kind, refused.wasSent]).toEqual(["closed", false]); // it may not dial yet
    await world.clock.advance(30);
    node.serve(allocateProducerIds, () => BLOCK);
    const again = peers.call(2, allocateProducerIds, ASKED, TIMEOUT);
    expect(await world.clock.until(again)).toEqual(BLOCK);
  });

  test("gives up a connection on which an answer is overdue", async () => {
    const { world, node, peers } = await twoNodes();
    await world.clock.until(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    node.isDeaf = true;
    const fault = await world.clock.until(
      faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT)),
    );
    expect([fault.kind, fault.wasSent]).toEqual(["timeout", true]);
    expect(node.connectionCount).toBe(0);
  });

  test("gives up on a node that takes connections and says nothing", async () => {
    const { world, node, peers } = await twoNodes();
    node.isDeaf = true;
    const fault = await world.clock.until(
      faultOf(peers.call(2, allocateProducerIds, ASKED, { timeoutMs: 60_000 })),
    );
    expect([fault.kind, fault.wasSent]).toEqual(["timeout", false]);
    expect(world.clock.monotonicMs()).toBe(3000); // two seconds for Hello
  });

  test("dials ever less often a node that is not there, and at once when it was heard of", async () => {
    const world = new World();
    const { peers } = peersOf(world, 1);
    const dials = (): number => world.network.dials.get("node:9002") ?? 0;
    for (let time = 0; time < 10_000; time += 10) {
      const fault = await faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
      expect([fault.kind, fault.wasSent]).toEqual(["refused", false]);
      await world.clock.advance(10);
    }
    expect(dials()).toBeGreaterThan(10);
    expect(dials()).toBeLessThan(20);
    const before = dials();
    await faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    expect(dials()).toBe(before);
    peers.onHeardFrom(3);
    await faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    expect(dials()).toBe(before);
    peers.onHeardFrom(2);
    await faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    expect(dials()).toBe(before + 1);
  });

  test("fails where the address of the node is not known", async () => {
    const { peers } = peersOf(new World(), 1, { addressOf: () => undefined });
    const fault = await faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    expect([fault.kind, fault.wasSent]).toEqual(["not-found", false]);
  });

  test("bounds the calls that wait", async () => {
    const { world, node, peers } = await twoNodes();
    node.isDeaf = true;
    const calls = Array.from(
      { length: 1030 },
      () => faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT)),
    );
    const faults = await world.clock.until(Promise.all(calls));
    expect(faults.filter(({ kind }) => kind === "io")).toHaveLength(6);
  });

  test("close() fails what is under way, and what comes later", async () => {
    const { world, node, peers } = await twoNodes();
    node.isDeaf = true;
    const first = faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    await world.clock.settle();
    peers.close();
    expect((await first).kind).toBe("closed");
    const later = await faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
    expect([later.kind, later.wasSent]).toEqual(["closed", false]);
    await world.clock.settle();
    expect(node.connectionCount).toBe(0);
  });
});

describe("Peers and who answers", () => {
  test("a node of another cluster is refused on both sides", async () => {
    const { world, node, peers, refusals } = await twoNodes({ clusterId: "another" });
    const fault = await world.clock.until(
      faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT)),
    );
    expect([fault.kind, fault.wasSent]).toEqual(["refused", false]);
    expect(node.refusals.countOf("other-cluster")).toBe(1);
    expect(refusals.countOf("other-cluster")).toBe(1);
    expect(node.sessions[0]?.peer).toBeUndefined();
  });

  test("a node with another directory id is refused on both sides, and hears no message", async () => {
    const { world, node, peers, refusals } = await twoNodes();
    const lost: number[] = [];
    const to = { ...voterOf(2), directoryId: keyOf(9).directoryId };
    peers.send(to, vote(1, 2, 3), () => void lost.push(3));
    await world.clock.settle();
    expect(node.refusals.countOf("unexpected-identity")).toBe(1);
    expect(refusals.countOf("unexpected-identity")).toBe(1);
    expect([lost, node.received, peers.droppedCount]).toEqual([[3], [], 1]);
  });

  test("one that does not notice who it is told to be is refused here", async () => {
    const { world, peers, refusals } = await twoNodes({ addressOf: () => addressOf(2) });
    await world.clock.until(faultOf(peers.call(3, allocateProducerIds, ASKED, TIMEOUT)));
    expect(refusals.countOf("unexpected-identity")).toBe(1);
  });

  test("a node does not talk to itself", async () => {
    const { world, node } = await twoNodes();
    const own = peersOf(world, 2);
    await world.clock.until(
      faultOf(own.peers.callAt(addressOf(2), allocateProducerIds, ASKED, TIMEOUT)),
    );
    expect(node.refusals.countOf("own-identity")).toBe(1);
    expect(own.refusals.countOf("own-identity")).toBe(1);
  });

  test("callAt() takes whoever of the cluster is there", async () => {
    const { world, peers } = await twoNodes();
    const call = peers.callAt(addressOf(2), allocateProducerIds, ASKED, TIMEOUT);
    expect(await world.clock.until(call)).toEqual(BLOCK);
  });

  test("a node that was found at an address can then be called by its id", async () => {
    const { world, peers } = await twoNodes({ addressOf: () => undefined });
    await world.clock.until(faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT)));
    await world.clock.until(peers.callAt(addressOf(2), allocateProducerIds, ASKED, TIMEOUT));
    const call = peers.call(2, allocateProducerIds, ASKED, TIMEOUT);
    expect(await world.clock.until(call)).toEqual(BLOCK);
  });

  const rubbish: readonly (readonly [string, readonly number[], "garbage" | "oversized"])[] = [
    ["an answer that nobody asked for", [0, 0, 0, 5, 0, 0, 0, 99, 0xc0], "garbage"],
    ["an answer of another shape", [0, 0, 0, 5, 0, 0, 0, 2, 0x05], "garbage"],
    ["an answer that is no msgpack", [0, 0, 0, 5, 0, 0, 0, 2, 0xc1], "garbage"],
    ["a frame without an end", [0x7f, 0xff, 0xff, 0xff, 0], "oversized"],
    ["a frame that is too short", [0, 0, 0, 1, 0], "garbage"],
    ["another protocol", [...new TextEncoder().encode("HTTP/1.1 400 Bad Request")], "garbage"],
  ];
  for (const [what, bytes, reason] of rubbish) {
    test(`${what} ends the connection`, async () => {
      const { world, node, peers, refusals } = await twoNodes();
      node.serve(allocateProducerIds, () => new Promise(() => undefined));
      const call = faultOf(peers.call(2, allocateProducerIds, ASKED, TIMEOUT));
      await world.clock.settle();
      node.say(Uint8Array.from(bytes));
      const fault = await world.clock.until(call);
      expect([fault.kind, fault.wasSent]).toEqual(["refused", true]);
      expect(refusals.countOf(reason)).toBe(1);
      expect(node.connectionCount).toBe(0);
    });
  }
});

describe("Peers.fetchSnapshot()", () => {
  const snapshot = { offset: toOffset(100), term: 3 };
  const bytes = Uint8Array.of(1, 2, 3);
  const piece = { errorCode: 0, bytes, totalBytes: 9, crc32c: crc32cTables(bytes) };

  test("gives a piece whose CRC is right", async () => {
    const { world, node, peers } = await twoNodes();
    node.serve(snapshotFetch, ({ position }) => ({ ...piece, totalBytes: 9 + position }));
    const chunk = await world.clock.until(peers.fetchSnapshot(voterOf(2), snapshot, 6));
    expect(chunk).toEqual({ bytes, totalBytes: 15, crc32c: piece.crc32c });
  });

  test("refuses a piece whose CRC is wrong, and a snapshot that is gone", async () => {
    const { world, node, peers, refusals } = await twoNodes();
    node.serve(snapshotFetch, () => ({ ...piece, crc32c: 1 }));
    const wrong = faultOf(peers.fetchSnapshot(voterOf(2), snapshot, 0));
    expect((await world.clock.until(wrong)).kind).toBe("io");
    expect(refusals.countOf("corrupt")).toBe(1);
    node.serve(snapshotFetch, () => ({ ...piece, errorCode: ErrorCode.SnapshotNotFound }));
    const gone = await world.clock.until(faultOf(peers.fetchSnapshot(voterOf(2), snapshot, 0)));
    expect(gone.message).toBe(
      "Cannot fetch snapshot 100-3 of node 2: SNAPSHOT_NOT_FOUND",
    );
  });
});
