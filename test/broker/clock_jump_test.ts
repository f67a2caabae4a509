/** The wall clock of the broker jumps by ten years, there and back: what is served, and what is kept. */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { fetch } from "../../src/api/fetch.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import {
  batchOf,
  type Fixture,
  type RawConnection,
  recordsOf,
  startBroker,
} from "./broker_fixture.ts";
import { createTopic, FETCH_VERSION, fetchBody, fetchFrom, produceTo } from "./topic_requests.ts";

const DECADE_MS = 10 * 365 * 24 * 3_600_000;
const JUMPS = [["forward", DECADE_MS], ["back", -DECADE_MS]] as const;
const PRODUCER_ID = 77;

function segmentsOf({ disk }: Fixture, topic: string): number {
  return disk.list(`/data/${topic}-0`).filter(({ name }) => name.endsWith(".log")).length;
}

async function offsetAt(connection: RawConnection, timestamp: number): Promise<readonly number[]> {
  const partition = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp };
  const { topics } = await connection.ask(listOffsets, 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: "t", partitions: [partition] }],
  });
  const found = topics[0]?.partitions[0];
  return [found?.errorCode ?? -1, found?.offset ?? -1];
}

/** Segment by segment, as a fetch gives no more than one. */
async function readAll(connection: RawConnection): Promise<readonly string[]> {
  const all: string[] = [];
  for (;;) {
    const { records } = await fetchFrom(connection, "t", { offset: all.length });
    const found = recordsOf(records);
    if (found.length === 0) return all;
    all.push(...found);
  }
}

for (const [direction, jumpMs] of JUMPS) {
  describe(`the wall clock jumps ${direction}`, () => {
    test("what producers and the broker stamp with the same clock is taken and read", async () => {
      const fixture = await startBroker();
      const { clock, dial } = fixture;
      const connection = await dial();
      await createTopic(connection, "t");
      for (let count = 0; count < 5; count++) {
        const batch = batchOf([`before${count}`], { timestamp: clock.wallMs() });
        expect((await produceTo(connection, "t", batch)).errorCode).toBe(ErrorCode.None);
      }
      const beforeMs = clock.wallMs();
      clock.jumpWall(jumpMs);
      const afterMs = clock.wallMs();
      for (let count = 0; count < 5; count++) {
        const batch = batchOf([`after${count}`], { timestamp: clock.wallMs() });
        expect((await produceTo(connection, "t", batch)).errorCode).toBe(ErrorCode.None);
      }
      clock.jumpWall(-jumpMs); // somebody has noticed
      expect((await produceTo(connection, "t", batchOf(["again"]))).errorCode).toBe(ErrorCode.None);
      expect(await readAll(connection)).toHaveLength(11);
      expect(await offsetAt(connection, Math.min(beforeMs, afterMs))).toEqual([0, 0]);
      expect(await offsetAt(connection, Math.max(beforeMs, afterMs))).toEqual(
        jumpMs > 0 ? [0, 5] : [0, 0],
      );
      await clock.advance(120_000); // upkeep, retention and cleaner have run
      const after = await startBroker({}, fixture.disk.kill());
      const { errorCode, records } = await fetchFrom(await after.dial(), "t", { offset: 10 });
      expect([errorCode, recordsOf(records)]).toEqual([ErrorCode.None, ["10:again"]]);
    });

    test("stamps of LogAppendTime follow the clock, and no segment is rolled for each batch", async () => {
      const fixture = await startBroker();
      const { clock, dial } = fixture;
      const connection = await dial();
      await createTopic(connection, "t", { "message.timestamp.type": "LogAppendTime" });
      expect((await produceTo(connection, "t", batchOf(["a"]))).logAppendTimeMs).toBe(
        clock.wallMs(),
      );
      clock.jumpWall(jumpMs);
      for (let count = 0; count < 50; count++) {
        const produced = await produceTo(connection, "t", batchOf(["b"]));
        expect([produced.errorCode, produced.logAppendTimeMs]).toEqual([
          ErrorCode.None,
          clock.wallMs(),
        ]);
      }
      clock.jumpWall(-jumpMs);
      for (let count = 0; count < 50; count++) await produceTo(connection, "t", batchOf(["c"]));
      expect(segmentsOf(fixture, "t")).toBeLessThanOrEqual(3);
      expect(recordsOf((await fetchFrom(connection, "t")).records).length).toBeGreaterThan(0);
    });

    test("an idempotent producer goes on, without a gap and without a duplicate", async () => {
      const { clock, dial } = await startBroker();
      const connection = await dial();
      await createTopic(connection, "t");
      const send = (baseSequence: number, value: string): ReturnType<typeof produceTo> => {
        const timestamp = clock.wallMs();
        const fields = { producerId: PRODUCER_ID, producerEpoch: 0, baseSequence, timestamp };
        return produceTo(connection, "t", batchOf([value], fields));
      };
      for (let sequence = 0; sequence < 3; sequence++) {
        expect((await send(sequence, `r${sequence}`)).baseOffset).toBe(sequence);
      }
      clock.jumpWall(jumpMs);
      await clock.advance(60_000); // who has been silent for too long is forgotten
      for (let sequence = 3; sequence < 6; sequence++) {
        const { errorCode, baseOffset } = await send(sequence, `r${sequence}`);
        expect([errorCode, baseOffset]).toEqual([ErrorCode.None, sequence]);
      }
      expect((await send(5, "r5")).baseOffset).toBe(5); // it was taken before
      expect((await send(9, "gap")).errorCode).toBe(ErrorCode.OutOfOrderSequenceNumber);
      expect(await readAll(connection)).toEqual(
        [0, 1, 2, 3, 4, 5].map((index) => `${index}:r${index}`),
      );
    });

    test("a long poll takes as long as it was asked to", async () => {
      const { clock, dial } = await startBroker();
      const connection = await dial();
      await createTopic(connection, "t");
      connection.send(fetch, FETCH_VERSION, fetchBody("t", { maxWaitMs: 5000 }));
      await clock.advance(2000);
      clock.jumpWall(jumpMs);
      await clock.advance(2900);
      expect(connection.answerCount).toBe(0);
      await clock.advance(200);
      expect(connection.answerCount).toBe(1);
    });
  });
}

test("a producer whose clock is right is told so by a broker that is ten years behind", async () => {
  const { clock, dial } = await startBroker();
  const connection = await dial();
  await createTopic(connection, "t");
  const rightMs = clock.wallMs();
  clock.jumpWall(-DECADE_MS);
  const refused = await produceTo(connection, "t", batchOf(["a"], { timestamp: rightMs }));
  expect(refused.errorCode).toBe(ErrorCode.InvalidTimestamp); // KIP-937, as Kafka
  clock.jumpWall(2 * DECADE_MS);
  const old = await produceTo(connection, "t", batchOf(["a"], { timestamp: rightMs }));
  expect(old.errorCode).toBe(ErrorCode.None); // message.timestamp.before.max.ms has no limit
});
