/**
 * How compaction takes its turns: small slices of the processor, a given number of bytes in a second,
 * and an end as soon as it is not wanted any more.
 */
import type { Clock } from "../../env/clock.ts";
import { DiskFault, type DiskFile } from "../../env/disk.ts";
import { LogFault } from "../log_fault.ts";

/** The processor is given up after so long; a batch that was begun is brought to its end. */
const SLICE_MS = 1;
/** And left to others for so long, though nobody may want it: who comes meanwhile need not wait. */
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
  #sliceEndMs = 0;

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** Throws where nothing more is to be done. */
  check(): void {
    if (!this.#options.isWanted()) throw new GivenUp("it is not wanted any more");
  }

  /** Reads off the event loop, which begins a new slice. A file that cannot be read is its log's fault. */
  async read(file: DiskFile, position: number, length: number): Promise<Uint8Array> {
    this.bytesRead += length;
    await this.#options.pace.take(length);
    try {
      return await file.read(position, length);
    } catch (fault) {
      if (fault instanceof DiskFault && fault.kind === "io") {
        throw new LogFault(file.path, fault.message);
      }
      throw fault;
    } finally {
      this.#sliceEndMs = this.#options.clock.monotonicMs() + SLICE_MS;
      this.check();
    }
  }

  /** Whether others have waited for long enough: then `rest` is to be called. */
  isSliceOver(): boolean {
    return this.#options.clock.monotonicMs() >= this.#sliceEndMs;
  }

  /** Lets the event loop do what waits for it, and what comes soon. */
  async rest(): Promise<void> {
    const { clock } = this.#options;
    await new Promise<void>((resolve) => clock.after(REST_MS, resolve));
    this.#sliceEndMs = this.#options.clock.monotonicMs() + SLICE_MS;
    this.check();
  }

  wrote(bytes: number): Promise<void> | undefined {
    this.bytesWritten += bytes;
    return this.#options.pace.take(bytes);
  }
}
