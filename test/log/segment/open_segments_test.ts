import { describe, expect, test } from "bun:test";
import { OpenSegments } from "../../../src/log/segment/open_segments.ts";
import { LogFixture } from "../log_fixture.ts";
import { MemoryDisk } from "../memory_disk.ts";

describe("OpenSegments", () => {
  test("closes the one that was used longest ago", () => {
    const closed: string[] = [];
    const open = new OpenSegments({ countMax: 2 });
    const [a, b, c] = ["a", "b", "c"].map((name) => ({ closeFiles: () => void closed.push(name) }));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three");
    open.touch(a);
    open.touch(b);
    open.touch(a);
    open.touch(c);
    expect(closed).toEqual(["b"]);
    open.forget(a);
    open.touch(b);
    expect(closed).toEqual(["b"]);
    expect(open.count).toBe(2);
  });

  test("bounds the handles of a log that is read and written everywhere", async () => {
    const disk = new MemoryDisk();
    const settings = { segmentBytes: 300, indexIntervalBytes: 0 };
    const fixture = await LogFixture.open({ disk, settings, openSegments: 2 });
    const batches: Uint8Array[] = [];
    for (let round = 0; round < 30; round++) {
      batches.push(fixture.append());
      expect(await fixture.read(round >> 1, { bytesMax: 1 })).toEqual(
        batches[round >> 1] as Uint8Array,
      );
      expect(disk.openCount).toBeLessThanOrEqual(2);
      if (round % 7 === 0) await fixture.log.sync();
    }
    expect(fixture.log.segmentCount()).toBeGreaterThan(8);
    expect(await fixture.readAll()).toEqual(batches);
    await fixture.log.close();
    expect(disk.openCount).toBe(0);
    const reopened = await LogFixture.open({ disk: disk.crash(), isClean: true });
    expect(await reopened.readAll()).toEqual(batches);
    expect(reopened.events).toEqual([]); // every index was as it should be
  });
});
