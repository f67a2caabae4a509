/**
 * Replies of one connection, in the order of their requests.
 *
 *     slot 1: waits for a disk      ◄── the next to leave
 *     slot 2: ready                     ready, but behind slot 1
 *     slot 3: waits for records
 *
 * Small replies leave together (`outbox.ts`); one that holds ranges of files has the stream to itself
 * until it has left. Every slot gives back its share of the pool of bytes under way, once.
 */
import { DiskFault } from "../env/disk.ts";
import type { Stream } from "../env/network.ts";
import type { Trace } from "../env/trace.ts";
import type { Foreign } from "../ground/writer.ts";
import type { FileSlice } from "../log/reading/log_slice.ts";
import type { InflightBytes } from "./inflight.ts";
import { Outbox } from "./outbox.ts";

/** What a request comes to: parts to send, nothing to send, or the end of the connection. */
export type EncodedReply =
  | { readonly kind: "parts"; readonly parts: readonly Foreign[] }
  | { readonly kind: "none" }
  /** Without a reason where that was told already. */
  | { readonly kind: "close"; readonly reason: string };

export type Reply =
  | EncodedReply
  /** Made into bytes only when it is next to leave: many answers may come at once, and be large. */
  | { readonly kind: "answer"; encode(): EncodedReply };

/** The place of one request's reply. */
export interface Slot {
  readonly frameBytes: number;
  reply: Reply | undefined;
}

export interface ReplyQueueOptions {
  readonly stream: Stream;
  readonly trace: Trace;
  readonly inflight: InflightBytes;
  /** Whether an answer may be encoded now; where not, whoever says so calls `send` again. */
  readonly mayEncode: () => boolean;
  /** A reply asks for the end of the connection; nothing behind it will be sent. */
  readonly onCloseReply: (reason: string) => void;
  /** Something left that did not leave within `send`. */
  readonly onProgress: () => void;
}

export class ReplyQueue {
  readonly #options: ReplyQueueOptions;
  readonly #outbox: Outbox;
  readonly #slots: Slot[] = [];
  #isSendingFile = false;
  #isDropped = false;

  constructor(options: ReplyQueueOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.stream, options.onProgress);
  }

  /** Requests that were begun and whose reply has not been handed to the stream. */
  get count(): number {
    return this.#slots.length;
  }

  /** Bytes that wait for the peer to take them. */
  get queuedBytes(): number {
    return this.#options.stream.queuedBytes + this.#outbox.byteCount;
  }

  get isIdle(): boolean {
    return this.#slots.length === 0 && !this.#isSendingFile && this.queuedBytes === 0;
  }

  /** The next request has begun; its frame counts as under way until its reply has left. */
  open(frameBytes: number): Slot {
    const slot: Slot = { frameBytes, reply: undefined };
    this.#slots.push(slot);
    this.#options.inflight.take(frameBytes);
    return slot;
  }

  /** The reply of a slot; it leaves with the next `send` that comes to it. */
  settle(slot: Slot, reply: Reply): void {
    if (this.#isDropped) releaseReply(reply);
    else slot.reply = reply;
  }

  /** Hands on what is ready, from the front; whether anything was. */
  send(): boolean {
    let isMoved = false;
    while (!this.#isSendingFile && !this.#isDropped) {
      const slot = this.#slots[0];
      if (slot?.reply === undefined) break;
      const { reply } = slot;
      if (reply.kind === "answer" && !this.#options.mayEncode()) break;
      // First out of the queue: giving back its bytes may wake who comes here again.
      this.#slots.shift();
      isMoved = true;
      this.#sendReply(reply.kind === "answer" ? reply.encode() : reply);
      this.#options.inflight.give(slot.frameBytes);
    }
    return isMoved;
  }

  /** Writes now what was handed on. */
  flush(): void {
    this.#outbox.flush();
  }

  /** Nothing more will be sent: gives back what slots hold. */
  drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#outbox.close();
    for (const slot of this.#slots.splice(0)) {
      if (slot.reply !== undefined) releaseReply(slot.reply);
      this.#options.inflight.give(slot.frameBytes);
    }
  }

  #sendReply(reply: EncodedReply): void {
    if (reply.kind === "close") this.#options.onCloseReply(reply.reason);
    if (reply.kind !== "parts") return;
    if (reply.parts.every((part) => part instanceof Uint8Array)) {
      for (const part of reply.parts) this.#outbox.post(part);
      return;
    }
    this.#isSendingFile = true; // before the flush, which may bring somebody here
    this.#outbox.flush();
    void this.#sendWithFiles(reply.parts).catch((error: unknown) => this.#onFault(error))
      .finally(() => {
        releaseReply(reply);
        this.#isSendingFile = false;
        this.#options.onProgress();
      });
  }

  async #sendWithFiles(parts: readonly Foreign[]): Promise<void> {
    const { stream } = this.#options;
    for (const part of parts) {
      if (this.#isDropped) return;
      if (part instanceof Uint8Array) stream.write(part);
      else {
        const slice = part as FileSlice;
        // deno-lint-ignore no-await-in-loop -- one part behind the other
        await stream.sendFile(slice.file, slice.position, slice.byteLength);
      }
    }
  }

  /** A file could not be read after the head of the reply had left: the peer must not go on reading. */
  #onFault(error: unknown): void {
    if (!(error instanceof DiskFault)) throw error;
    this.#options.trace.event("error", "cannot read a log while sending", { path: error.path });
    this.#options.stream.destroy();
  }
}

/** Gives back the files that a reply holds; one that is not encoded yet holds none. */
function releaseReply(reply: Reply): void {
  if (reply.kind !== "parts") return;
  for (const part of reply.parts) {
    if (!(part instanceof Uint8Array)) (part as FileSlice).release();
  }
}
