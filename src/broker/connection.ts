/**
 * One connection of a client: bytes in, frames, dispatch, replies out in the order of the requests.
 *
 *     bytes ─► FrameSplitter ─► waiting frames ─► dispatch ─► ReplyQueue ─► stream
 *                                   ▲ bounded                     │
 *                                   └── paused while there is no room ──┘
 *
 * Bounded: requests under way, bytes of requests under way in all connections, bytes of replies that
 * the peer does not take, and how long one connection keeps the event loop. Where a bound is reached,
 * frames wait and the stream is paused.
 */
import type { Clock } from "../env/clock.ts";
import type { Stream } from "../env/network.ts";
import type { Trace } from "../env/trace.ts";
import type { BufferPool } from "../ground/buffer_pool.ts";
import { FrameSplitter } from "../wire/frame.ts";
import type { PeerSession } from "../runtime/peers/peer_session.ts";
import type { CallConnection, ConnectionScope } from "./broker_context.ts";
import type { InflightBytes } from "./inflight.ts";
import { type Reply, ReplyQueue } from "./reply_queue.ts";

export interface ConnectionOptions {
  readonly stream: Stream;
  readonly scope: ConnectionScope;
  /** Where it comes from, for messages. */
  readonly remote: string;
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

/** Requests of one connection that are begun, or answered late, in one turn of the event loop. */
const TURN_REQUESTS_MAX = 256;
/** And how long it may keep the event loop. */
const TURN_MS = 4;
/** What was sent before a connection is closed may take as long to reach the peer. */
const GOODBYE_MS = 1000;

export class ClientConnection implements CallConnection {
  peerSession: PeerSession | undefined;
  readonly #options: ConnectionOptions;
  readonly #splitter: FrameSplitter;
  readonly #replies: ReplyQueue;
  /** Copies of frames that wait for room. */
  readonly #frames: Uint8Array[] = [];
  /** "ending": takes no more requests; "closing": the client was at fault; "closed": is gone. */
  #state: "open" | "ending" | "closing" | "closed" = "open";
  #isPaused = false;
  #isPumping = false;
  #isPumpWanted = false;
  /** Requests begun and answers encoded since other connections last had their turn. */
  #workInTurn = 0;
  #turnStartMs = 0;
  #turnLastMs = 0;
  #isTurnEnding = false;
  #lastActiveMs: number;
  readonly #onceGoing = new Set<() => void>();
  readonly #wake = (): void => this.#pump();

  constructor(options: ConnectionOptions) {
    const { stream, trace, inflight, pool, frameBytesMax } = options;
    this.#options = options;
    this.#lastActiveMs = options.clock.monotonicMs();
    this.#splitter = new FrameSplitter({
      frameBytesMax,
      pool,
      onFrame: (frame) => this.#onFrame(frame),
    });
    this.#replies = new ReplyQueue({
      stream,
      trace,
      inflight,
      mayEncode: () => this.#mayEncode(),
      onCloseReply: (reason) => this.#closeFor(reason),
      onProgress: this.#wake,
    });
    stream.listen({
      onBytes: (bytes) => this.#onBytes(bytes),
      onDrain: () => this.#onDrain(),
      onClose: () => this.#onClose(),
    });
  }

  get remote(): string {
    return this.#options.remote;
  }

  get scope(): ConnectionScope {
    return this.#options.scope;
  }

  get isGoing(): boolean {
    return this.#state !== "open";
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
    if (this.isGoing) return;
    this.#state = "ending";
    this.#tellGoing();
    this.#pump();
  }

  destroy(): void {
    this.#options.stream.destroy();
  }

  #onBytes(bytes: Uint8Array): void {
    if (this.isGoing) return;
    this.#lastActiveMs = this.#options.clock.monotonicMs();
    if (!this.#isTurnEnding) this.#workInTurn = 0;
    this.#isPumping = true; // what happens in here is looked at below
    const reason = this.#splitter.push(bytes);
    this.#isPumping = false;
    this.#pump();
    if (reason !== undefined) this.#closeFor(reason);
  }

  #onDrain(): void {
    this.#lastActiveMs = this.#options.clock.monotonicMs();
    this.#pump();
  }

  /** A frame is lent for the time of this call; one that must wait is copied. */
  #onFrame(frame: Uint8Array): void {
    if (this.isGoing) return;
    if (this.#frames.length > 0 || !this.#hasRoom()) this.#frames.push(frame.slice());
    else this.#start(frame);
  }

  /**
   * Sends what may be sent, starts what may be started, and pauses or resumes reading.
   * Not reentrant: what it calls may come back here, and is then heard when it is done.
   */
  #pump(): void {
    this.#isPumpWanted = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#isPumpWanted && (this.#state === "open" || this.#state === "ending")) {
      this.#isPumpWanted = false;
      if (this.#replies.send()) this.#lastActiveMs = this.#options.clock.monotonicMs();
      this.#startWaiting();
      this.#settleReading();
    }
    this.#isPumping = false;
    this.#turnLastMs = this.#options.clock.monotonicMs();
  }

  #startWaiting(): void {
    while (this.#frames.length > 0 && this.#hasRoom()) {
      this.#start(this.#frames.shift() as Uint8Array);
    }
  }

  #settleReading(): void {
    const { stream, inflight } = this.#options;
    if (this.#state === "ending" && this.#frames.length === 0 && this.#replies.isIdle) {
      stream.end();
      // What the peer still sends is dropped; but while it is not read, its goodbye is not heard.
      stream.resume();
      return;
    }
    const mayRead = this.#state === "open" && this.#frames.length === 0 && this.#hasRoom();
    if (mayRead === this.#isPaused) {
      this.#isPaused = !mayRead;
      if (mayRead) stream.resume();
      else stream.pause();
    }
    if (this.#isPaused && inflight.isFull) inflight.wait(this.#wake);
  }

  #hasRoom(): boolean {
    const { requestsMax, queuedBytesMax, inflight } = this.#options;
    return !this.#isTurnOver() && this.#replies.count < requestsMax &&
      this.#replies.queuedBytes < queuedBytesMax &&
      // One request of a connection may always run: the pool bounds how many run beside it.
      (this.#replies.count === 0 || !inflight.isFull);
  }

  /** An answer is work of the turn like a request: they may all have waited for the same disk. */
  #mayEncode(): boolean {
    if (this.#replies.queuedBytes >= this.#options.queuedBytesMax || this.#isTurnOver()) {
      return false;
    }
    this.#countWork();
    return true;
  }

  #countWork(): void {
    if (this.#workInTurn++ === 0) this.#turnStartMs = this.#options.clock.monotonicMs();
  }

  /** Where nothing was done here for as long as a turn, while all waited for a disk, others had theirs. */
  #noteBreak(): void {
    const isBreak = this.#options.clock.monotonicMs() - this.#turnLastMs > TURN_MS;
    if (isBreak && !this.#isTurnEnding) this.#workInTurn = 0;
  }

  #start(frame: Uint8Array): void {
    this.#countWork();
    const slot = this.#replies.open(frame.length);
    const reply = this.#options.dispatch(frame, this);
    if (reply instanceof Promise) {
      void reply.then((settled) => {
        this.#replies.settle(slot, settled);
        this.#noteBreak();
        this.#pump();
      });
      return;
    }
    this.#replies.settle(slot, reply);
    this.#replies.send(); // what has left counts for the room that is left
  }

  /** One chunk may hold thousands of small requests, or some dear ones: others have their turn too. */
  #isTurnOver(): boolean {
    if (this.#workInTurn === 0) return false;
    const isOver = this.#workInTurn >= TURN_REQUESTS_MAX ||
      this.#options.clock.monotonicMs() - this.#turnStartMs > TURN_MS;
    if (isOver && !this.#isTurnEnding) {
      this.#isTurnEnding = true;
      this.#options.clock.after(0, () => {
        this.#isTurnEnding = false;
        this.#workInTurn = 0;
        this.#pump();
      });
    }
    return isOver;
  }

  /** The client is at fault: what is ready has been sent, the rest is dropped, and that is told now. */
  #closeFor(reason: string): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#state = "closing";
    this.#options.onBadRequest(reason);
    this.#replies.flush();
    this.#dropRequests();
    this.#options.stream.end();
    this.#options.clock.after(GOODBYE_MS, () => this.#options.stream.destroy());
  }

  #onClose(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#splitter.close();
    this.#options.inflight.forget(this.#wake);
    this.#dropRequests();
    this.#options.onClose();
  }

  /** Gives back what requests under way hold; whoever still works for them need not go on. */
  #dropRequests(): void {
    this.#frames.length = 0;
    this.#replies.drop();
    this.#tellGoing();
  }

  #tellGoing(): void {
    for (const onGoing of [...this.#onceGoing]) onGoing();
  }
}
