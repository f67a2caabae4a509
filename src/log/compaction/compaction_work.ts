/**
 * How compaction takes its turns: small slices of the processor, a given number of bytes in a second,
 * and an end as soon as it is not wanted any more.
 */
import type { Clock } from "../../env/clock.ts";
import { DiskFault, type DiskFile } from "../../env/disk.ts";
import { LogFault } from "../log_fault.ts";

/**
 * The processor is given up after so long; a batch that was begun is brought to its end. Waiting for a
 * read is no rest: what is read lies in the page cache more often than not, and is there at once.
 */
const SLICE_MS = 0.5;
/**
 * And left to others for so long, though nobody may want it. A produced record needs the event loop
 * twice or more (to be appended, to be told durable): it must find it idle more often than not.
 */
const REST_MS = 1;

/** The run is given up and changes nothing more: the log or the wish for it has gone, or the room. */
export class GivenUp extends Error {
  override readonly name = "GivenUp";
}

export interface WorkOptions {
  readonly clock: Clock;
  /** Takes so many bytes of those that may be read and written; resolves when it is time to go on. */
  readonly pace: { take(bytes: number): Promise<void> | undefined };
  readonly isWanted: () => boolean;
}

export class CompactionWork {
  bytesRead = 0;
  bytesWritten = 0;
  readonly #options: WorkOptions;
  /** When the present stretch of work began, and how long the slice's stretches before it were. */
  #startMs = 0;
  #workedMs = 0;

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** Throws where nothing more is to be done. */
  check(): void {
    if (!this.#options.isWanted()) throw new GivenUp("it is not wanted any more");
  }

  /** Reads off the event loop. A file that cannot be read is its log's fault. */
  async read(file: DiskFile, position: number, length: number): Promise<Uint8Array> {
    this.bytesRead += length;
    if (this.isSliceOver()) await this.rest();
    const pause = this.#options.pace.take(length);
    if (pause !== undefined) await this.#waitFor(pause);
    try {
      return await this.#waitFor(file.read(position, length));
    } catch (fault) {
      if (fault instanceof DiskFault && fault.kind === "io") {
        throw new LogFault(file.path, fault.message);
      }
      throw fault;
    } finally {
      this.check();
    }
  }

  /** Whether others have waited for long enough: then `rest` is to be called. */
  isSliceOver(): boolean {
    return this.#worked() >= SLICE_MS;
  }

  /** Lets the event loop do what waits for it, and what comes soon. */
  async rest(): Promise<void> {
    const { clock } = this.#options;
    await new Promise<void>((resolve) => clock.after(REST_MS, resolve));
    this.#workedMs = 0;
    this.#startMs = clock.monotonicMs();
    this.check();
  }

  wrote(bytes: number): Promise<void> | undefined {
    this.bytesWritten += bytes;
    return this.#options.pace.take(bytes);
  }

  /** What is waited for is no work. */
  async #waitFor<Result>(promise: Promise<Result>): Promise<Result> {
    this.#workedMs = this.#worked();
    try {
      return await promise;
    } finally {
      this.#startMs = this.#options.clock.monotonicMs();
    }
  }

  #worked(): number {
    return this.#workedMs + this.#options.clock.monotonicMs() - this.#startMs;
  }
}
