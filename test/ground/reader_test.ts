import { describe, expect, test } from "bun:test";
import { Reader } from "../../src/ground/reader.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";

function reader(...bytes: number[]): Reader {
  return new Reader(new Uint8Array(bytes));
}

describe("Reader", () => {
  test("reads every width, signed and unsigned, highest byte first", () => {
    expect(reader(0x80).int8()).toBe(-128);
    expect(reader(0x80).uint8()).toBe(128);
    expect(reader(0xff, 0xfe).int16()).toBe(-2);
    expect(reader(0xff, 0xfe).uint16()).toBe(65534);
    expect(reader(0x80, 0, 0, 1).int32()).toBe(-2147483647);
    expect(reader(0x80, 0, 0, 1).uint32()).toBe(2147483649);
    expect(reader(0x3f, 0xf8, 0, 0, 0, 0, 0, 0).float64()).toBe(1.5);
    expect([reader(0).bool(), reader(1).bool(), reader(7).bool()]).toEqual([false, true, true]);
  });

  test("reads all bits of a bigint64, wherever it stands", () => {
    expect(reader(0x80, 0, 0, 0, 0, 0, 0, 1).bigint64()).toBe(-(1n << 63n) + 1n);
    const within = new Uint8Array([9, 9, 0x7f, 255, 255, 255, 255, 255, 255, 255, 9]).subarray(1);
    expect(new Reader(within, 1, 9).bigint64()).toBe((1n << 63n) - 1n);
  });

  test("reads an int64 exactly inside the safe integers, and saturates outside", () => {
    expect(reader(0, 0, 0, 1, 0, 0, 0, 2).int64()).toBe(2 ** 32 + 2);
    expect(reader(255, 255, 255, 255, 255, 255, 255, 255).int64()).toBe(-1);
    expect(reader(255, 255, 255, 254, 255, 255, 255, 255).int64()).toBe(-(2 ** 32) - 1);
    expect(reader(0, 31, 255, 255, 255, 255, 255, 255).int64()).toBe(Number.MAX_SAFE_INTEGER);
    expect(reader(255, 224, 0, 0, 0, 0, 0, 1).int64()).toBe(-Number.MAX_SAFE_INTEGER);
    expect(reader(0, 32, 0, 0, 0, 0, 0, 0).int64()).toBe(Number.MAX_SAFE_INTEGER);
    expect(reader(0x7f, 255, 255, 255, 255, 255, 255, 255).int64()).toBe(Number.MAX_SAFE_INTEGER);
    expect(reader(0x80, 0, 0, 0, 0, 0, 0, 0).int64()).toBe(-Number.MAX_SAFE_INTEGER);
  });

  test("take() gives a view, text() a copy", () => {
    const bytes = new Uint8Array([1, 2, 3, 104, 105]);
    const from = new Reader(bytes);
    const view = from.take(3);
    expect(view.buffer).toBe(bytes.buffer);
    expect([...view]).toEqual([1, 2, 3]);
    expect(from.text(2)).toBe("hi");
    expect(from.remaining).toBe(0);
  });

  test("stays between start and end, also in a view of other memory", () => {
    const memory = new Uint8Array([9, 9, 0, 1, 0, 2, 9, 9]);
    const from = new Reader(memory.subarray(1, 7), 1, 5);
    expect([from.int16(), from.int16(), from.remaining]).toEqual([1, 2, 0]);
    expect(from.failure).toBeUndefined();
    expect(from.int8()).toBe(0);
    expect(from.failure).toBe("Cannot read 1 bytes: 0 are left at byte 5");
    expect(() => new Reader(memory, 3, 2)).toThrow("inside its bytes");
    expect(() => new Reader(memory, 0, 9)).toThrow("inside its bytes");
  });
});

describe("Reader after a failure", () => {
  const reads: readonly (readonly [string, (from: Reader) => unknown, unknown])[] = [
    ["int8", (from) => from.int8(), 0],
    ["uint8", (from) => from.uint8(), 0],
    ["int16", (from) => from.int16(), 0],
    ["uint16", (from) => from.uint16(), 0],
    ["int32", (from) => from.int32(), 0],
    ["uint32", (from) => from.uint32(), 0],
    ["int64", (from) => from.int64(), 0],
    ["bigint64", (from) => from.bigint64(), 0n],
    ["float64", (from) => from.float64(), 0],
    ["bool", (from) => from.bool(), false],
    ["uuid", (from) => from.uuid(), ZERO_UUID],
    ["unsignedVarint", (from) => from.unsignedVarint(), 0],
    ["varint", (from) => from.varint(), 0],
    ["varlong", (from) => from.varlong(), 0],
    ["text", (from) => from.text(1), ""],
    ["take", (from) => from.take(1).length, 0],
    ["elements", (from) => from.elements(1, 1), 0],
  ];

  for (const [name, read, zero] of reads) {
    test(`${name}() of nothing gives zero and fails`, () => {
      const from = reader();
      expect(read(from)).toEqual(zero);
      expect(from.failure).toBeDefined();
    });

    test(`${name}() gives zero, and the first reason stays`, () => {
      const from = reader(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
      from.int8();
      from.fail("Cannot go on");
      expect(read(from)).toEqual(zero);
      expect(from.failure).toBe("Cannot go on at byte 1");
      expect(from.remaining).toBe(0);
    });
  }

  test("a negative count fails like one that is too great", () => {
    for (const read of [(from: Reader) => from.take(-1), (from: Reader) => from.text(-1)]) {
      const from = reader(1, 2, 3);
      expect(read(from)).toHaveLength(0);
      expect(from.failure).toBe("Cannot read -1 bytes: 3 are left at byte 0");
    }
  });
});

describe("Reader.elements()", () => {
  test("gives the count where the bytes can hold it", () => {
    expect(reader(0, 0, 0, 0).elements(2, 2)).toBe(2);
    expect(reader().elements(0, 4)).toBe(0);
  });

  test("fails where they cannot, or the count is negative", () => {
    for (const [count, bytesMin] of [[3, 2], [-1, 1], [2 ** 31 - 1, 4]] as const) {
      const from = reader(0, 0, 0, 0);
      expect(from.elements(count, bytesMin)).toBe(0);
      expect(from.failure ?? "").toContain(`${count} elements do not fit into 4 bytes`);
    }
  });

  test("draws on one supply for the whole frame", () => {
    const from = new Reader(new Uint8Array(100));
    let granted = 0;
    while (from.failure === undefined) granted += from.elements(100, 0);
    expect(granted).toBe(1100); // 100 bytes and 1024 to spare, in hundreds
  });

  test("gives no more than it was limited to, however long the frame is", () => {
    const from = new Reader(new Uint8Array(10_000));
    from.limitElements(150);
    expect(from.elements(100, 0)).toBe(100);
    expect(from.elements(51, 1)).toBe(0);
    expect(from.failure ?? "").toContain("51 elements are too many, only 50 may come");
  });
});
