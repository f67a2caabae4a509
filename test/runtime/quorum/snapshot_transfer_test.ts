import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import type { SnapshotChunk } from "../../../src/runtime/quorum/raft_transport.ts";
import type { MemoryDisk } from "../../log/memory_disk.ts";
import { type ClusterNode, DIRECTORY, TestCluster } from "./quorum_fixture.ts";

const LIMITS = { bytesMax: 600, intervalMs: 0 };
const DECISIONS = 30;

interface Lagging {
  readonly cluster: TestCluster;
  readonly leader: ClusterNode;
  /** Of a follower that was away while the others decided, and their logs went on without it. */
  readonly id: number;
  readonly disk: MemoryDisk;
}

async function lagging(): Promise<Lagging> {
  const cluster = new TestCluster(3);
  cluster.limits = LIMITS;
  const { newDisk } = await import("./quorum_fixture.ts");
  for (const { id } of cluster.voters) await cluster.open(id, newDisk());
  const leader = await cluster.leader();
  await cluster.take(leader);
  await cluster.converge();
  const { id } = cluster.follower(leader);
  const disk = cluster.end(id, "crash");
  for (let count = 1; count < DECISIONS; count++) await cluster.take(leader);
  await cluster.until(
    () => leader.storage.log.logStartOffset > 2,
    "the leader's log begins behind the follower's end",
  );
  return { cluster, leader, id, disk };
}

function snapshotsOf(disk: MemoryDisk): readonly string[] {
  return disk.list(DIRECTORY).map(({ name }) => name).filter((name) =>
    /^\d{20}-\d{10}\.checkpoint$/.test(name)
  );
}

/** Positions of all pieces of one transfer. */
async function piecesOf(): Promise<readonly number[]> {
  const { cluster, id, disk } = await lagging();
  const positions: number[] = [];
  cluster.onChunk = (chunk, position) => {
    positions.push(position);
    return chunk;
  };
  await cluster.open(id, disk);
  await cluster.converge();
  return positions;
}

describe("a follower that is behind the log", () => {
  test("gets a snapshot, piece by piece, and goes on from there", async () => {
    const { cluster, leader, id, disk } = await lagging();
    const follower = await cluster.open(id, disk);
    expect(await cluster.converge()).toBe(DECISIONS);
    expect(follower.storage.log.logStartOffset).toBeGreaterThan(2);
    expect(await cluster.take(leader)).toBe(DECISIONS + 1);
    expect(await cluster.converge()).toBe(DECISIONS + 1);
    const again = await cluster.open(id, cluster.end(id, "crash"));
    expect(again.quorum.image.nextProducerId).toBeGreaterThan(1);
    expect(await cluster.converge()).toBe(DECISIONS + 1);
  });

  test("gets it all the same when the transfer is cut at any piece, for long or for short", async () => {
    const pieces = await piecesOf();
    expect(pieces.length).toBeGreaterThan(4);
    for (const cutAt of pieces) {
      for (const times of [1, 12]) {
        const { cluster, id, disk } = await lagging();
        let left = times;
        cluster.onChunk = (chunk, position) => {
          if (position === cutAt && left-- > 0) throw new Error("cut");
          return chunk;
        };
        await cluster.open(id, disk);
        expect(await cluster.converge()).toBe(DECISIONS);
        expect(left).toBeLessThanOrEqual(0);
      }
    }
  });

  test("may be killed or lose its power at any piece", async () => {
    const pieces = await piecesOf();
    for (const stopAt of pieces) {
      for (const how of ["kill", "crash"] as const) {
        const { cluster, id, disk } = await lagging();
        let isReached = false;
        cluster.onChunk = (chunk, position) => {
          isReached ||= position === stopAt;
          return chunk;
        };
        await cluster.open(id, disk);
        await cluster.until(() => isReached, "that piece");
        await cluster.open(id, cluster.end(id, how));
        expect(await cluster.converge()).toBe(DECISIONS);
      }
    }
  });

  test("takes no piece with a wrong CRC, and no snapshot whose content is another", async () => {
    const flip = (chunk: SnapshotChunk): Uint8Array => {
      const bytes = chunk.bytes.slice();
      bytes[7] = (bytes[7] ?? 0) ^ 4;
      return bytes;
    };
    const damages: readonly ((chunk: SnapshotChunk) => SnapshotChunk)[] = [
      (chunk) => ({ ...chunk, bytes: flip(chunk) }),
      (chunk) => ({ ...chunk, bytes: flip(chunk), crc32c: crc32cTables(flip(chunk)) }),
      (chunk) => ({ ...chunk, totalBytes: chunk.totalBytes + 1 }),
      (chunk) => ({ ...chunk, bytes: new Uint8Array(0), crc32c: 0 }),
    ];
    for (const damage of damages) {
      const { cluster, id, disk } = await lagging();
      cluster.onChunk = (chunk, position) => position >= 128 ? damage(chunk) : chunk;
      const follower = await cluster.open(id, disk);
      await cluster.clock.advance(3000);
      expect(follower.quorum.image.nextProducerId).toBeLessThanOrEqual(1);
      expect(snapshotsOf(disk)).toHaveLength(0);
      const told = follower.events.filter((event) => event.includes("could not be fetched"));
      expect(told.length).toBeGreaterThan(0);
      cluster.onChunk = (chunk) => chunk;
      expect(await cluster.converge()).toBe(DECISIONS);
    }
  });

  test("waits where it has no room for the snapshot, and has it when there is room", async () => {
    const { cluster, id, disk } = await lagging();
    disk.roomBytes = 150;
    const follower = await cluster.open(id, disk);
    await cluster.clock.advance(3000);
    expect(follower.quorum.image.nextProducerId).toBeLessThanOrEqual(1);
    expect(follower.diskFaults).toHaveLength(0);
    disk.roomBytes = Infinity;
    expect(await cluster.converge()).toBe(DECISIONS);
  });

  test("listeners hear that the image was replaced, once it is", async () => {
    const { cluster, id, disk } = await lagging();
    const follower = await cluster.open(id, disk);
    const seen: number[] = [];
    follower.quorum.onImageReplaced(() => void seen.push(follower.quorum.image.nextProducerId));
    await cluster.converge();
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBeGreaterThan(1);
  });
});

describe("snapshots of the own state", () => {
  test("are taken by bytes, the newest two kept, the log cut behind the older one", async () => {
    const cluster = new TestCluster(1);
    cluster.limits = LIMITS;
    const { newDisk, openStorage } = await import("./quorum_fixture.ts");
    const node = await cluster.open(1, newDisk());
    await cluster.leader();
    for (let count = 0; count < 40; count++) await cluster.take(node);
    await cluster.clock.settle();
    const ids = node.storage.snapshots.ids();
    expect(ids).toHaveLength(2);
    expect(snapshotsOf(node.disk)).toHaveLength(2);
    expect(node.storage.log.logStartOffset).toBe(ids[0]?.offset as number);
    expect(node.storage.log.segmentCount()).toBeLessThanOrEqual(3);
    const left = cluster.end(1, "crash");
    const { storage } = await openStorage(left.kill());
    expect(storage.found.entries.length).toBeLessThan(15);
    const again = await cluster.open(1, left);
    await cluster.leader();
    expect(again.quorum.image.nextProducerId).toBe(40);
  });

  test("are taken by time, and only where something was decided", async () => {
    const cluster = new TestCluster(1);
    cluster.limits = { bytesMax: 1 << 30, intervalMs: 1000 };
    const { newDisk } = await import("./quorum_fixture.ts");
    const node = await cluster.open(1, newDisk());
    await cluster.leader();
    await cluster.clock.advance(5000);
    expect(node.storage.snapshots.ids()).toHaveLength(0);
    await cluster.take(node);
    await cluster.clock.advance(900);
    expect(node.storage.snapshots.ids()).toHaveLength(0);
    await cluster.clock.advance(200);
    expect(node.storage.snapshots.ids()).toHaveLength(1);
    await cluster.clock.advance(5000);
    expect(node.storage.snapshots.ids()).toHaveLength(1);
  });

  test("wait for room, and cost nothing else", async () => {
    const cluster = new TestCluster(1);
    cluster.limits = LIMITS;
    const { newDisk } = await import("./quorum_fixture.ts");
    const node = await cluster.open(1, newDisk());
    await cluster.leader();
    node.disk.failNext("rename", "no-space", true);
    for (let count = 1; count <= 20; count++) expect(await cluster.take(node)).toBe(count);
    expect(node.storage.snapshots.ids()).toHaveLength(0);
    expect(node.diskFaults).toHaveLength(0);
    expect(node.storage.log.logStartOffset).toBe(0 as never);
    node.disk.healFaults();
    await cluster.clock.advance(61_000);
    await cluster.take(node);
    await cluster.clock.settle();
    expect(node.storage.snapshots.ids()).toHaveLength(1);
  });
});
