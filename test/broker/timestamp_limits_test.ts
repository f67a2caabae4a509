/** message.timestamp.before.max.ms and .after.max.ms (KIP-937), as a producer meets them. */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { type RawConnection, startBroker } from "./broker_fixture.ts";
import { createTopic, fetchFrom, type Produced, produceTo } from "./topic_requests.ts";

const LIMIT_MS = 60_000;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const LIMITS = {
  "message.timestamp.before.max.ms": String(LIMIT_MS),
  "message.timestamp.after.max.ms": String(LIMIT_MS),
};

function batchAt(timestamps: readonly number[]): Uint8Array {
  const builder = new BatchBuilder({ bytesMax: 1000, compressionType: "none" });
  for (const timestamp of timestamps) {
    builder.append({ key: null, value: bytesOf("x"), timestamp });
  }
  return builder.finish({}, { crc32c: crc32cTables, compress: (_type, bytes) => bytes });
}

interface Setup {
  readonly connection: RawConnection;
  readonly now: number;
  produce(topic: string, ...timestamps: readonly number[]): Promise<Produced>;
}

async function setUp(config: Readonly<Record<string, string>> = LIMITS): Promise<Setup> {
  const { dial, clock } = await startBroker();
  const connection = await dial();
  await createTopic(connection, "t", config);
  return {
    connection,
    now: clock.wallMs(),
    produce: (topic, ...timestamps) => produceTo(connection, topic, batchAt(timestamps)),
  };
}

describe("timestamps of produced records", () => {
  test("are taken up to both limits, and not a millisecond beyond", async () => {
    const { produce, now } = await setUp();
    const at = async (timestamp: number): Promise<number> =>
      (await produce("t", timestamp)).errorCode;
    expect(await at(now - LIMIT_MS)).toBe(ErrorCode.None);
    expect(await at(now + LIMIT_MS)).toBe(ErrorCode.None);
    expect(await at(now - LIMIT_MS - 1)).toBe(ErrorCode.InvalidTimestamp);
    expect(await at(now + LIMIT_MS + 1)).toBe(ErrorCode.InvalidTimestamp);
  });

  test("name the record at fault, and nothing of its batch is there", async () => {
    const { produce, now, connection } = await setUp();
    const refused = await produce("t", now, now, now - LIMIT_MS - 1, now);
    expect(refused.errorCode).toBe(ErrorCode.InvalidTimestamp);
    expect(refused.baseOffset).toBe(-1);
    expect(refused.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([2]);
    expect(refused.recordErrors[0]?.batchIndexErrorMessage).toContain(
      `timestamp ${now - LIMIT_MS - 1} is outside [${now - LIMIT_MS}, ${now + LIMIT_MS}]`,
    );
    expect((await fetchFrom(connection, "t")).highWatermark).toBe(0);
  });

  test("may be missing: a record without one is taken", async () => {
    const { produce, now } = await setUp();
    expect((await produce("t", -1)).errorCode).toBe(ErrorCode.None);
    expect((await produce("t", -1, now)).errorCode).toBe(ErrorCode.None);
  });

  test("do not matter where the broker sets them", async () => {
    const { produce, now } = await setUp({ ...LIMITS, "message.timestamp.type": "LogAppendTime" });
    const taken = await produce("t", 0, now + 10 * YEAR_MS);
    expect([taken.errorCode, taken.logAppendTimeMs]).toEqual([ErrorCode.None, now]);
  });

  test("may by default be as old as they like, and an hour ahead", async () => {
    const { produce, now } = await setUp({});
    expect((await produce("t", 0)).errorCode).toBe(ErrorCode.None);
    expect((await produce("t", now + HOUR_MS)).errorCode).toBe(ErrorCode.None);
    expect((await produce("t", now + HOUR_MS + 1)).errorCode).toBe(ErrorCode.InvalidTimestamp);
  });
});
