/** The producer snapshots of one partition directory: choosing, loading, writing, removing. */
import type { Crc32c } from "../ground/crc32c.ts";
import type { Offset } from "../ground/numbers.ts";
import { writePlainly } from "./atomic_file.ts";
import { decodeProducerSnapshot, encodeProducerSnapshot } from "./producer_snapshot.ts";
import type { ProducerStates } from "./producer_state.ts";
import type { SegmentContext } from "./segment.ts";
import { segmentPath } from "./segment_indexes.ts";

/** Loads the newest of these snapshots that is sound; returns its offset. */
export function loadSnapshot(
  context: SegmentContext,
  crc32c: Crc32c,
  what: { readonly offsets: readonly Offset[]; readonly producers: ProducerStates },
): Offset | undefined {
  for (const offset of what.offsets.toReversed()) {
    const path = segmentPath(context.directory, offset, "snapshot");
    const bytes = context.disk.readWhole(path);
    const decoded = bytes === undefined ? "it is gone" : decodeProducerSnapshot(bytes, crc32c);
    if (typeof decoded !== "string") {
      what.producers.load(decoded);
      return offset;
    }
    context.trace.event("warn", "producer snapshot ignored", { path, reason: decoded });
  }
  return undefined;
}

/**
 * Writes one and returns its path; it is not durable yet. A crash may lose or tear it: its CRC tells,
 * and the batches tell the same as it.
 */
export function writeSnapshot(
  context: SegmentContext,
  crc32c: Crc32c,
  what: { readonly offset: Offset; readonly producers: ProducerStates },
): string {
  const path = segmentPath(context.directory, what.offset, "snapshot");
  writePlainly(context.disk, path, encodeProducerSnapshot(what.producers.entries(), crc32c));
  return path;
}

export function removeSnapshots(context: SegmentContext, offsets: readonly Offset[]): void {
  for (const offset of offsets) {
    context.disk.remove(segmentPath(context.directory, offset, "snapshot"));
  }
}
