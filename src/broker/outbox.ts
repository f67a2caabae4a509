/**
 * Answers of requests that came together leave together: one system call for all of them.
 *
 * What is posted in one turn of the event loop is written at its end, small parts joined into one.
 */
import type { Stream } from "../env/network.ts";
import { concat } from "../ground/concat.ts";

/** Beyond this the parts of an outbox leave at once, and one by one: copying would cost more. */
const JOIN_BYTES_MAX = 16 * 1024;
const OUTBOX_BYTES_MAX = 64 * 1024;

export class Outbox {
  readonly #stream: Stream;
  readonly #onFlushed: () => void;
  #parts: Uint8Array[] = [];
  #byteCount = 0;
  #isClosed = false;

  /** `onFlushed` is called after each write, not while the outbox is empty. */
  constructor(stream: Stream, onFlushed: () => void) {
    this.#stream = stream;
    this.#onFlushed = onFlushed;
  }

  /** Bytes that wait. */
  get byteCount(): number {
    return this.#byteCount;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  post(bytes: Uint8Array): void {
    if (this.#parts.length === 0) void Promise.resolve().then(() => this.flush());
    this.#parts.push(bytes);
    this.#byteCount += bytes.length;
    if (this.#byteCount >= OUTBOX_BYTES_MAX) this.flush();
  }

  /** Writes what waits, now: before something that goes another way to the stream. */
  flush(): void {
    const parts = this.#parts;
    const byteCount = this.#byteCount;
    if (parts.length === 0 || this.#isClosed) return;
    this.#parts = [];
    this.#byteCount = 0;
    if (byteCount > JOIN_BYTES_MAX || parts.length === 1) {
      for (const part of parts) this.#stream.write(part);
    } else this.#stream.write(concat(parts));
    this.#onFlushed();
  }

  /** The stream has gone: what waits is of no use. */
  close(): void {
    this.#isClosed = true;
    this.#parts = [];
    this.#byteCount = 0;
  }
}
