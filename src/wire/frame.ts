/**
 * Splits a stream of bytes into frames: an int32 length, then that many bytes.
 *
 * A frame that lies inside one chunk is handed on as a view of it. One that is spread over chunks is
 * assembled in a buffer that is at first of the size of a usual frame and then never holds more than
 * four times what has arrived: a peer that declares 100 MiB and sends one byte costs 128 KiB.
 * With a pool that buffer goes back to it when the frame was handed on: the frame is lent, not given.
 *
 * Not here: what a frame means, and what becomes of a connection that sent rubbish; `push` only says
 * why no further frame can be found.
 */

import type { BufferPool } from "../ground/buffer_pool.ts";

export interface FrameSplitterOptions {
  readonly frameBytesMax: number;
  /** The shortest header of a request is 8 bytes; a reader of responses may set less. */
  readonly frameBytesMin?: number;
  /** Where frames are assembled; without one each has memory of its own. */
  readonly pool?: BufferPool;
  /**
   * The bytes behind the length. They are the receiver's to keep; where there is a pool, only until
   * the call returns.
   */
  onFrame(frame: Uint8Array): void;
}

const LENGTH_BYTES = 4;
const FRAME_BYTES_MIN = 8;
/** A batch of 64 KiB and what is around it, rounded up: most frames are assembled without growing. */
const ASSEMBLY_BYTES_MIN = 128 * 1024;
const ASSEMBLY_GROWTH = 4;
const NO_BYTES = new Uint8Array(0);

export class FrameSplitter {
  readonly #options: FrameSplitterOptions;
  readonly #frameBytesMin: number;
  /** The length of the frame under way: how many of its four bytes are there, and their value. */
  #lengthBytes = 0;
  #length = 0;
  #assembly: Uint8Array = NO_BYTES;
  #assembledBytes = 0;
  #reason: string | undefined;

  constructor(options: FrameSplitterOptions) {
    this.#options = options;
    this.#frameBytesMin = Math.max(1, options.frameBytesMin ?? FRAME_BYTES_MIN);
  }

  /** Gives up a frame under way: nothing will be pushed any more. */
  close(): void {
    const assembly = this.#assembly;
    this.#reason ??= "closed";
    this.#assembly = NO_BYTES;
    this.#assembledBytes = 0;
    if (assembly.length > 0) this.#options.pool?.give(assembly);
  }

  /** Bytes that have arrived of a frame that is not complete. */
  get pendingBytes(): number {
    return this.#lengthBytes + this.#assembledBytes;
  }

  /**
   * Takes the next bytes of the stream and hands on every frame that is complete with them.
   *
   * Errors: returns the reason why the stream can only be closed; the same one ever after.
   */
  push(chunk: Uint8Array): string | undefined {
    let at = 0;
    while (this.#reason === undefined && at < chunk.length) {
      if (this.#lengthBytes < LENGTH_BYTES) {
        at = this.#takeLength(chunk, at);
        if (this.#lengthBytes === LENGTH_BYTES) this.#reason = this.#rejectLength();
      } else {
        at = this.#takeFrame(chunk, at);
      }
    }
    return this.#reason;
  }

  #takeLength(chunk: Uint8Array, from: number): number {
    let at = from;
    while (this.#lengthBytes < LENGTH_BYTES && at < chunk.length) {
      this.#length = (this.#length << 8) | (chunk[at++] as number);
      this.#lengthBytes++;
    }
    return at;
  }

  #takeFrame(chunk: Uint8Array, at: number): number {
    const missing = this.#length - this.#assembledBytes;
    const end = Math.min(at + missing, chunk.length);
    if (this.#assembledBytes === 0 && end - at === missing) {
      this.#finish(chunk.subarray(at, end));
      return end;
    }
    this.#reserve(this.#assembledBytes + (end - at));
    this.#assembly.set(chunk.subarray(at, end), this.#assembledBytes);
    this.#assembledBytes += end - at;
    if (this.#assembledBytes === this.#length) {
      this.#finish(this.#assembly.subarray(0, this.#length));
    }
    return end;
  }

  /** Back to the start before the frame is handed on: its receiver may push again. */
  #finish(frame: Uint8Array): void {
    const assembly = this.#assembly;
    this.#lengthBytes = 0;
    this.#length = 0;
    this.#assembly = NO_BYTES;
    this.#assembledBytes = 0;
    this.#options.onFrame(frame);
    if (assembly.length > 0) this.#options.pool?.give(assembly);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#assembly.length) return;
    const { pool } = this.#options;
    const wanted = Math.min(Math.max(bytes * ASSEMBLY_GROWTH, ASSEMBLY_BYTES_MIN), this.#length);
    const larger = pool === undefined ? new Uint8Array(wanted) : pool.take(wanted);
    larger.set(this.#assembly.subarray(0, this.#assembledBytes));
    if (this.#assembly.length > 0) pool?.give(this.#assembly);
    this.#assembly = larger;
  }

  #rejectLength(): string | undefined {
    const length = this.#length;
    const { frameBytesMax } = this.#options;
    if (length >= this.#frameBytesMin && length <= frameBytesMax) return undefined;
    const protocol = foreignProtocol(length);
    if (protocol !== undefined) {
      return `Cannot read frame: these are the first bytes of ${protocol}`;
    }
    return length < this.#frameBytesMin
      ? `Cannot read frame: its length ${length} is below ${this.#frameBytesMin}`
      : `Cannot read frame: its length ${length} is over ${frameBytesMax}`;
  }
}

/** The first four bytes, read as a length, of what comes from, or to, a wrong port. */
const METHODS: ReadonlySet<string> = new Set([
  ...["GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "PATC", "CONN", "TRAC", "PRI "],
]);
const TLS_HANDSHAKE = 0x1603; // record type 22, then the major version

function foreignProtocol(length: number): string | undefined {
  if (length >>> 16 === TLS_HANDSHAKE) return "a TLS handshake";
  const text = String.fromCharCode(
    ...[length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255],
  );
  if (text === "HTTP") return "an HTTP answer";
  return METHODS.has(text) ? "an HTTP request" : undefined;
}
