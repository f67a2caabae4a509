/**
 * What the logs of one directory ask of its disk together: that the names of their folders be durable,
 * which one call does for all who ask at the same time, and the first syncs of new folders, which hold
 * several handles each and are done by some at a time.
 */
import { type Disk, DiskFault, isPassing } from "../../env/disk.ts";

/** The disk has no more to do at once, and a process has handles for so many. */
const FIRST_SYNCS_MAX = 16;

export class SharedSyncs {
  readonly #disk: Disk;
  readonly #path: string;
  #lastSync: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | undefined;
  #firstSyncs = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /**
   * Makes the names in the directory durable; who comes while that is under way shares the next. One
   * that has failed is the last: what it was to carry over is lost, and the next would not tell.
   */
  syncNames(): Promise<void> {
    if (this.#nextSync !== undefined) return this.#nextSync;
    const sync = this.#lastSync.then(() => {
      this.#nextSync = undefined;
      return this.#disk.syncDirectory(this.#path);
    });
    this.#lastSync = sync.catch((fault: unknown) => {
      if (!(fault instanceof DiskFault && isPassing(fault))) throw fault;
    });
    this.#lastSync.catch(() => undefined); // who asked hears of it
    return this.#nextSync = sync;
  }

  /** Runs the first sync of a new folder when it has its turn. */
  async firstSync(sync: () => Promise<void>): Promise<void> {
    if (this.#firstSyncs >= FIRST_SYNCS_MAX) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve)); // with a place kept for it
    } else this.#firstSyncs++;
    try {
      await sync();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#firstSyncs--;
      else next();
    }
  }
}
