/**
 * When the folders of new partitions are made: at once for a few, a little later for many.
 *
 * A folder and the file in it cost the file system two inodes, 0.2 to 1 ms of a core (measured, ext4):
 * ten thousand of them would keep whoever asked for a thousand topics waiting for seconds. A log needs
 * neither before its first record, which makes them where they are not there; until then they are made
 * so that the disk shows what there is, and that a partition is found where another directory is absent.
 */
import type { Clock } from "../env/clock.ts";
import { DiskFault } from "../env/disk.ts";
import type { Log } from "../log/log.ts";

/** So many are made at once in each period of new ones. */
const AT_ONCE_MAX = 32;
const PERIOD_MS = 1000;
/** Of the others: how long they are made, and how long others have turns then. */
const SLICE_MS = 5;
const PAUSE_MS = 15;

interface Later {
  readonly log: Pick<Log, "makeFolder">;
  onFault(fault: DiskFault): void;
}

export class NewFolders {
  readonly #clock: Clock;
  #left: Later[] = [];
  #next = 0;
  #madeCount = 0;
  #beganMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the next one is to be made at once. */
  takeNow(): boolean {
    const now = this.#clock.monotonicMs();
    if (now - this.#beganMs >= PERIOD_MS) {
      this.#beganMs = now;
      this.#madeCount = 0;
    }
    return this.#madeCount++ < AT_ONCE_MAX;
  }

  /** One that its first record may be faster to make. */
  later(one: Later): void {
    this.#left.push(one);
    if (this.#left.length === 1) this.#clock.after(PERIOD_MS, () => this.#makeSome());
  }

  #makeSome(): void {
    const endMs = this.#clock.monotonicMs() + SLICE_MS;
    while (this.#next < this.#left.length) {
      const { log, onFault } = this.#left[this.#next++] as Later;
      try {
        log.makeFolder();
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        onFault(error); // the first record tries again
      }
      if (this.#clock.monotonicMs() >= endMs) {
        this.#clock.after(PAUSE_MS, () => this.#makeSome());
        return;
      }
    }
    this.#left = [];
    this.#next = 0;
  }
}
