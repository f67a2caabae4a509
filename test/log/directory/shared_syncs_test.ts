import { describe, expect, test } from "bun:test";
import { SharedSyncs } from "../../../src/log/directory/shared_syncs.ts";
import { MemoryDisk } from "../memory_disk.ts";

function newSyncs(): { readonly disk: MemoryDisk; readonly syncs: SharedSyncs } {
  const disk = new MemoryDisk();
  disk.makeDirectory("/data");
  return { disk, syncs: new SharedSyncs(disk, "/data") };
}

async function turns(count: number): Promise<void> {
  // deno-lint-ignore no-await-in-loop -- one after the other
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

describe("syncNames()", () => {
  test("serves all who come at the same time with one call, and who comes later with another", async () => {
    const { disk, syncs } = newSyncs();
    await Promise.all(Array.from({ length: 100 }, () => syncs.syncNames()));
    expect(disk.calls["syncDirectory"]).toBe(1);
    const first = syncs.syncNames();
    await turns(1); // it is under way, and may not see what comes now
    disk.makeDirectory("/data/late");
    await Promise.all([first, syncs.syncNames(), syncs.syncNames()]);
    expect(disk.calls["syncDirectory"]).toBe(3);
  });

  test("is never believed again after it failed", async () => {
    const { disk, syncs } = newSyncs();
    disk.failNext("syncDirectory", "io");
    await expect(syncs.syncNames()).rejects.toThrow("Cannot syncDirectory");
    await expect(syncs.syncNames()).rejects.toThrow("Cannot syncDirectory");
    expect(disk.calls["syncDirectory"]).toBe(1);
  });

  test("is tried again where there were no handles for it", async () => {
    const { disk, syncs } = newSyncs();
    disk.failNext("syncDirectory", "no-handles");
    await expect(syncs.syncNames()).rejects.toThrow("Cannot syncDirectory");
    await syncs.syncNames();
    expect(disk.calls["syncDirectory"]).toBe(2);
  });
});

describe("firstSync()", () => {
  test("lets sixteen go at a time, and the next when one has ended, however it ended", async () => {
    const { syncs } = newSyncs();
    const ends: (() => void)[] = [];
    let failed = 0;
    const sync = (): Promise<void> =>
      new Promise((resolve, reject) => {
        ends.push(ends.length % 2 === 0 ? resolve : () => reject(new Error("failed")));
      });
    const all = Array.from({ length: 40 }, () => syncs.firstSync(sync).catch(() => failed++));
    await turns(10);
    expect(ends.length).toBe(16);
    for (let at = 0; at < 40; at++) {
      ends[at]?.();
      // deno-lint-ignore no-await-in-loop -- one after the other
      await turns(10);
      expect(ends.length).toBe(Math.min(40, 17 + at));
    }
    await Promise.all(all);
    expect(failed).toBe(20);
  });
});
