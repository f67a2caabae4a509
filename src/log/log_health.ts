/**
 * Whether a log may be used: not after its disk has failed, and not after it was closed.
 *
 * The first fault is kept, and thrown again at whoever comes later.
 */
import { DiskFault, isPassing } from "../env/disk.ts";
import { assert } from "../ground/assert.ts";

export class LogHealth {
  isClosed = false;
  #fault: unknown;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  get isUsable(): boolean {
    return !this.isClosed && this.#fault === undefined;
  }

  /** What the disk holds is not known any more, or differs from what memory says. */
  onFault(fault: unknown): void {
    this.#fault ??= fault;
  }

  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** For a call of who has the log in hand. */
  assertUsable(): void {
    assert(!this.isClosed, "a closed log is not used");
    this.throwFault();
  }

  /** For what has waited: meanwhile the log may have been closed, by who had a reason to. */
  throwUnusable(action: string): void {
    this.throwFault();
    if (!this.isClosed) return;
    const directory = this.#directory;
    throw new DiskFault("not-found", directory, `Cannot ${action} ${directory}: it is closed`);
  }

  /** What was not even begun may be tried again; a sync that failed may not (fsyncgate). */
  async watch<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (fault) {
      if (!(fault instanceof DiskFault && isPassing(fault))) this.onFault(fault);
      throw fault;
    }
  }
}
