/**
 * A node whose image is fed from elsewhere as well (`Observing`) took a snapshot while the other side's
 * batch was being told to its listeners: the image had the batch already, the applied offset did not say
 * so, and the snapshot held more than its name. Read again, the batch came a second time: what may come
 * once only (a topic) is refused then, at every start.
 */
import { expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { BatchWalk } from "../../src/record/batch_walk.ts";
import { newDisk, takeNumber, TestCluster } from "../runtime/quorum/quorum_fixture.ts";

const INTERVAL_MS = 60_000;

test("a snapshot holds what its name says, also where another side feeds the image", async () => {
  const cluster = new TestCluster(3);
  cluster.limits = { bytesMax: 1 << 30, intervalMs: INTERVAL_MS };
  // deno-lint-ignore no-await-in-loop -- one after the other
  for (const { id } of cluster.voters) await cluster.open(id, newDisk());
  const leader = await cluster.leader();
  const node = cluster.node(leader.id % 3 + 1);
  await cluster.clock.until(leader.quorum.propose(takeNumber));
  await cluster.clock.advance(1000);
  expect(node.quorum.image.nextProducerId).toBe(1);
  const before = node.quorum.appliedOffset;

  for (const { id } of cluster.voters) cluster.cuts.add(`${id}>${node.id}`);
  await cluster.clock.until(leader.quorum.propose(takeNumber));
  let goOn = (): void => undefined;
  node.quorum.onReplayed(() => new Promise((resolve) => goOn = resolve));
  const bytes = await leader.storage.read(before, leader.quorum.appliedOffset, 1 << 20);
  const walk = new BatchWalk(bytes as Uint8Array);
  walk.next();
  const applied = node.quorum.state.apply(walk.batch);
  await cluster.clock.advance(2 * INTERVAL_MS);
  goOn();
  await applied;
  await cluster.clock.advance(1000);
  expect(node.quorum.appliedOffset).toBe(toOffset(before + 1));

  expect(leader.storage.snapshots.ids().length).toBeGreaterThan(0);
  for (const id of node.storage.snapshots.ids()) {
    // deno-lint-ignore no-await-in-loop
    const { records } = await node.storage.snapshots.load(id);
    const [number] = records.flatMap((record) => {
      return record.kind === "producer-ids" ? [record.nextProducerId] : [];
    });
    expect([id.offset, number]).toEqual([before, 1]);
  }
});
