/** What a read of a log gives: views of memory, ranges of files, or nothing. */
import type { DiskFile } from "../../env/disk.ts";
import type { Offset } from "../../ground/numbers.ts";
import type { SharedFile } from "../segment/shared_file.ts";

/** A range of a segment's file, which stays open until it is released. */
export interface FileSlice {
  readonly kind: "file";
  readonly file: DiskFile;
  readonly position: number;
  readonly byteLength: number;
  /** Once, when the bytes have been sent or will not be. */
  release(): void;
}

/** Whole batches, one behind the other. */
export interface LogSlice {
  /** Of the first batch; undefined where there is none. */
  readonly baseOffset?: Offset;
  /** Behind the last batch; undefined where there is none. */
  readonly nextOffset?: Offset;
  readonly parts: readonly (Uint8Array | FileSlice)[];
  readonly byteLength: number;
}

export const EMPTY_SLICE: LogSlice = { parts: [], byteLength: 0 };

/** Holds the file until the slice is released. */
export function fileSlice(shared: SharedFile, position: number, byteLength: number): FileSlice {
  shared.hold();
  let isHeld = true;
  return {
    kind: "file",
    file: shared.file,
    position,
    byteLength,
    release(): void {
      if (!isHeld) return;
      isHeld = false;
      shared.release();
    },
  };
}
