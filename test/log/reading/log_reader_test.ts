import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import { bytesOfSlice, concat, LogFixture, makeBatch } from "../log_fixture.ts";

const TAIL = { tailBytes: 1 << 20 };
const SMALL_SEGMENTS = { segmentBytes: 700, indexIntervalBytes: 100 };

describe("read()", () => {
  for (const tailBytes of [0, 1000, 1 << 20]) {
    test(`gives the batch that holds each offset, with a tail of ${tailBytes} bytes`, async () => {
      const settings = SMALL_SEGMENTS;
      const fixture = await LogFixture.open({ tailBytes, settings });
      const batches = fixture.appendMany(20, { timestamps: [5, 6, 7] });
      expect(fixture.log.segmentCount()).toBeGreaterThan(3);
      for (let offset = 0; offset < 60; offset++) {
        const expected = batches[Math.floor(offset / 3)] as Uint8Array;
        expect(await fixture.read(offset, { bytesMax: 1 })).toEqual(expected);
      }
      expect(await fixture.readAll()).toEqual(batches);
      expect(await fixture.readAll(300)).toEqual(batches);
    });
  }

  test("takes the tail from memory at once and the rest from the file", async () => {
    const fixture = await LogFixture.open({ tailBytes: 600 });
    const batches = fixture.appendMany(5);
    const limits = { bytesMax: 1 << 20, upTo: toOffset(5) };
    const tail = fixture.log.read(toOffset(4), limits);
    expect(tail).not.toBeInstanceOf(Promise);
    expect(tail).toEqual({
      baseOffset: toOffset(4),
      nextOffset: toOffset(5),
      parts: [batches[4] as Uint8Array],
      byteLength: (batches[4] as Uint8Array).length,
    });
    expect(fixture.log.read(toOffset(0), limits)).toBeInstanceOf(Promise);
  });

  test("gives large batches of the tail at once too, as a range of the file", async () => {
    const fixture = await LogFixture.open({ ...TAIL, settings: { segmentBytes: 150_000 } });
    const batches = [20_000, 50, 40_000, 60_000, 70_000, 30].map((valueBytes) =>
      fixture.append({ valueBytes })
    );
    expect(fixture.log.segmentCount()).toBe(2);
    for (let offset = 0; offset < 6; offset++) {
      const limits = { bytesMax: 80_000, upTo: toOffset(6) };
      const slice = fixture.log.read(toOffset(offset), limits);
      if (slice === undefined || slice instanceof Promise) throw new Error("at once");
      expect(slice.parts.length).toBe(1);
      expect(slice.parts[0] instanceof Uint8Array).toBe(offset === 5);
      const bytes = bytesOfSlice(slice);
      expect(bytes).toEqual(concat(batches.slice(offset)).slice(0, bytes.length));
      expect(bytes.length).toBeGreaterThanOrEqual((batches[offset] as Uint8Array).length);
    }
    expect(await fixture.readAll(80_000)).toEqual(batches);
  });

  test("is undefined outside the log and empty at its end", async () => {
    const fixture = await LogFixture.open(TAIL);
    fixture.appendMany(3);
    const limits = { bytesMax: 1 << 20, upTo: toOffset(3) };
    expect(fixture.log.read(toOffset(4), limits)).toBeUndefined();
    expect(fixture.log.read(toOffset(3), limits)).toEqual({ parts: [], byteLength: 0 });
  });

  for (const tailBytes of [0, 1 << 20]) {
    test(`never goes beyond upTo, with a tail of ${tailBytes} bytes`, async () => {
      const fixture = await LogFixture.open({ tailBytes, settings: SMALL_SEGMENTS });
      const batches = fixture.appendMany(12, { timestamps: [5, 6] });
      for (let upTo = 0; upTo <= 24; upTo += 2) {
        for (let offset = 0; offset < 24; offset++) {
          const bytes = await fixture.read(offset, { upTo });
          if (offset >= upTo) {
            expect(bytes.length).toBe(0);
            continue;
          }
          const first = Math.floor(offset / 2);
          const expected = concat(batches.slice(first, upTo / 2));
          expect(bytes).toEqual(expected.slice(0, bytes.length));
          expect(bytes.length).toBeGreaterThan(0);
        }
      }
    });
  }

  test("gives whole batches within bytesMax, found by the index and by walking", async () => {
    for (const indexIntervalBytes of [0, 300, 1 << 20]) {
      const fixture = await LogFixture.open({ settings: { indexIntervalBytes } });
      const batches = fixture.appendMany(30);
      const size = (batches[0] as Uint8Array).length;
      for (const bytesMax of [1, size, size * 2 + 1, size * 9]) {
        const count = (await fixture.read(3, { bytesMax })).length / size;
        expect(Number.isInteger(count)).toBeTrue();
        expect(count).toBeGreaterThanOrEqual(1);
        expect(count * size).toBeLessThanOrEqual(Math.max(size, bytesMax));
      }
      expect(await fixture.readAll(size * 4)).toEqual(batches);
    }
  });

  test("goes over gaps between batches and between segments", async () => {
    const fixture = await LogFixture.open();
    fixture.appendBytes(makeBatch(3));
    fixture.log.roll();
    fixture.appendBytes(makeBatch(10));
    for (const offset of [0, 1, 2, 3]) {
      expect(await fixture.read(offset, { bytesMax: 1 })).toEqual(makeBatch(3));
    }
    for (const offset of [4, 9, 10]) expect(await fixture.read(offset)).toEqual(makeBatch(10));
  });

  test("keeps the file of a slice open after its segment was closed", async () => {
    const fixture = await LogFixture.open({ openSegments: 1, settings: SMALL_SEGMENTS });
    const batches = fixture.appendMany(20);
    const limits = { bytesMax: 1, upTo: toOffset(20) };
    const slice = await fixture.log.read(toOffset(0), limits);
    fixture.appendMany(5); // the handle of the first segment is given up
    expect(fixture.memoryDisk.openCount).toBe(2);
    const part = slice?.parts[0];
    if (part === undefined || part instanceof Uint8Array) throw new Error("a range of a file");
    expect(part.file.readNow(part.position, part.byteLength)).toEqual(batches[0] as Uint8Array);
    part.release();
    part.release();
    expect(fixture.memoryDisk.openCount).toBe(1);
  });
});
