import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { LogFault } from "../../src/log/log_fault.ts";
import { LogFixture, seedOf } from "./log_fixture.ts";
import type { MemoryDisk } from "./memory_disk.ts";

const SETTINGS = { segmentBytes: 900, indexIntervalBytes: 100 };
const ROUNDS = 700;

/** Flips a bit, cuts the end off or zeroes a piece; false where the file is empty. */
function damage(disk: MemoryDisk, path: string, random: Prng): boolean {
  const node = disk.files.get(path);
  if (node === undefined || node.content.length === 0) return false;
  const { content } = node;
  const at = random.below(content.length);
  const how = random.below(3);
  if (how === 0) content[at] = (content[at] as number) ^ (1 << random.below(8));
  else if (how === 1) node.content = content.slice(0, at);
  else content.fill(0, at, at + random.below(64));
  return true;
}

/** Everything that can be asked of a log; its batches, or the reason why it cannot be served. */
async function use(
  disk: MemoryDisk,
  isClean: boolean,
  recoveryPoint: number,
): Promise<Uint8Array[] | string> {
  try {
    const fixture = await LogFixture.open({ disk, isClean, recoveryPoint, settings: SETTINGS });
    const { log } = fixture;
    const batches = await fixture.readAll(500);
    for (const timestamp of [0, 1005, 1011, 2000]) {
      await log.offsetForTimestamp(timestamp, log.logEndOffset);
    }
    await log.maxTimestampOffset(log.logEndOffset);
    fixture.append();
    await log.close();
    return batches;
  } catch (fault) {
    // The second: a damaged batch was served as it lies there; who reads it checks its CRC.
    if (fault instanceof LogFault) return fault.message;
    if (fault instanceof Error && fault.message.startsWith("a slice ends")) return fault.message;
    throw fault;
  }
}

describe("a damaged directory", () => {
  test("never crashes, and indexes, snapshots and checkpoints never matter", async () => {
    const random = new Prng(seedOf("a damaged directory"));
    const fixture = await LogFixture.open({ settings: SETTINGS });
    const batches = Array.from({ length: 24 }, (_, index) =>
      fixture.append({
        producerId: 4,
        producerEpoch: 0,
        baseSequence: index * 2,
        timestamps: [1000 + index, 1001 + index],
        partitionLeaderEpoch: index >> 3,
      }));
    await fixture.log.sync();
    const killed = fixture.memoryDisk.kill();
    await fixture.log.close();
    const paths = [...killed.files.keys()];
    for (let round = 0; round < ROUNDS; round++) {
      const isClean = random.below(2) === 0;
      const disk = (isClean ? fixture.memoryDisk : killed).kill();
      const path = paths[random.below(paths.length)] as string;
      if (!damage(disk, path, random)) continue;
      const recoveryPoint = [0, 20, 48][random.below(3)] as number;
      const found = await use(disk, isClean, recoveryPoint);
      if (!path.endsWith(".log")) expect([path, found]).toEqual([path, batches]);
    }
  });
});
