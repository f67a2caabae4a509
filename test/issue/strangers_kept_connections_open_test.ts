/**
 * A node answers whoever sends it Raft messages, on a connection of its own to where that one says it
 * can be reached. Those were never given up: each new name cost a connection and memory for ever.
 */
import { expect, test } from "bun:test";
import { addressOf, keyOf, peersOf, World } from "../runtime/peers/fake_node.ts";
import { vote } from "../runtime/peers/two_nodes.ts";

const STRANGERS = 300;
const OPEN_MAX = 64;

test("whoever is told Raft messages has nothing large to say", async () => {
  const world = new World();
  let isClosed = false;
  await world.network.listen(addressOf(2), (stream) => {
    stream.listen({
      onBytes: () => void stream.write(Uint8Array.of(0, 2, 0, 0, 0, 0, 0, 1)), // 128 KiB to come
      onDrain: () => undefined,
      onClose: () => {
        isClosed = true;
      },
    });
  });
  const { peers, refusals } = peersOf(world, 1);
  peers.send({ ...keyOf(2), ...addressOf(2) }, vote(1, 2, 3));
  await world.clock.settle();
  expect([isClosed, refusals.countOf("oversized")]).toEqual([true, 1]);
  peers.close();
});

test("connections to strangers are given up for those to others", async () => {
  const world = new World();
  let openCount = 0;
  await world.network.listen(addressOf(2), (stream) => {
    openCount++;
    stream.listen({
      onBytes: () => undefined,
      onDrain: () => undefined,
      onClose: () => openCount--,
    });
  });
  const { peers } = peersOf(world, 1);
  for (let count = 0; count < STRANGERS; count++) {
    const key = { ...keyOf(2), directoryId: keyOf(count % 256).directoryId, id: 1000 + count };
    peers.send({ ...key, ...addressOf(2) }, { ...vote(1, 2, 3), to: key });
    // deno-lint-ignore no-await-in-loop -- one after the other
    await world.clock.settle();
  }
  expect(openCount).toBeGreaterThan(0);
  expect(openCount).toBeLessThanOrEqual(OPEN_MAX);
  peers.close();
  await world.clock.settle();
  expect(openCount).toBe(0);
});
