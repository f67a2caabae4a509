/** A log of five small segments, which retention and compaction can be tried on. */
import { DIRECTORY, LogFixture } from "./log_fixture.ts";
import type { MemoryDisk } from "./memory_disk.ts";

/** Two batches of two records fit. */
export const SETTINGS_SMALL = { segmentBytes: 330, indexIntervalBytes: 100 };
export const PAIR = { timestamps: [5, 6] };

/** Five segments, of offsets 0–3, 4–7 … 16–19. */
export async function openFive(disk?: MemoryDisk, tailBytes = 0): Promise<LogFixture> {
  const some = disk === undefined ? {} : { disk };
  const fixture = await LogFixture.open({ settings: SETTINGS_SMALL, tailBytes, ...some });
  fixture.appendMany(10, PAIR);
  await fixture.log.sync();
  return fixture;
}

/** In the order of the directory; without the zeros before the offsets. */
export function fileNames(disk: MemoryDisk): string[] {
  return disk.list(DIRECTORY).map(({ name }) => name.replace(/^0+(?=\d)/, ""));
}
