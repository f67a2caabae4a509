/**
 * What recovery kept behind the recovery point is written anew, byte for byte, before it is synced.
 *
 * Where a sync has failed, Linux takes the pages for clean all the same: they are read, and no later
 * sync carries them to the disk ("Can Applications Recover from fsync Failures?", ATC '20). A broker
 * that starts again after that would find the records, sync, and call durable what is in memory only.
 * Pages that are written again are dirty again. It costs what was not synced, never what is there.
 */
import type { DiskFile } from "../../env/disk.ts";
import type { Segment } from "../segment/segment.ts";
import type { Segments } from "../segment/segments.ts";

const CHUNK_BYTES = 1 << 20;

/** `from`: everything below is durable. The indexes of the segments behind it are whole. */
export async function writeTailAnew(segments: Segments, from: number): Promise<void> {
  // From the segment of the last durable offset on: as a sync does it.
  for (const segment of segments.all().slice(segments.floorIndex(from - 1))) {
    const position = placeOf(segment, from);
    // deno-lint-ignore no-await-in-loop -- one after the other, in the order of the log
    if (position < segment.sizeInBytes) {
      await segment.withFile((file) => again(file, segment, position));
    }
  }
}

/** At or before the first batch that is not durable. */
function placeOf(segment: Segment, from: number): number {
  if (segment.baseOffset >= from) return 0;
  return segment.indexesNow().offsets.lookup(from - 1).position;
}

async function again(file: DiskFile, segment: Segment, position: number): Promise<void> {
  for (let at = position; at < segment.sizeInBytes; at += CHUNK_BYTES) {
    // deno-lint-ignore no-await-in-loop -- one chunk in memory
    const bytes = await file.read(at, Math.min(CHUNK_BYTES, segment.sizeInBytes - at));
    file.write(at, [bytes]);
  }
}
