/** Folders of deleted partitions, which go after their delay (`file.delete.delay.ms`). */
import type { Clock, Timer } from "../env/clock.ts";
import { DiskFault, isPassing } from "../env/disk.ts";
import type { Place } from "./log_places.ts";

export class Removals {
  readonly #clock: Clock;
  readonly #onFault: (place: Place, fault: DiskFault) => void;
  readonly #timers = new Set<Timer>();

  constructor(clock: Clock, onFault: (place: Place, fault: DiskFault) => void) {
    this.#clock = clock;
    this.#onFault = onFault;
  }

  later(place: Place, deletedFolder: string, delayMs: number): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      try {
        if (place.isOnline) place.directory.removeDeletedFolder(deletedFolder);
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        if (!isPassing(error)) this.#onFault(place, error);
      }
    });
    this.#timers.add(timer);
  }

  /** What is left goes at the next start. */
  cancel(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
