/**
 * One connection of a client: bytes in, frames, dispatch, replies out in the order of the requests.
 *
 *     bytes ─► FrameSplitter ─► waiting frames ─► dispatch ─► slots ─► stream
 *                                   ▲ bounded       │ a slot for each request, in order;
 *                                   └───────────────┘ what is ready behind one that is not, waits
 *
 * Bounded: requests under way, bytes of requests under way in all connections, bytes of replies that
 * the peer does not take. Where one of them is reached, the stream is paused.
 */
import type { Clock } from "../env/clock.ts";
import { DiskFault } from "../env/disk.ts";
import type { Stream } from "../env/network.ts";
import type { Trace } from "../env/trace.ts";
import type { BufferPool } from "../ground/buffer_pool.ts";
import type { Foreign } from "../ground/writer.ts";
import type { FileSlice } from "../log/log_slice.ts";
import { FrameSplitter } from "../wire/frame.ts";
import type { CallConnection } from "./broker_context.ts";
import type { InflightBytes } from "./inflight.ts";
import { Outbox } from "./outbox.ts";

/** What a request comes to: parts to send, nothing to send, or the end of the connection. */
export type Reply =
  | { readonly kind: "parts"; readonly parts: readonly Foreign[] }
  | { readonly kind: "none" }
  | { readonly kind: "close"; readonly reason: string };

export interface ConnectionOptions {
  readonly stream: Stream;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly inflight: InflightBytes;
  readonly pool: BufferPool;
  readonly frameBytesMax: number;
  readonly requestsMax: number;
  readonly queuedBytesMax: number;
  /** The frame is lent: what is kept of it beyond the call (not beyond the promise) is a copy. */
  readonly dispatch: (frame: Uint8Array, connection: CallConnection) => Reply | Promise<Reply>;
  /** The connection is about to be closed because of what the client sent. */
  readonly onBadRequest: (reason: string) => void;
  readonly onClose: () => void;
}

/** Requests of one connection that are begun in one turn of the event loop. */
const TURN_REQUESTS_MAX = 256;
/** And how long it may keep the event loop. */
const TURN_MS = 4;
/** What was sent before a connection is closed may take as long to reach the peer. */
const GOODBYE_MS = 1000;

interface Slot {
  readonly frameBytes: number;
  reply: Reply | undefined;
}

export class ClientConnection implements CallConnection {
  readonly fetchOffsets = new Map<string, number>();
  readonly #options: ConnectionOptions;
  readonly #splitter: FrameSplitter;
  #frames: Uint8Array[] = [];
  #slots: Slot[] = [];
  readonly #outbox: Outbox;
  #isSendingFile = false;
  #isPaused = false;
  /** Requests begun since other connections last had their turn. */
  #startedInTurn = 0;
  #turnStartMs = 0;
  #isTurnEnding = false;
  #isClosed = false;
  #isEnding = false;
  #badRequest: string | undefined;
  #lastActiveMs: number;
  readonly #onceGoing = new Set<() => void>();
  readonly #wake = (): void => this.#pump();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.stream, () => {
      if (this.#isEnding) this.#pump();
    });
    this.#lastActiveMs = options.clock.monotonicMs();
    this.#splitter = new FrameSplitter({
      frameBytesMax: options.frameBytesMax,
      pool: options.pool,
      onFrame: (frame) => this.#onFrame(frame),
    });
    options.stream.listen({
      onBytes: (bytes) => this.#onBytes(bytes),
      onDrain: () => this.#onDrain(),
      onClose: () => this.#onClose(),
    });
  }

  get isGoing(): boolean {
    return this.#isClosed || this.#isEnding;
  }

  /** Whether nothing is under way: no request without its answer, no answer that has not left. */
  get isIdle(): boolean {
    return this.#slots.length === 0 && this.#frames.length === 0 && this.#outbox.isEmpty &&
      this.#options.stream.queuedBytes === 0;
  }

  /** When bytes last came or left, on the monotonic clock. */
  get lastActiveMs(): number {
    return this.#lastActiveMs;
  }

  onceGoing(onGoing: () => void): () => void {
    this.#onceGoing.add(onGoing);
    return () => this.#onceGoing.delete(onGoing);
  }

  /** Takes no more requests; closes when those under way are answered. */
  endGracefully(): void {
    this.#isEnding = true;
    this.#options.stream.pause();
    for (const onGoing of [...this.#onceGoing]) onGoing();
    this.#pump();
  }

  destroy(): void {
    this.#options.stream.destroy();
  }

  #onBytes(bytes: Uint8Array): void {
    if (this.isGoing || this.#badRequest !== undefined) return;
    this.#lastActiveMs = this.#options.clock.monotonicMs();
    if (!this.#isTurnEnding) this.#startedInTurn = 0;
    const reason = this.#splitter.push(bytes);
    this.#pump();
    if (reason !== undefined) this.#closeFor(reason);
  }

  #onDrain(): void {
    this.#lastActiveMs = this.#options.clock.monotonicMs();
    this.#pump();
  }

  /** A frame is lent for the time of this call; one that must wait is copied. */
  #onFrame(frame: Uint8Array): void {
    if (this.#isClosed || this.#badRequest !== undefined) return;
    if (this.#frames.length > 0 || !this.#hasRoom()) {
      this.#frames.push(frame.slice());
      return;
    }
    this.#start(frame);
    this.#send();
  }

  /** Starts what may start, sends what may be sent, and pauses or resumes reading. */
  #pump(): void {
    if (this.#isClosed || this.#badRequest !== undefined) return;
    this.#send();
    // What was sent has made room; what is started may be answered at once and make more.
    while (this.#startRequests()) this.#send();
    if (this.#isEnding && this.isIdle) {
      this.#options.stream.end();
      // What the peer still sends is dropped; but while it is not read, its goodbye is not heard.
      this.#options.stream.resume();
      return;
    }
    const mayRead = this.#frames.length === 0 && this.#hasRoom() && !this.#isEnding;
    if (mayRead === this.#isPaused) {
      this.#isPaused = !mayRead;
      if (mayRead) this.#options.stream.resume();
      else this.#options.stream.pause();
    }
    if (this.#isPaused && this.#options.inflight.isFull) this.#options.inflight.wait(this.#wake);
  }

  #hasRoom(): boolean {
    const { requestsMax, queuedBytesMax, stream, inflight } = this.#options;
    return !this.#isTurnOver() && this.#slots.length < requestsMax &&
      stream.queuedBytes + this.#outbox.byteCount < queuedBytesMax &&
      // One request of a connection may always run: the pool bounds how many run beside it.
      (this.#slots.length === 0 || !inflight.isFull);
  }

  /** Starts waiting frames while there is room; whether it started any. */
  #startRequests(): boolean {
    let started = 0;
    while (started < this.#frames.length && !this.#isClosed && this.#hasRoom()) {
      this.#start(this.#frames[started++] as Uint8Array);
      this.#send(); // what is answered counts for the room that is left
    }
    if (started > 0) this.#frames = this.#frames.slice(started);
    return started > 0;
  }

  #start(frame: Uint8Array): void {
    const slot: Slot = { frameBytes: frame.length, reply: undefined };
    this.#slots.push(slot);
    if (this.#startedInTurn++ === 0) this.#turnStartMs = this.#options.clock.monotonicMs();
    this.#options.inflight.take(frame.length);
    const reply = this.#options.dispatch(frame, this);
    if (!(reply instanceof Promise)) {
      slot.reply = reply;
      return;
    }
    void reply.then((settled) => {
      slot.reply = settled;
      if (this.#isClosed || this.#badRequest !== undefined) releaseReply(settled);
      else this.#pump();
    });
  }

  /** One chunk may hold thousands of small requests, or some dear ones: others have their turn too. */
  #isTurnOver(): boolean {
    if (this.#startedInTurn === 0) return false;
    const isOver = this.#startedInTurn >= TURN_REQUESTS_MAX ||
      this.#options.clock.monotonicMs() - this.#turnStartMs > TURN_MS;
    if (isOver && !this.#isTurnEnding) {
      this.#isTurnEnding = true;
      this.#options.clock.after(0, () => {
        this.#isTurnEnding = false;
        this.#startedInTurn = 0;
        this.#pump();
      });
    }
    return isOver;
  }

  #send(): void {
    let sent = 0;
    while (!this.#isSendingFile && !this.#isClosed) {
      const slot = this.#slots[sent];
      if (slot?.reply === undefined) break;
      sent++;
      this.#options.inflight.give(slot.frameBytes);
      this.#sendReply(slot.reply);
    }
    if (sent === 0) return;
    this.#slots.splice(0, sent);
    this.#lastActiveMs = this.#options.clock.monotonicMs();
  }

  #sendReply(reply: Reply): void {
    if (reply.kind === "close") this.#closeFor(reply.reason);
    if (reply.kind !== "parts") return;
    const fileAt = reply.parts.findIndex((part) => !(part instanceof Uint8Array));
    if (fileAt === -1) {
      for (const part of reply.parts) this.#outbox.post(part as Uint8Array);
      return;
    }
    this.#outbox.flush();
    this.#isSendingFile = true;
    void this.#sendWithFiles(reply.parts).catch((error: unknown) => this.#onSendFault(error))
      .finally(() => {
        releaseReply(reply);
        this.#isSendingFile = false;
        this.#pump();
      });
  }

  async #sendWithFiles(parts: readonly Foreign[]): Promise<void> {
    const { stream } = this.#options;
    for (const part of parts) {
      if (this.#isClosed) return;
      if (part instanceof Uint8Array) stream.write(part);
      else {
        const slice = part as FileSlice;
        // deno-lint-ignore no-await-in-loop -- one part behind the other
        await stream.sendFile(slice.file, slice.position, slice.byteLength);
      }
    }
  }

  /** A file could not be read after the head of the reply had left: the peer must not go on reading. */
  #onSendFault(error: unknown): void {
    if (!(error instanceof DiskFault)) throw error;
    this.#options.trace.event("error", "cannot read a log while sending", { path: error.path });
    this.#options.stream.destroy();
  }

  /** The client is at fault: what is ready has been sent, the rest is dropped, and that is told now. */
  #closeFor(reason: string): void {
    if (this.#badRequest !== undefined || this.#isClosed) return;
    this.#badRequest = reason;
    this.#options.onBadRequest(reason);
    this.#outbox.flush();
    this.#isEnding = true;
    this.#dropRequests();
    this.#options.stream.end();
    this.#options.clock.after(GOODBYE_MS, () => this.#options.stream.destroy());
  }

  /** Gives back what requests under way hold; whoever still works for them need not go on. */
  #dropRequests(): void {
    for (const slot of this.#slots) {
      this.#options.inflight.give(slot.frameBytes);
      if (slot.reply !== undefined) releaseReply(slot.reply);
    }
    this.#slots = [];
    this.#frames = [];
    for (const onGoing of [...this.#onceGoing]) onGoing();
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outbox.close();
    this.#splitter.close();
    this.#options.inflight.forget(this.#wake);
    this.#dropRequests();
    this.#options.onClose();
  }
}

/** Gives back the files that a reply holds. */
function releaseReply(reply: Reply): void {
  if (reply.kind !== "parts") return;
  for (const part of reply.parts) {
    if (!(part instanceof Uint8Array)) (part as FileSlice).release();
  }
}
