/**
 * Files and folders that are out of every log, and go after their delay (`file.delete.delay.ms`).
 *
 * In a log directory that is full they go at once. The delay is Kafka's, for readers that open a file by
 * its name a little late; here nothing is lost with it: whoever reads has the file open and reads on,
 * and the name by which it was known is gone already. Its blocks are given back when the last reader is
 * done.
 *
 * One file of a directory after the other, off the event loop: to unlink a gigabyte takes the system a
 * third of a second (measured, ext4), and a folder may hold thousands.
 */
import type { Clock, Timer } from "../env/clock.ts";
import { type Disk, DiskFault, isPassing } from "../env/disk.ts";
import type { Place } from "./log_places.ts";

/** What waits for its time. */
interface Waiting {
  readonly place: Place;
  readonly paths: readonly string[];
  /** It found no handles or no room for its own removal. */
  readonly isRetry: boolean;
  readonly timer: Timer;
}

/** When what could not be removed for now is tried again. */
const RETRY_MS = 60_000;

export class Removals {
  readonly #clock: Clock;
  readonly #disk: Disk;
  readonly #waiting = new Set<Waiting>();
  /** What is being removed: the last one is the next. */
  readonly #left = new Map<Place, string[]>();
  #isCancelled = false;

  constructor(clock: Clock, disk: Disk) {
    this.#clock = clock;
    this.#disk = disk;
  }

  later(place: Place, paths: readonly string[], delayMs: number): void {
    if (paths.length > 0) this.#after(place.isFull ? 0 : delayMs, place, paths);
  }

  /** Room is wanted: nothing of this place waits any longer, but for what was tried already. */
  hurry(place: Place): void {
    for (const waiting of [...this.#waiting]) {
      if (waiting.place !== place || waiting.isRetry) continue;
      waiting.timer.cancel();
      this.#waiting.delete(waiting);
      this.#after(0, place, waiting.paths);
    }
  }

  /** What is left goes at the next start. */
  cancel(): void {
    this.#isCancelled = true;
    for (const { timer } of this.#waiting) timer.cancel();
    this.#waiting.clear();
  }

  #after(delayMs: number, place: Place, paths: readonly string[], isRetry = false): void {
    if (this.#isCancelled) return;
    const timer = this.#clock.after(delayMs, () => {
      this.#waiting.delete(waiting);
      const left = this.#left.get(place);
      if (left === undefined) void this.#removeAll(place, [...paths]);
      else left.push(...paths);
    });
    const waiting = { place, paths, isRetry, timer };
    this.#waiting.add(waiting);
  }

  async #removeAll(place: Place, left: string[]): Promise<void> {
    this.#left.set(place, left);
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      if (this.#isCancelled || !place.isOnline) break;
      try {
        // deno-lint-ignore no-await-in-loop -- one at a time: nobody waits for it
        await this.#remove(path, left);
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        place.onFault(error); // the next start removes what is left
        if (isPassing(error)) this.#after(RETRY_MS, place, [path], true);
      }
    }
    this.#left.delete(place);
  }

  /** Of a folder with something in it: that first, then the folder. */
  async #remove(path: string, left: string[]): Promise<void> {
    if (this.#disk.info(path)?.isDirectory !== true) {
      await this.#disk.removeFile(path);
      return;
    }
    const inside = this.#disk.list(path);
    if (inside.length === 0) this.#disk.remove(path);
    else left.push(path, ...inside.map(({ name }) => `${path}/${name}`));
  }
}
