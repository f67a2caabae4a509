/** Disks that stop at a chosen call, and logs with everything in them, for tests of opening. */
import { DiskFault } from "../../src/env/disk.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { DIRECTORY, LogFixture, makeMarker } from "./log_fixture.ts";
import type { MemoryDisk } from "./memory_disk.ts";

export const SMALL = { segmentBytes: 700, indexIntervalBytes: 100 };

/** All that the program sees is on the medium from now on. */
export function makeDurable(disk: MemoryDisk): MemoryDisk {
  for (const node of disk.files.values()) node.durable = node.content.slice();
  disk.durableFiles.clear();
  for (const [path, node] of disk.files) disk.durableFiles.set(path, node);
  disk.durableDirectories.clear();
  for (const directory of disk.directories) disk.durableDirectories.add(directory);
  return disk;
}

/** The disk is dead from its `count`th call on. Returns how many calls there were so far. */
export function stopAt(disk: MemoryDisk, count: number): () => number {
  let calls = 0;
  disk.note = (call, path) => {
    calls++;
    if (calls >= count) throw new DiskFault("io", path, `Cannot ${call} ${path}: stopped`);
  };
  return () => calls;
}

/** Names and contents of the partition's directory. */
export function contents(disk: MemoryDisk): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [path, node] of [...disk.files].sort(([left], [right]) => left < right ? -1 : 1)) {
    if (path.startsWith(DIRECTORY)) {
      found[path.slice(DIRECTORY.length + 1)] = node.content.join(" ");
    }
  }
  return found;
}

/**
 * Several segments with idempotent and transactional producers, aborts and leader epochs; some of it
 * synced. `clean` was closed, `killed` was not.
 */
export async function fullLog(): Promise<{
  clean: MemoryDisk;
  killed: MemoryDisk;
  batches: Uint8Array[];
  logEndOffset: number;
  recoveryPoint: number;
}> {
  const fixture = await LogFixture.open({ settings: SMALL });
  const batches: Uint8Array[] = [];
  let sequence = 0;
  for (let round = 0; round < 8; round++) {
    const partitionLeaderEpoch = round >> 1;
    const producer = { producerId: 4, producerEpoch: 0, partitionLeaderEpoch };
    batches.push(
      fixture.append({ ...producer, baseSequence: round * 2, timestamps: [1e6 + round, 7] }),
    );
    const transaction = { producerId: 7, producerEpoch: 1, partitionLeaderEpoch };
    for (let at = 0; at < 2; at++) {
      const batch = { ...transaction, baseSequence: sequence++, isTransactional: true };
      batches.push(fixture.append({ ...batch, timestamps: [1e6 + round] }));
    }
    const end = fixture.log.logEndOffset;
    const marker = makeMarker(end, { ...transaction, isAbort: round % 2 === 0 });
    new BatchView(marker).setPartitionLeaderEpoch(partitionLeaderEpoch);
    fixture.appendBytes(marker);
    batches.push(marker);
    if (round === 5) await fixture.log.sync();
  }
  const killed = makeDurable(fixture.memoryDisk.kill());
  const recoveryPoint = fixture.log.recoveryPoint as number;
  await fixture.log.close();
  const clean = makeDurable(fixture.memoryDisk.kill());
  return { clean, killed, batches, logEndOffset: fixture.log.logEndOffset, recoveryPoint };
}
