/**
 * Records on their way to stdout: gathered in large buffers, never kept back.
 *
 * While one buffer is being written the other is filled; when both are full the producer waits, which
 * is the back-pressure of the pipe. A buffer that is not full leaves as soon as the event loop has
 * nothing else at hand, so a lone record appears at once.
 */
import type { BrokenPipe } from "./failure.ts";
import type { Io } from "./io.ts";

const BUFFER_BYTES = 256 * 1024;
/** Below this a loop is faster than `set` with a view of the range (measured under Bun). */
const LOOP_BYTES_MAX = 120;

export interface OutputBufferOptions {
  readonly bufferBytes?: number;
  /** Hears at once that a write failed, for whoever waits for something else meanwhile. */
  onFailure?(): void;
  /** Hears that `bytesWritten` has grown. */
  onWritten?(): void;
}

export class OutputBuffer {
  readonly #io: Pick<Io, "stdout" | "soon">;
  #buffer: Uint8Array;
  #spare: Uint8Array;
  #length = 0;
  /** The write that is under way; never rejects, see `#failure`. */
  #writing: Promise<void> | undefined;
  readonly #onFailure: (() => void) | undefined;
  readonly #onWritten: (() => void) | undefined;
  #bytesStarted = 0;
  #bytesWritten = 0;
  #isFlushPlanned = false;
  #failure: unknown;

  constructor(io: Pick<Io, "stdout" | "soon">, options: OutputBufferOptions = {}) {
    const bufferBytes = options.bufferBytes ?? BUFFER_BYTES;
    this.#io = io;
    this.#onFailure = options.onFailure?.bind(options);
    this.#onWritten = options.onWritten?.bind(options);
    this.#buffer = new Uint8Array(bufferBytes);
    this.#spare = new Uint8Array(bufferBytes);
  }

  /** Whether the next record should wait for `drain()`. */
  get isFull(): boolean {
    return this.#length > this.#buffer.length / 2 && this.#writing !== undefined;
  }

  /** Of all bytes that were put, counted from the beginning. */
  get bytesPut(): number {
    return this.#bytesStarted + this.#length;
  }

  /** As many of them the system has; the stream may be a pipe that nobody has read yet. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  put(bytes: Uint8Array): void {
    this.putRange(bytes, 0, bytes.length);
  }

  /** Copies a part of `bytes`; grows where one record is larger than the buffer. */
  putRange(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    if (length < LOOP_BYTES_MAX) {
      const buffer = this.#buffer;
      let at = this.#length;
      for (let index = start; index < end; index++) buffer[at++] = bytes[index] as number;
    } else {
      this.#buffer.set(
        start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end),
        this.#length,
      );
    }
    this.#length += length;
    if (!this.#isFlushPlanned) this.#planFlush();
  }

  /** Waits until there is room for more. Throws what the stream threw, a `BrokenPipe` among it. */
  async drain(): Promise<void> {
    if (this.#writing !== undefined) await this.#writing;
    this.#check();
    this.#start();
  }

  /** Waits until all of it is out. */
  async finish(): Promise<void> {
    while (this.#length > 0 || this.#writing !== undefined) {
      if (this.#writing !== undefined) await this.#writing;
      this.#check();
      this.#start();
    }
    this.#check();
  }

  /** Nothing more is written; whoever waits is told why. */
  abandon(reason: BrokenPipe): void {
    this.#failure ??= reason;
    this.#onFailure?.();
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#buffer.length) return;
    if (this.#writing === undefined) this.#start();
    if (this.#length + length <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + length));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  #planFlush(): void {
    this.#isFlushPlanned = true;
    this.#io.soon(() => {
      this.#isFlushPlanned = false;
      this.#start();
    });
  }

  /** Hands the filled buffer over, unless one is under way: then that one's end does it. */
  #start(): void {
    if (this.#writing !== undefined || this.#length === 0 || this.#failure !== undefined) return;
    const full = this.#buffer;
    const bytes = full.subarray(0, this.#length);
    this.#buffer = this.#spare;
    this.#length = 0;
    this.#bytesStarted += bytes.length;
    this.#writing = this.#io.stdout.write(bytes).then(
      () => {
        this.#bytesWritten += bytes.length;
        this.#written(full);
        this.#onWritten?.();
      },
      (error: unknown) => {
        this.#failure = error;
        this.#written(full);
        this.#onFailure?.();
      },
    );
  }

  #written(buffer: Uint8Array): void {
    this.#spare = buffer;
    this.#writing = undefined;
    if (!this.#isFlushPlanned) this.#start();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
