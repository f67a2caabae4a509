import { describe, expect, test } from "bun:test";
import { BatchView } from "../../src/record/batch_view.ts";
import { BASE_SEQUENCE_AT } from "../../src/record/format.ts";
import { batchOf, linesOf, NOW, record, tools, withField } from "./batches.ts";

const three = batchOf([record("a"), record("b"), record("c")], {
  producerId: 7,
  producerEpoch: 2,
  baseSequence: 10,
  baseOffset: 40,
  partitionLeaderEpoch: 3,
});

describe("BatchView", () => {
  test("nextOffset() is the one behind the last record", () => {
    const view = new BatchView(three);
    expect([view.baseOffset(), view.lastOffset(), view.nextOffset()]).toEqual([40, 42, 43]);
  });

  test("lastSequence() starts over behind 2^31 - 1", () => {
    expect(new BatchView(three).lastSequence()).toBe(12);
    const last = new BatchView(withField(three, BASE_SEQUENCE_AT, 4, 0x7fffffff - 2));
    expect(last.lastSequence()).toBe(0x7fffffff);
    expect(new BatchView(withField(three, BASE_SEQUENCE_AT, 4, 0x7fffffff)).lastSequence()).toBe(1);
    expect(new BatchView(withField(three, BASE_SEQUENCE_AT, 4, -1)).lastSequence()).toBe(-1);
  });

  test("setBaseOffset() and setPartitionLeaderEpoch() leave the CRC right", () => {
    const view = new BatchView(three.slice());
    view.setBaseOffset(2 ** 52 + 1);
    view.setPartitionLeaderEpoch(11);
    expect(view.baseOffset()).toBe(2 ** 52 + 1);
    expect(view.lastOffset()).toBe(2 ** 52 + 3);
    expect(view.partitionLeaderEpoch()).toBe(11);
    expect(view.computedCrc(tools.crc32c)).toBe(view.crc());
  });

  test("setLogAppendTime() gives every record the broker's time, and a CRC that fits", () => {
    const batch = three.slice();
    const view = new BatchView(batch);
    view.setLogAppendTime(NOW + 123, tools.crc32c);
    expect(view.timestampType()).toBe("append");
    expect(view.maxTimestamp()).toBe(NOW + 123);
    expect(view.crc() === new BatchView(three).crc()).toBeFalse();
    expect(view.computedCrc(tools.crc32c)).toBe(view.crc());
    expect(linesOf(batch)).toEqual(
      [40, 41, 42].map((offset, index) => `${offset} ${NOW + 123} - x${["61", "62", "63"][index]}`),
    );
  });

  test("setMaxTimestamp() does nothing where nothing changes", () => {
    const view = new BatchView(three.slice());
    view.setMaxTimestamp("create", NOW, () => {
      throw new Error("the CRC is not computed");
    });
    expect(view.maxTimestamp()).toBe(NOW);
  });

  test("moveTo() goes to a batch that begins inside the bytes", () => {
    const bytes = new Uint8Array(5 + three.length);
    bytes.set(three, 5);
    const view = new BatchView(bytes);
    view.moveTo(5);
    expect(view.baseOffset()).toBe(40);
    expect(view.sizeInBytes()).toBe(three.length);
    expect(view.recordsBytes()).toEqual(three.subarray(61));
    expect(view.computedCrc(tools.crc32c)).toBe(view.crc());
  });

  test("moveTo() does not leave its bytes", () => {
    const view = new BatchView(three);
    expect(() => view.moveTo(three.length - 60)).toThrow("whole header");
    expect(() => view.moveTo(-1)).toThrow("whole header");
  });

  test("baseOffset() saturates where no offset of ours can be", () => {
    const far = new BatchView(withField(three, 0, 4, 0x7fffffff));
    expect(far.baseOffset()).toBe(Number.MAX_SAFE_INTEGER);
    const low = new BatchView(withField(three, 0, 4, -0x80000000));
    expect(low.baseOffset()).toBe(-Number.MAX_SAFE_INTEGER);
  });

  test("reads a batch in a view of a larger buffer", () => {
    const buffer = new Uint8Array(three.length + 9);
    buffer.set(three, 9);
    expect(new BatchView(buffer.subarray(9)).producerId()).toBe(7);
  });
});
