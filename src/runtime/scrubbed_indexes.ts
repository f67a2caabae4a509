/**
 * What the last entries of a segment's index files say, to be compared with its batches on the way
 * through them. The last entry is the one that others are found by and that a crash hurts first.
 */
import type { Disk } from "../env/disk.ts";
import type { Offset } from "../ground/numbers.ts";
import type { CheckedBatch } from "../log/reading/batch_check.ts";
import { OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES } from "../log/format.ts";
import { OffsetIndex, type OffsetPosition } from "../log/index/offset_index.ts";
import { TimeIndex, type TimestampOffset } from "../log/index/time_index.ts";

export class IndexWitness {
  readonly #offset: OffsetPosition | undefined;
  readonly #time: TimestampOffset | undefined;
  #isOffsetSeen = false;
  #maxTimestamp = -1;

  private constructor(offset: OffsetPosition | undefined, time: TimestampOffset | undefined) {
    this.#offset = offset;
    this.#time = time;
  }

  /** `path` is the segment's; a file that is missing says nothing. */
  static async of(disk: Disk, path: string, baseOffset: Offset): Promise<IndexWitness> {
    const stem = path.slice(0, path.lastIndexOf("."));
    const offset = await lastEntry(disk, `${stem}.index`, OFFSET_ENTRY_BYTES);
    const time = await lastEntry(disk, `${stem}.timeindex`, TIME_ENTRY_BYTES);
    return new IndexWitness(
      offset && new OffsetIndex(baseOffset, offset).lookup(Infinity),
      time && new TimeIndex(baseOffset, time).last(),
    );
  }

  onBatch({ position, nextOffset, maxTimestamp }: CheckedBatch): void {
    this.#maxTimestamp = Math.max(this.#maxTimestamp, maxTimestamp);
    const entry = this.#offset;
    if (entry?.position === position) this.#isOffsetSeen = entry.lastOffset === nextOffset - 1;
  }

  /** What does not fit, after all batches. */
  flaw(): string | undefined {
    const { lastOffset, position } = this.#offset ?? {};
    if (lastOffset !== undefined && !this.#isOffsetSeen) {
      return `the last offset entry has offset ${lastOffset} at byte ${position}`;
    }
    const timestamp = this.#time?.timestamp;
    if (timestamp === undefined || timestamp === this.#maxTimestamp) return undefined;
    return `the last time entry has ${timestamp}, the batches reach ${this.#maxTimestamp}`;
  }
}

async function lastEntry(
  disk: Disk,
  path: string,
  entryBytes: number,
): Promise<Uint8Array | undefined> {
  const bytes = disk.info(path)?.bytes ?? 0;
  if (bytes < entryBytes || bytes % entryBytes !== 0) return undefined;
  const file = disk.open(path, "read");
  try {
    return await file.read(bytes - entryBytes, entryBytes);
  } finally {
    file.close();
  }
}
