import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { Reader } from "../../src/ground/reader.ts";
import { uuidFromBytes } from "../../src/ground/uuid.ts";
import { Writer } from "../../src/ground/writer.ts";

describe("Writer", () => {
  test("writes every width, highest byte first", () => {
    const writer = new Writer();
    writer.int8(-1);
    writer.int16(-2);
    writer.int32(258);
    writer.uint32(0xfffe_fdfc);
    writer.int64(2 ** 32 + 2);
    writer.int64(-1);
    writer.float64(1.5);
    writer.bool(true);
    expect([...writer.finish()]).toEqual([
      ...[255, 255, 254, 0, 0, 1, 2, 255, 254, 253, 252],
      ...[0, 0, 0, 1, 0, 0, 0, 2, 255, 255, 255, 255, 255, 255, 255, 255],
      ...[0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 1],
    ]);
    expect([writer.position, writer.byteLength]).toEqual([36, 36]);
  });

  test("gives back what it took, wherever its memory has to grow", () => {
    const uuid = uuidFromBytes(new Prng(1).bytes(16));
    for (let bytesInitial = 0; bytesInitial < 80; bytesInitial++) {
      const writer = new Writer(bytesInitial);
      writer.int8(-7);
      writer.int16(-300);
      writer.int32(-70_000);
      writer.uint32(0xffff_fff0);
      writer.int64(-Number.MAX_SAFE_INTEGER);
      writer.bigint64(-(1n << 63n) + 1n);
      writer.float64(-0.25);
      writer.uuid(uuid);
      writer.unsignedVarint(0xffff_ffff);
      writer.varint(-2147483648);
      writer.varlong(Number.MAX_SAFE_INTEGER);
      expect(writer.text("größe")).toBe(7);
      writer.raw(new Uint8Array([1, 2, 3]));
      const reader = new Reader(writer.finish());
      expect([reader.int8(), reader.int16(), reader.int32()]).toEqual([-7, -300, -70_000]);
      expect([reader.uint32(), reader.int64()]).toEqual([0xffff_fff0, -Number.MAX_SAFE_INTEGER]);
      expect(reader.bigint64()).toBe(-(1n << 63n) + 1n);
      expect([reader.float64(), reader.uuid()]).toEqual([-0.25, uuid]);
      expect([reader.unsignedVarint(), reader.varint()]).toEqual([0xffff_ffff, -2147483648]);
      expect([reader.varlong(), reader.text(7)]).toEqual([Number.MAX_SAFE_INTEGER, "größe"]);
      expect([...reader.take(3)]).toEqual([1, 2, 3]);
      expect([reader.failure, reader.remaining]).toEqual([undefined, 0]);
    }
  });

  test("refuses an int64 that is no safe integer", () => {
    for (const value of [2 ** 53, 0.5, NaN, Infinity]) {
      expect(() => new Writer().int64(value)).toThrow("safe integer");
    }
  });

  test("patches what was reserved, and nothing else", () => {
    const writer = new Writer(1);
    writer.int32(0);
    writer.int16(7);
    writer.patchInt32(0, -2);
    expect([...writer.finish()]).toEqual([255, 255, 255, 254, 0, 7]);
    writer.patchUint32(2, 0x8000_0001);
    expect([...writer.finish()]).toEqual([255, 255, 128, 0, 0, 1]);
    expect(() => writer.patchInt32(3, 1)).toThrow("inside what was written");
  });
});

describe("Writer with foreign parts", () => {
  test("gives own and foreign parts in order, foreign ones as they came", () => {
    const first = new Uint8Array([5]);
    const second = { byteLength: 1000 };
    const writer = new Writer(2);
    writer.foreign(first);
    writer.int16(1);
    writer.int16(2); // grows behind a part that is already placed
    writer.foreign(second);
    writer.foreign(new Uint8Array(0)); // nothing is no part
    writer.int8(3);
    expect([writer.position, writer.byteLength]).toEqual([5, 1006]);
    const parts = writer.parts();
    expect(parts).toHaveLength(4);
    expect(parts[0]).toBe(first);
    expect([...parts[1] as Uint8Array]).toEqual([0, 1, 0, 2]);
    expect(parts[2]).toBe(second);
    expect([...parts[3] as Uint8Array]).toEqual([3]);
    expect(() => writer.finish()).toThrow("foreign parts");
  });

  test("reset() starts over", () => {
    const writer = new Writer();
    writer.int8(1);
    writer.foreign(new Uint8Array([2]));
    writer.reset();
    writer.int8(3);
    expect(writer.byteLength).toBe(1);
    expect([...writer.finish()]).toEqual([3]);
    expect(new Writer().parts()).toEqual([]);
  });
});
