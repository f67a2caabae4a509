import { describe, expect, test } from "bun:test";
import { BufferPool } from "../../src/ground/buffer_pool.ts";

describe("BufferPool", () => {
  test("gives the same memory again, in sizes of powers of two", () => {
    const pool = new BufferPool({ bytesMax: 1 << 20 });
    const first = pool.take(5000);
    expect(first.length).toBe(8192);
    pool.give(first);
    expect(pool.freeBytes).toBe(8192);
    expect(pool.take(8192) === first).toBeTrue();
    expect(pool.take(1).length).toBe(4096);
  });

  test("holds on to no more than its bound", () => {
    const pool = new BufferPool({ bytesMax: 8192 });
    const buffers = [pool.take(4096), pool.take(4096), pool.take(4096)];
    for (const buffer of buffers) pool.give(buffer);
    expect(pool.freeBytes).toBe(8192);
  });

  test("poisons what it gets back, where it is told to", () => {
    const pool = new BufferPool({ bytesMax: 8192, isPoisoned: true });
    const buffer = pool.take(4096).fill(1);
    pool.give(buffer);
    expect(buffer.every((byte) => byte === 0xdb)).toBeTrue();
  });

  test("takes no part of a buffer back", () => {
    const pool = new BufferPool({ bytesMax: 8192 });
    expect(() => pool.give(pool.take(4096).subarray(0, 5))).toThrow();
  });
});
