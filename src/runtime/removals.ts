/**
 * Files and folders that are out of every log, and go after their delay (`file.delete.delay.ms`).
 *
 * One file at a time, each in a turn of its own: to unlink a large one may take the disk a while, and
 * a folder may hold thousands.
 */
import type { Clock, Timer } from "../env/clock.ts";
import { type Disk, DiskFault } from "../env/disk.ts";
import type { Place } from "./log_places.ts";

export class Removals {
  readonly #clock: Clock;
  readonly #disk: Disk;
  readonly #timers = new Set<Timer>();

  constructor(clock: Clock, disk: Disk) {
    this.#clock = clock;
    this.#disk = disk;
  }

  later(place: Place, paths: readonly string[], delayMs: number): void {
    if (paths.length > 0) this.#after(delayMs, () => this.#removeNext(place, [...paths]));
  }

  /** What is left goes at the next start. */
  cancel(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #removeNext(place: Place, left: string[]): void {
    const path = left.at(-1);
    if (path === undefined || !place.isOnline) return;
    try {
      const inside = this.#disk.info(path)?.isDirectory === true ? this.#disk.list(path) : [];
      if (inside.length > 0) {
        left.push(...inside.map(({ name }) => `${path}/${name}`));
      } else {
        this.#disk.remove(path);
        left.pop();
      }
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      place.onFault(error);
      return; // the next start removes what is left
    }
    if (left.length > 0) this.#after(0, () => this.#removeNext(place, left));
  }

  #after(delayMs: number, action: () => void): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }
}
