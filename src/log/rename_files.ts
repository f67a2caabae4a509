/** Renames that go together: all of them, or none while the program runs. */
import type { Disk } from "../env/disk.ts";

export interface Rename {
  readonly from: string;
  readonly to: string;
}

/**
 * In the order given. When one fails, those before it are taken back, the last one first, and the
 * fault is thrown; where that fails too, `onBroken` hears of it: names and memory differ now.
 */
export function renameFiles(
  disk: Disk,
  renames: readonly Rename[],
  onBroken: (fault: unknown) => void,
): void {
  let doneCount = 0;
  try {
    for (const { from, to } of renames) {
      disk.rename(from, to);
      doneCount++;
    }
  } catch (fault) {
    undoRenames(disk, renames.slice(0, doneCount), onBroken);
    throw fault;
  }
}

/** The last one first. */
export function undoRenames(
  disk: Disk,
  renames: readonly Rename[],
  onBroken: (fault: unknown) => void,
): void {
  try {
    for (const { from, to } of renames.toReversed()) disk.rename(to, from);
  } catch (fault) {
    onBroken(fault);
  }
}
