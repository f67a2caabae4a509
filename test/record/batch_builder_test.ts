import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { BatchBuilder, type RecordInput } from "../../src/record/batch_builder.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { compressionTypes } from "../../src/record/compression.ts";
import { validateBatch } from "../../src/record/validate.ts";
import {
  batchOf,
  bytesOfText,
  hexOf,
  limits,
  linesOf,
  NOW,
  randomRecord,
  record,
  seedOf,
  tools,
} from "./batches.ts";

function lineOf({ key, value, timestamp, headers }: RecordInput, offset: number): string {
  const tail = (headers ?? []).map(([name, content]) =>
    ` ${hexOf(bytesOfText(name))}=${hexOf(content)}`
  );
  return `${offset} ${timestamp} ${hexOf(key)} ${hexOf(value)}${tail.join("")}`;
}

describe("BatchBuilder", () => {
  test("append() and finish() make what the cursor reads back, in every codec", () => {
    const prng = new Prng(seedOf("batch_builder_test"));
    for (let round = 0; round < 60; round++) {
      const records = Array.from({ length: 1 + prng.below(40) }, () => randomRecord(prng));
      for (const compressionType of compressionTypes) {
        const batch = batchOf(records, { baseOffset: 9 }, compressionType);
        expect(linesOf(batch)).toEqual(records.map((each, index) => lineOf(each, 9 + index)));
        const produced = batchOf(records, {}, compressionType);
        expect(validateBatch(produced, limits, tools).kind).toBe("valid");
      }
    }
  });

  test("append() is full at bytesMax, and then nothing was done", () => {
    const builder = new BatchBuilder({ bytesMax: 200, compressionType: "none" });
    let count = 0;
    while (builder.append(record("0123456789"))) count++;
    expect(builder.recordCount).toBe(count);
    expect(builder.sizeInBytes).toBeLessThanOrEqual(200);
    expect(builder.append(record("0123456789"))).toBeFalse();
    const batch = builder.finish({}, tools);
    expect(batch.length).toBe(61 + count * 17);
    expect(linesOf(batch)).toHaveLength(count);
  });

  test("append() takes a first record of any size", () => {
    const builder = new BatchBuilder({ bytesMax: 100, compressionType: "none" });
    expect(builder.append(record("x".repeat(100_000)))).toBeTrue();
    expect(builder.append(record("y"))).toBeFalse();
    expect(builder.finish({}, tools).length).toBe(builder.sizeInBytes);
  });

  test("append() fills a batch to the last byte", () => {
    const one = batchOf([record("a")]).length;
    const two = batchOf([record("a"), record("b")]).length;
    const exact = new BatchBuilder({ bytesMax: two, compressionType: "none" });
    expect([exact.append(record("a")), exact.append(record("b"))]).toEqual([true, true]);
    const short = new BatchBuilder({ bytesMax: two - 1, compressionType: "none" });
    expect([short.append(record("a")), short.append(record("b"))]).toEqual([true, false]);
    expect(short.sizeInBytes).toBe(one);
  });

  test("reset() starts anew, and what was finished stays as it was", () => {
    for (const compressionType of compressionTypes) {
      const builder = new BatchBuilder({ bytesMax: 4096, compressionType });
      builder.append(record("first", { timestamp: NOW + 9 }));
      const first = builder.finish({}, tools);
      const copy = first.slice();
      builder.reset();
      expect([builder.recordCount, builder.sizeInBytes]).toEqual([0, 0]);
      builder.append(record("second"));
      const second = builder.finish({}, tools);
      expect(first).toEqual(copy);
      expect(linesOf(second)).toEqual([`0 ${NOW} - ${hexOf(bytesOfText("second"))}`]);
      expect(new BatchView(second).maxTimestamp()).toBe(NOW);
    }
  });

  test("finish() writes the producer's fields, or that there are none", () => {
    const bare = new BatchView(batchOf([record("a")]));
    expect([bare.producerId(), bare.producerEpoch(), bare.baseSequence()]).toEqual([-1, -1, -1]);
    expect([bare.baseOffset(), bare.partitionLeaderEpoch()]).toEqual([0, -1]);
    const full = new BatchView(
      batchOf([record("a")], {
        producerId: 2 ** 40 + 5,
        producerEpoch: 32767,
        baseSequence: 0x7fffffff,
        isTransactional: true,
        baseOffset: 2 ** 45,
        partitionLeaderEpoch: 6,
      }),
    );
    expect(full.producerId()).toBe(2 ** 40 + 5);
    expect([full.producerEpoch(), full.baseSequence()]).toEqual([32767, 0x7fffffff]);
    expect(full.isTransactional()).toBeTrue();
    expect([full.baseOffset(), full.partitionLeaderEpoch()]).toEqual([2 ** 45, 6]);
  });

  test("finish() tells the greatest time, wherever its record stands", () => {
    const times = [NOW, NOW + 50, NOW - 70];
    const view = new BatchView(batchOf(times.map((timestamp) => record("a", { timestamp }))));
    expect(view.baseTimestamp()).toBe(NOW);
    expect(view.maxTimestamp()).toBe(NOW + 50);
  });

  test("recordBytesMax() is never too small", () => {
    const batch = batchOf([record("a".repeat(1000), { timestamp: NOW })]);
    expect(BatchBuilder.recordBytesMax(1000)).toBeGreaterThanOrEqual(batch.length - 61);
  });

  test("finish() of no record is a broken program, and so is append() without reset()", () => {
    const builder = new BatchBuilder({ bytesMax: 100, compressionType: "none" });
    expect(() => builder.finish({}, tools)).toThrow("has a record");
    builder.append(record("a"));
    builder.finish({}, tools);
    expect(() => builder.append(record("b"))).toThrow("is reset");
  });
});
