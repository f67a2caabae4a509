import { describe, expect, test } from "bun:test";
import { Prng } from "../../../src/ground/prng.ts";
import { OFFSET_SLOT_BYTES, OffsetMap } from "../../../src/log/compaction/offset_map.ts";
import { seedOf } from "../../record/batches.ts";

const SECRET = new Uint8Array(16).fill(3);

function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(10).fill(0xaa);
  new DataView(key.buffer).setInt32(2, number);
  return key;
}

function put(map: OffsetMap, number: number, offset: number): boolean {
  return map.put(keyOf(number), 2, 6, offset);
}

describe("OffsetMap", () => {
  test("get() knows what was put, and -1 for the rest", () => {
    const map = new OffsetMap({ bytesMax: 1 << 20, keyCount: 100 }, SECRET);
    expect(put(map, 1, 0)).toBeTrue();
    expect(put(map, 2, 2 ** 53 - 2)).toBeTrue();
    expect(put(map, 3, 2 ** 32 - 1)).toBeTrue();
    expect(map.get(keyOf(1), 2, 6)).toBe(0);
    expect(map.get(keyOf(2), 2, 6)).toBe(2 ** 53 - 2);
    expect(map.get(keyOf(3), 2, 6)).toBe(2 ** 32 - 1);
    expect(map.get(keyOf(4), 2, 6)).toBe(-1);
    expect(map.get(keyOf(1), 2, 5)).toBe(-1);
    expect(map.count).toBe(3);
  });

  test("put() keeps the highest offset", () => {
    const map = new OffsetMap({ bytesMax: 1 << 20, keyCount: 100 }, SECRET);
    for (const offset of [5, 9, 7]) put(map, 1, offset);
    expect(map.get(keyOf(1), 2, 6)).toBe(9);
    expect(map.count).toBe(1);
  });

  test("put() says when it is full, and takes keys that it has", () => {
    const map = new OffsetMap({ bytesMax: 10 * OFFSET_SLOT_BYTES, keyCount: 1000 }, SECRET);
    expect(map.countMax).toBe(9);
    for (let key = 0; key < 9; key++) expect(put(map, key, key)).toBeTrue();
    expect(put(map, 9, 9)).toBeFalse();
    expect(put(map, 3, 10)).toBeTrue();
    expect(map.get(keyOf(3), 2, 6)).toBe(10);
    expect(map.get(keyOf(9), 2, 6)).toBe(-1);
    expect(map.count).toBe(9);
  });

  test("takes only as much memory as its keys may need", () => {
    const map = new OffsetMap({ bytesMax: 1 << 30, keyCount: 900 }, SECRET);
    expect(map.bytes).toBeLessThanOrEqual(1001 * OFFSET_SLOT_BYTES);
    expect(map.countMax).toBeGreaterThanOrEqual(900);
    map.release();
    expect(map.bytes).toBe(0);
  });

  test("agrees with a plain map", () => {
    const prng = new Prng(seedOf("OffsetMap"));
    const map = new OffsetMap({ bytesMax: 1 << 20, keyCount: 3000 }, prng.bytes(16));
    const model = new Map<number, number>();
    for (let step = 0; step < 20_000; step++) {
      const [key, offset] = [prng.below(3000), prng.below(2 ** 32) * prng.below(1000)];
      put(map, key, offset);
      model.set(key, Math.max(offset, model.get(key) ?? -1));
    }
    expect(map.count).toBe(model.size);
    for (let key = 0; key < 3100; key++) {
      expect(map.get(keyOf(key), 2, 6)).toBe(model.get(key) ?? -1);
    }
  });
});
