/**
 * A file that several hold at once: it closes when nobody does any more.
 *
 * A segment that is deleted, or whose handle is wanted for another, may still be on its way to a
 * socket or to the device; the file stays open until that is done.
 */
import type { DiskFile } from "../../env/disk.ts";
import { assert } from "../../ground/assert.ts";

export class SharedFile {
  readonly file: DiskFile;
  #holders = 1; // who made it

  constructor(file: DiskFile) {
    this.file = file;
  }

  hold(): void {
    assert(this.#holders > 0, "a closed file is not held");
    this.#holders++;
  }

  release(): void {
    assert(this.#holders > 0, "a file is released once by each holder");
    this.#holders--;
    if (this.#holders === 0) this.file.close();
  }
}
