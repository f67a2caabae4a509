/** Ranges of a file: what is left between cuts, and copying them in bounded memory. */
import type { DiskFile } from "../../env/disk.ts";
import type { Cut } from "./partition_report.ts";

const COPY_BYTES = 4 * 1024 * 1024;

export interface FileRange {
  readonly position: number;
  readonly sizeInBytes: number;
}

/** What is left between the cuts. */
export function between(cuts: readonly Cut[], end: number): readonly FileRange[] {
  const ranges: FileRange[] = [];
  let position = 0;
  for (const cut of cuts) {
    ranges.push({ position, sizeInBytes: cut.position - position });
    position = cut.position + cut.sizeInBytes;
  }
  ranges.push({ position, sizeInBytes: end - position });
  return ranges.filter(({ sizeInBytes }) => sizeInBytes > 0);
}

/** One range behind the other. */
export async function copyRanges(
  source: DiskFile,
  target: DiskFile,
  ranges: readonly FileRange[],
): Promise<void> {
  let written = 0;
  for (const { position, sizeInBytes } of ranges) {
    for (let done = 0; done < sizeInBytes;) {
      const length = Math.min(COPY_BYTES, sizeInBytes - done);
      // deno-lint-ignore no-await-in-loop -- bounded memory: a piece at a time
      const bytes = await source.read(position + done, length);
      target.write(written, [bytes]);
      written += bytes.length;
      done += length;
    }
  }
}
