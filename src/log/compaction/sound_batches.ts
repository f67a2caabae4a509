/**
 * A walk over all batches of a closed segment, each whole and with its CRC checked before it is used:
 * what compaction does not understand it must not drop.
 */
import type { DiskFile } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import { BatchView } from "../../record/batch_view.ts";
import { BATCH_HEADER_BYTES, BATCH_LENGTH_MIN, MAGIC } from "../../record/format.ts";
import { LogFault } from "../log_fault.ts";
import type { CompactionWork } from "./compaction_work.ts";

/** Small enough that what the system copies for one read holds up nobody. */
const CHUNK_BYTES = 128 * 1024;

export interface SegmentFile {
  readonly baseOffset: number;
  readonly file: DiskFile;
  readonly sizeInBytes: number;
}

/**
 * What is done with a batch: "stop" ends the walk, a promise is waited for, any other text says why the
 * batch cannot be used.
 */
export type SoundVisitor = (batch: BatchView) => undefined | "stop" | string | Promise<void>;

export async function walkSound(
  segment: SegmentFile,
  tools: { readonly crc32c: Crc32c; readonly work: CompactionWork },
  visit: SoundVisitor,
): Promise<"end" | "stop"> {
  const { file, sizeInBytes } = segment;
  const { work } = tools;
  let position = 0;
  let wanted = CHUNK_BYTES;
  let nextOffset = segment.baseOffset;
  while (position < sizeInBytes) {
    // One chunk behind the other: more than one would only take more memory.
    // deno-lint-ignore no-await-in-loop
    const bytes = await work.read(file, position, Math.min(wanted, sizeInBytes - position));
    if (bytes.length < BATCH_HEADER_BYTES) throw flawAt(file, position, "is cut short");
    const batch = new BatchView(bytes);
    let at = 0;
    while (at + BATCH_HEADER_BYTES <= bytes.length) {
      batch.moveTo(at);
      const flaw = headerFlaw(batch, sizeInBytes - position - at);
      if (flaw !== undefined) throw flawAt(file, position + at, flaw);
      const size = batch.sizeInBytes();
      if (at + size > bytes.length) break;
      if (batch.computedCrc(tools.crc32c) !== batch.crc()) {
        throw flawAt(file, position + at, "has another CRC than it says");
      }
      if (batch.baseOffset() < nextOffset) throw flawAt(file, position + at, "goes back");
      nextOffset = batch.nextOffset();
      const done = visit(batch);
      if (done === "stop") return "stop";
      if (typeof done === "string") throw flawAt(file, position + at, `cannot be used: ${done}`);
      // deno-lint-ignore no-await-in-loop
      if (done !== undefined) await done;
      at += size;
      // deno-lint-ignore no-await-in-loop
      if (work.isSliceOver()) await work.rest();
    }
    position += at;
    wanted = at > 0 ? CHUNK_BYTES : batch.sizeInBytes();
    if (at === 0 && wanted <= bytes.length) throw flawAt(file, position, "is cut short");
  }
  return "end";
}

function headerFlaw(batch: BatchView, bytesLeft: number): string | undefined {
  if (batch.magic() !== MAGIC) return `has magic ${batch.magic()}, expected ${MAGIC}`;
  if (batch.batchLength() < BATCH_LENGTH_MIN) return `has length ${batch.batchLength()}`;
  if (batch.sizeInBytes() > bytesLeft) return "is cut short";
  if (batch.lastOffsetDelta() < 0 || batch.recordCount() < 0) return "counts below 0";
  return undefined;
}

function flawAt(file: DiskFile, position: number, flaw: string): LogFault {
  return new LogFault(
    file.path,
    `Cannot compact ${file.path}: the batch at byte ${position} ${flaw}`,
  );
}
