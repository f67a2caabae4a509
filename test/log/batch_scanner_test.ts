import { describe, expect, test } from "bun:test";
import { scanNow } from "../../src/log/batch_scanner.ts";
import type { BatchView } from "../../src/record/batch_view.ts";
import { concat, makeBatch, makeMarker } from "./log_fixture.ts";
import { MemoryDisk } from "./memory_disk.ts";

function fileOf(parts: readonly Uint8Array[]): ReturnType<MemoryDisk["open"]> {
  const file = new MemoryDisk().open("/log", "write");
  file.write(0, [concat(parts)]);
  return file;
}

describe("scanNow() in header mode", () => {
  const markers = [1, 3].map((offset) => makeMarker(offset, { producerId: 1, isAbort: true }));
  const large = [0, 2].map((offset) => makeBatch(offset, { valueBytes: 40_000 }));
  const parts = [large[0], markers[0], large[1], markers[1]] as Uint8Array[];

  test("gives control batches whole, and skips the records of large ones", () => {
    const file = fileOf(parts);
    const seen: [boolean, boolean][] = [];
    const range = { position: 0, end: file.bytes(), mode: "header" as const, firstBytes: 64 };
    const result = scanNow(file, range, (batch) => {
      const isWhole = batch.position() + batch.sizeInBytes() <= batch.bytes.length;
      seen.push([batch.isControl(), isWhole]);
      return true;
    });
    expect(result).toEqual({ position: file.bytes(), ending: "clean" });
    expect(seen.map(([isControl]) => isControl)).toEqual([false, true, false, true]);
    expect(seen[0]).toEqual([false, false]);
    expect(seen.filter(([isControl, isWhole]) => isControl && !isWhole)).toEqual([]);
  });

  test("visits each batch once, whatever the size of the first read", () => {
    const file = fileOf(parts);
    for (let firstBytes = 61; firstBytes < 40_400; firstBytes += 97) {
      const offsets: number[] = [];
      const range = { position: 0, end: file.bytes(), mode: "header" as const, firstBytes };
      scanNow(file, range, (batch: BatchView) => {
        offsets.push(batch.baseOffset());
        return true;
      });
      expect(offsets).toEqual([0, 1, 2, 3]);
    }
  });

  test("does not wait for a control batch that says it is large", () => {
    const lie = makeBatch(0, { valueBytes: 100_000 });
    lie[22] = 0x20; // control
    const file = fileOf([lie]);
    let visits = 0;
    const range = { position: 0, end: file.bytes(), mode: "header" as const, firstBytes: 64 };
    scanNow(file, range, (batch) => {
      visits++;
      expect(batch.bytes.length).toBe(64);
      return true;
    });
    expect(visits).toBe(1);
  });
});
