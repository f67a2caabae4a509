import { describe, expect, test } from "bun:test";
import { BatchView } from "../../src/record/batch_view.ts";
import { ATTRIBUTES_AT, MAX_TIMESTAMP_AT } from "../../src/record/format.ts";
import {
  type BatchFacts,
  type BatchLimits,
  type BatchRefusal,
  validateBatch,
} from "../../src/record/validate.ts";
import { batchOf, bytesOfText, fixCrc, limits, NOW, record, tools, withField } from "./batches.ts";

function check(batch: Uint8Array, more: Partial<BatchLimits> = {}): BatchFacts | BatchRefusal {
  return validateBatch(batch, { ...limits, ...more }, tools);
}

function refusalOf(batch: Uint8Array, more: Partial<BatchLimits> = {}): BatchRefusal {
  const outcome = check(batch, more);
  expect(outcome.kind === "valid").toBeFalse();
  return outcome as BatchRefusal;
}

const keyed = record("v", { key: bytesOfText("k") });

describe("validateBatch()", () => {
  test("tells the facts that an append needs", () => {
    const batch = batchOf([record("a"), record("b", { timestamp: NOW + 7 }), record("c")], {
      producerId: 2 ** 33,
      producerEpoch: 4,
      baseSequence: 0x7ffffffe,
      isTransactional: true,
    }, "lz4");
    expect(check(batch)).toEqual({
      kind: "valid",
      compressionType: "lz4",
      recordCount: 3,
      lastOffsetDelta: 2,
      maxTimestamp: NOW + 7,
      offsetDeltaOfMaxTimestamp: 2,
      isMaxTimestampWrong: false,
      producerId: 2 ** 33,
      producerEpoch: 4,
      baseSequence: 0x7ffffffe,
      lastSequence: 0,
      isTransactional: true,
    });
  });

  test("ignores epoch and sequence where there is no producer id, as kafkajs sends them", () => {
    const facts = check(
      batchOf([record("a")], { producerEpoch: 0, baseSequence: 0 }),
    ) as BatchFacts;
    expect([facts.producerId, facts.producerEpoch, facts.baseSequence]).toEqual([-1, -1, -1]);
    expect(facts.lastSequence).toBe(-1);
  });

  test("refuses a record without key where keys are required, and says which", () => {
    const outcome = refusalOf(batchOf([keyed, keyed, record("v")]), { isKeyRequired: true });
    expect([outcome.kind, outcome.recordIndex]).toEqual(["invalid-record", 2]);
    const empty = record("v", { key: new Uint8Array(0) });
    expect(check(batchOf([keyed, empty]), { isKeyRequired: true }).kind).toBe("valid");
  });

  test("refuses times outside the topic's limits, and takes those on the edge", () => {
    const times = { timestampBeforeMaxMs: 1000, timestampAfterMaxMs: 10 };
    const at = (timestamp: number): Uint8Array =>
      batchOf([record("a"), record("b", { timestamp })]);
    for (const timestamp of [NOW - 1000, NOW + 10, -1]) {
      expect(check(at(timestamp), times).kind).toBe("valid");
    }
    for (const timestamp of [NOW - 1001, NOW + 11, 0, -2]) {
      const outcome = refusalOf(at(timestamp), times);
      expect([outcome.kind, outcome.recordIndex]).toEqual(["invalid-timestamp", 1]);
      expect(outcome.message).toContain(`timestamp ${timestamp} is outside [${NOW - 1000},`);
    }
  });

  test("answers a far time before a missing key, whichever came first", () => {
    const batch = batchOf([record("no key"), record("far", { timestamp: NOW + 1e9 })]);
    const outcome = refusalOf(batch, { isKeyRequired: true });
    expect([outcome.kind, outcome.recordIndex]).toEqual(["invalid-timestamp", 1]);
  });

  test("refuses a time that is no safe integer, whatever the limits", () => {
    const far = withField(batchOf([record("a")]), 27, 4, 0x7fffffff);
    expect(refusalOf(far, { timestampAfterMaxMs: Infinity }).kind).toBe("invalid-timestamp");
    expect(refusalOf(far, { timestampType: "append" }).kind).toBe("invalid-timestamp");
  });

  test("looks at no time where the broker sets it, and says that it must be set", () => {
    const batch = batchOf([record("a", { timestamp: NOW + 1e10 })]);
    const facts = check(batch, { timestampType: "append" }) as BatchFacts;
    expect([facts.kind, facts.maxTimestamp, facts.isMaxTimestampWrong]).toEqual(
      ["valid", NOW, true],
    );
  });

  test("finds the true greatest time where the header lies", () => {
    const lying = withField(batchOf([record("a")]), MAX_TIMESTAMP_AT + 4, 4, 5);
    const facts = check(lying) as BatchFacts;
    expect([facts.maxTimestamp, facts.isMaxTimestampWrong]).toEqual([NOW, true]);
    new BatchView(lying).setMaxTimestamp("create", facts.maxTimestamp, tools.crc32c);
    expect((check(lying) as BatchFacts).isMaxTimestampWrong).toBeFalse();
  });

  test("refuses zstd and a base offset where the request's version does", () => {
    const zstd = batchOf([record("a")], {}, "zstd");
    expect(check(zstd).kind).toBe("valid");
    expect(refusalOf(zstd, { isZstdAllowed: false }).kind).toBe("unsupported-compression");
    const moved = batchOf([record("a")], { baseOffset: 5 });
    expect(refusalOf(moved).kind).toBe("invalid-record");
    expect(check(moved, { isBaseOffsetZero: false }).kind).toBe("valid");
  });

  test("measures the batch as it came against bytesMax", () => {
    const batch = batchOf([record("x".repeat(5000))], {}, "gzip");
    expect(check(batch, { bytesMax: batch.length }).kind).toBe("valid");
    expect(refusalOf(batch, { bytesMax: batch.length - 1 }).kind).toBe("too-large");
  });

  test("stops a bomb of any codec at inflatedBytesMax", () => {
    for (const codec of ["gzip", "snappy", "lz4", "zstd"] as const) {
      const bomb = batchOf([record("\0".repeat(3_000_000))], {}, codec);
      expect(bomb.length).toBeLessThan(200_000);
      expect(refusalOf(bomb, { inflatedBytesMax: 1_000_000 }).kind).toBe("too-large");
      expect(check(bomb).kind).toBe("valid");
    }
  });

  test("refuses a bit that fell over, anywhere behind the CRC", () => {
    const batch = batchOf([record("abc"), record("def")]);
    for (let at = ATTRIBUTES_AT; at < batch.length; at++) {
      const bent = batch.slice();
      bent[at] = (bent[at] as number) ^ (1 << (at & 7));
      const kind = refusalOf(bent).kind;
      // The codec is looked up before the CRC is computed.
      expect(kind === "corrupt" || (at === 22 && kind === "unsupported-compression")).toBeTrue();
    }
  });

  test("mode header takes the producer's word for what is inside", () => {
    const batch = batchOf([record("a")]);
    batch[61] = 99;
    fixCrc(batch);
    expect(refusalOf(batch).kind).toBe("invalid-record");
    expect(check(batch, { mode: "header" }).kind).toBe("valid");
    const far = batchOf([record("a", { timestamp: NOW + 1e9 })]);
    expect(refusalOf(far, { mode: "header" }).kind).toBe("invalid-timestamp");
    const cut = batch.subarray(0, batch.length - 1);
    expect(refusalOf(cut, { mode: "header" }).kind).toBe("invalid-record");
    const unsummed = batch.slice();
    unsummed[67] = 1;
    expect(refusalOf(unsummed, { mode: "header" }).kind).toBe("corrupt");
  });

  test("leaves the bytes as they came", () => {
    const batch = batchOf([record("a"), record("b")], {}, "snappy");
    const copy = batch.slice();
    check(batch, { timestampType: "append" });
    expect(batch).toEqual(copy);
  });
});
