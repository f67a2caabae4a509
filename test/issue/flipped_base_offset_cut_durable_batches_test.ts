import { describe, expect, test } from "bun:test";
import { LogFault } from "../../src/log/log_fault.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { DIRECTORY, LogFixture } from "../log/log_fixture.ts";
import type { MemoryDisk } from "../log/memory_disk.ts";

const FILE = `${DIRECTORY}/${"0".repeat(20)}.log`;
const DURABLE = 6;
const COUNT = 9;

async function killedDisk(): Promise<MemoryDisk> {
  const fixture = await LogFixture.open();
  fixture.appendMany(DURABLE);
  await fixture.log.sync();
  fixture.appendMany(COUNT - DURABLE);
  return fixture.memoryDisk.kill();
}

/** Flips one bit of a field of the batch at `index`. */
function flip(
  disk: MemoryDisk,
  index: number,
  { field, bytes, bit }: { readonly field: number; readonly bytes: number; readonly bit: number },
): void {
  const content = disk.files.get(FILE)?.content as Uint8Array;
  let at = 0;
  for (let batch = 0; batch < index; batch++) at += new BatchView(content, at).sizeInBytes();
  const byte = at + field + bytes - 1 - (bit >> 3);
  content[byte] = (content[byte] as number) ^ (1 << (bit & 7));
}

const BASE_OFFSET = { field: 0, bytes: 8 };
const LEADER_EPOCH = { field: 12, bytes: 4 };

async function opened(disk: MemoryDisk): Promise<LogFixture | LogFault> {
  const recoveryPoint = DURABLE;
  return await LogFixture.open({
    disk,
    isClean: false,
    recoveryPoint,
    isRecoveryPointWritten: true,
  })
    .catch((fault: unknown) => {
      if (fault instanceof LogFault) return fault;
      throw fault;
    });
}

describe("a start after a kill, with one bit of what no CRC covers flipped", () => {
  for (const [name, field] of Object.entries({ BASE_OFFSET, LEADER_EPOCH })) {
    test(`${name}: refuses what was durable, and cuts nothing but the damaged batch and on`, async () => {
      const base = await killedDisk();
      for (let index = 0; index < COUNT; index++) {
        for (let bit = 0; bit < field.bytes * 8; bit++) {
          const disk = base.kill();
          // What the log cannot know: the last epoch (metadata does), and -1, "none was written".
          if (field === LEADER_EPOCH && (index === COUNT - 1 || bit === 31)) continue;
          flip(disk, index, { ...field, bit });
          const found = await opened(disk);
          const where = [index, bit];
          if (index < DURABLE) {
            expect([where, found instanceof LogFault]).toEqual([where, true]);
            continue;
          }
          const cut = found as LogFixture;
          expect([where, cut.log.logEndOffset]).toEqual([where, index]);
          expect(cut.events).toContain("torn tail cut off");
        }
      }
    });
  }
});
