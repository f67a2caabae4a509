/** Raft's messages on their way: gathered, dropped, and the link under them watched. */
import { describe, expect, test } from "bun:test";
import { addressOf, keyOf, peersOf, voterOf, World } from "./fake_node.ts";
import { twoNodes, vote } from "./two_nodes.ts";

describe("Peers.send()", () => {
  test("sends what one turn has to say in one frame, in order", async () => {
    const { world, node, peers } = await twoNodes();
    peers.send(voterOf(2), vote(1, 2, 1));
    await world.clock.settle();
    const before = node.frames;
    for (let term = 2; term <= 5; term++) peers.send(voterOf(2), vote(1, 2, term));
    await world.clock.settle();
    expect(node.frames).toBe(before + 1);
    expect(node.received.map(({ term }) => term)).toEqual([1, 2, 3, 4, 5]);
    expect(node.received[0]?.from).toEqual(keyOf(1));
    expect(node.received[0]?.to).toEqual(keyOf(2));
  });

  test("drops while the peer cannot be reached, and says so later, never from within", async () => {
    const world = new World();
    const { peers } = peersOf(world, 1);
    const lost: number[] = [];
    for (let term = 1; term <= 3; term++) {
      peers.send(voterOf(2), vote(1, 2, term), () => void lost.push(term));
      expect(lost).toHaveLength(0);
    }
    await world.clock.settle();
    expect(lost).toEqual([1, 2, 3]);
    peers.send(voterOf(2), vote(1, 2, 4), () => void lost.push(4));
    expect(lost).toHaveLength(3);
    await world.clock.settle();
    expect(lost).toEqual([1, 2, 3, 4]);
    expect(world.network.dials.get("node:9002")).toBe(1);
  });

  test("keeps the youngest where too much waits for a connection", async () => {
    const { world, node, peers } = await twoNodes();
    for (let term = 1; term <= 300; term++) peers.send(voterOf(2), vote(1, 2, term));
    await world.clock.settle();
    expect(node.received.map(({ term }) => term)).toEqual(
      Array.from({ length: 256 }, (_, index) => 45 + index),
    );
    expect(peers.droppedCount).toBe(44);
  });

  test("finds out that a link is cut, and that it is whole again", async () => {
    const { world, node, peers } = await twoNodes();
    const sendFor = async (ms: number): Promise<void> => {
      for (let time = 0; time < ms; time += 100) {
        peers.send(voterOf(2), vote(1, 2, 1));
        await world.clock.advance(100);
      }
    };
    await sendFor(5000);
    expect(world.network.dials.get("node:9002")).toBe(1);
    expect(node.received).toHaveLength(50);
    node.isDeaf = true;
    await sendFor(10_000);
    expect(world.network.dials.get("node:9002") ?? 0).toBeGreaterThan(2);
    node.isDeaf = false;
    await sendFor(4000);
    const received = node.received.length;
    await sendFor(1000);
    expect(node.received.length).toBe(received + 10);
  });

  test("asks for no sign of life where nothing is said", async () => {
    const { world, node, peers } = await twoNodes();
    peers.send(voterOf(2), vote(1, 2, 1));
    await world.clock.advance(60_000);
    expect(node.frames).toBe(2);
  });

  test("follows a voter that has moved", async () => {
    const { world, node, peers } = await twoNodes();
    await node.listen(7);
    peers.send({ ...voterOf(2), port: 9099 }, vote(1, 2, 1));
    await world.clock.advance(100);
    peers.send({ ...voterOf(2), ...addressOf(7) }, vote(1, 2, 2));
    await world.clock.advance(100);
    expect(node.received.map(({ term }) => term)).toEqual([2]);
  });
});
