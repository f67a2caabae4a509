import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { toOffset } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { uuidFromBytes, ZERO_UUID } from "../../../src/ground/uuid.ts";
import { MetadataFollower } from "../../../src/runtime/quorum/metadata_follower.ts";
import { MetadataServer } from "../../../src/runtime/quorum/metadata_server.ts";
import type { MetadataSource } from "../../../src/runtime/quorum/metadata_source.ts";
import { MetadataCorrupt } from "../../../src/runtime/quorum/not_controller.ts";
import { encodeRecords } from "../../../src/runtime/quorum/quorum_batches.ts";
import { BatchWalk } from "../../../src/record/batch_walk.ts";
import { type ClusterNode, newDisk, takeNumber, TestCluster } from "./quorum_fixture.ts";

interface Followed {
  readonly cluster: TestCluster;
  readonly leader: ClusterNode;
  readonly server: MetadataServer;
  readonly corrupt: Error[];
  /** Calls of `fetch`. */
  readonly polls: () => number;
  /** What the next answers go through. */
  source: MetadataSource;
  follow(): MetadataFollower;
}

async function followed(bytesMax = 1 << 30): Promise<Followed> {
  const cluster = new TestCluster(1);
  cluster.limits = { bytesMax, intervalMs: 0 };
  const leader = await cluster.open(1, newDisk());
  await cluster.leader();
  const server = new MetadataServer(leader.quorum.node, { clock: cluster.clock });
  const corrupt: Error[] = [];
  let polls = 0;
  const found: Followed = {
    cluster,
    leader,
    server,
    corrupt,
    polls: () => polls,
    source: {
      fetch: (request) => server.fetch(request),
      fetchSnapshot: (request) => server.snapshotChunk({ ...request, bytesMax: 64 }),
    },
    follow: () => {
      const follower = new MetadataFollower({
        clock: cluster.clock,
        random: new Prng(1),
        trace: { event: () => undefined },
        crc32c: crc32cTables,
        source: {
          fetch: (request) => {
            polls++;
            return found.source.fetch(request);
          },
          fetchSnapshot: (request) => found.source.fetchSnapshot(request),
        },
        nodeId: 9,
        incarnationId: ZERO_UUID,
        onCorrupt: (fault) => void corrupt.push(fault),
      });
      follower.start();
      return follower;
    },
  };
  return found;
}

describe("MetadataFollower", () => {
  test("has what is committed, and hears of each record with its offset", async () => {
    const { cluster, leader, follow } = await followed();
    for (let count = 0; count < 5; count++) await cluster.take(leader);
    const follower = follow();
    await cluster.clock.until(follower.caughtUp());
    expect(follower.image.nextProducerId).toBe(5);
    expect(follower.leader()?.id).toBe(1);
    const heard: number[] = [];
    follower.onReplayed((_record, offset) => void heard.push(offset));
    await cluster.take(leader);
    await cluster.clock.settle();
    expect(follower.image.nextProducerId).toBe(6);
    expect(heard).toEqual([leader.storage.logEndOffset - 1]);
  });

  test("polls once for nothing, and is told at once of something", async () => {
    const { cluster, leader, follow, polls } = await followed();
    const follower = follow();
    await cluster.clock.until(follower.caughtUp());
    const before = polls();
    await cluster.clock.advance(4000);
    expect(polls() - before).toBeLessThanOrEqual(1);
    const next = toOffset(leader.storage.logEndOffset + 1);
    const applied = follower.whenApplied(next, 1000);
    await cluster.take(leader);
    await cluster.clock.settle();
    expect(await applied).toBeTrue();
    expect(await cluster.clock.until(follower.whenApplied(toOffset(1000), 50))).toBeFalse();
  });

  test("gets a snapshot where it is far behind, and nothing below it", async () => {
    const { cluster, leader, follow } = await followed(600);
    for (let count = 0; count < 30; count++) await cluster.take(leader);
    await cluster.clock.settle();
    expect(leader.storage.log.logStartOffset).toBeGreaterThan(0);
    const follower = follow();
    let replaced = 0;
    follower.onImageReplaced(() => void replaced++);
    await cluster.clock.until(follower.caughtUp());
    expect(follower.image.nextProducerId).toBe(30);
    expect(follower.appliedOffset).toBe(leader.quorum.appliedOffset);
    expect(replaced).toBe(1);
  });

  test("goes on when a controller is away, with longer and longer pauses", async () => {
    const found = await followed();
    const { cluster, leader, follow, polls } = found;
    const { source } = found;
    const follower = follow();
    await cluster.clock.until(follower.caughtUp());
    found.source = { ...source, fetch: () => Promise.reject(new Error("away")) };
    await cluster.take(leader); // ends the poll under way
    await cluster.clock.settle();
    await cluster.take(leader);
    const before = polls();
    await cluster.clock.advance(20_000);
    expect(polls() - before).toBeLessThan(60);
    expect(follower.image.nextProducerId).toBeLessThan(2);
    found.source = source;
    await cluster.clock.advance(2000);
    expect(follower.image.nextProducerId).toBe(2);
  });

  test("applies nothing of an answer that is not what it says", async () => {
    const found = await followed();
    const { cluster, leader, follow } = found;
    const { source } = found;
    await cluster.take(leader);
    found.source = {
      ...source,
      fetch: async (request) => {
        const answer = await source.fetch(request);
        const records = answer.records?.slice();
        if (records === undefined) return answer;
        records[records.length - 1] = (records.at(-1) ?? 0) ^ 1;
        return { ...answer, records };
      },
    };
    const follower = follow();
    await cluster.clock.advance(5000);
    expect(follower.appliedOffset).toBe(toOffset(0));
    expect(found.corrupt).toHaveLength(0);
    found.source = source;
    await cluster.clock.advance(2000);
    expect(follower.image.nextProducerId).toBe(1);
  });

  test("stops at a record of an unknown kind, and says which", async () => {
    const found = await followed();
    const { cluster, follow, corrupt } = found;
    const strange = [{ kind: "from-the-future", version: 0 } as never];
    const place = { baseOffset: 0, term: 1, timestamp: 1 };
    const records = encodeRecords(strange, place, crc32cTables);
    found.source = {
      ...found.source,
      fetch: () =>
        Promise.resolve({
          errorCode: ErrorCode.None,
          term: 1,
          commitOffset: toOffset(1),
          records,
        }),
    };
    const follower = follow();
    await cluster.clock.advance(100);
    expect(corrupt).toHaveLength(1);
    expect(corrupt[0]).toBeInstanceOf(MetadataCorrupt);
    expect(corrupt[0]?.message).toContain("from-the-future");
    expect(follower.appliedOffset).toBe(toOffset(0));
  });
});

describe("MetadataServer", () => {
  test("serves nothing that is not committed", async () => {
    const cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    await cluster.converge();
    const offset = leader.storage.logEndOffset;
    cluster.isolate(leader.id);
    leader.quorum.propose(takeNumber).catch(() => undefined);
    await cluster.clock.settle();
    expect(leader.storage.logEndOffset).toBeGreaterThan(offset);
    const server = new MetadataServer(leader.quorum.node, { clock: cluster.clock });
    const request = { lastTerm: 1, bytesMax: 1000, waitMs: 0, nodeId: 4, incarnationId: ZERO_UUID };
    const [before, behind] = [toOffset(offset - 1), offset];
    const last = await server.fetch({ ...request, offset: before });
    expect(last.commitOffset).toBe(offset);
    const served = new BatchWalk(last.records ?? new Uint8Array(0));
    let end = 0;
    while (served.next()) end = served.batch.nextOffset();
    expect(end).toBe(offset);
    expect((await server.fetch({ ...request, offset: behind })).records).toBeUndefined();
  });

  test("answers a poll in its time, or when the node asks again, or at the stop", async () => {
    const { cluster, leader, server } = await followed();
    const ask = (waitMs: number): Promise<unknown> =>
      server.fetch({
        offset: leader.storage.logEndOffset,
        lastTerm: 1,
        bytesMax: 1000,
        waitMs,
        nodeId: 4,
        incarnationId: ZERO_UUID,
      });
    let answered = 0;
    const note = (): number => answered++;
    void ask(500).then(note);
    await cluster.clock.advance(400);
    expect(answered).toBe(0);
    await cluster.clock.advance(200);
    expect(answered).toBe(1);
    void ask(5000).then(note);
    void ask(5000).then(note);
    await cluster.clock.settle();
    expect(answered).toBe(2);
    server.stop();
    await cluster.clock.settle();
    expect(answered).toBe(3);
  });

  test("lets two nodes of one id poll beside each other", async () => {
    const { cluster, leader, server } = await followed();
    let answered = 0;
    for (const incarnationId of [uuidFromBytes(new Uint8Array(16).fill(1)), ZERO_UUID]) {
      const place = { offset: leader.storage.logEndOffset, lastTerm: 1, bytesMax: 1000 };
      void server.fetch({ ...place, waitMs: 5000, nodeId: 4, incarnationId }).then(() =>
        answered++
      );
    }
    await cluster.clock.advance(4900);
    expect(answered).toBe(0);
    await cluster.clock.advance(200);
    expect(answered).toBe(2);
  });

  test("refuses a place inside a batch, a term that it never had, a snapshot that it has not", async () => {
    const { cluster, leader, server } = await followed();
    await cluster.clock.until(leader.quorum.propose((image) => {
      const nextProducerId = image.nextProducerId + 1;
      const record = { kind: "producer-ids", version: 0, brokerId: 1, nextProducerId } as const;
      return { records: [record, record, record], reply: 0 };
    }));
    const end = leader.storage.logEndOffset;
    const request = { bytesMax: 1000, waitMs: 0, nodeId: 4, incarnationId: ZERO_UUID };
    const inside = await server.fetch({ ...request, offset: toOffset(end - 1), lastTerm: 1 });
    expect(inside.errorCode).toBe(ErrorCode.OffsetOutOfRange);
    const later = await server.fetch({ ...request, offset: toOffset(end - 3), lastTerm: 7 });
    expect(later.errorCode).toBe(ErrorCode.OffsetOutOfRange);
    const chunk = await server.snapshotChunk({
      snapshot: { offset: toOffset(3), term: 1 },
      position: 0,
      bytesMax: 10,
    });
    expect(chunk.errorCode).toBe(ErrorCode.SnapshotNotFound);
  });
});
