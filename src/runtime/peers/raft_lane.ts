/**
 * Raft's messages to one replica: gathered over one turn of the program, sent as one frame, dropped
 * where they cannot leave.
 */
import { hello, type HelloRequest, type HelloResponse } from "../../api/own/hello.ts";
import { raftMessages } from "../../api/own/raft_messages.ts";
import type { Clock } from "../../env/clock.ts";
import { type Address, PeerFault } from "../../env/network.ts";
import type { Message } from "../../raft/message.ts";
import type { PeerLink } from "./peer_link.ts";

export interface RaftLaneOptions {
  readonly nodeId: number;
  readonly address: Address;
  readonly clock: Clock;
  readonly greeting: HelloRequest;
  readonly openLink: (
    address: () => Address,
    events: { readonly onOpen: () => void; readonly onDown: () => void },
  ) => PeerLink;
  readonly onHello: (response: HelloResponse) => void;
}

interface Queued {
  readonly message: Message;
  readonly onLost: (() => void) | undefined;
}

/** What may wait while the peer is dialled, and what it may leave unread. */
const MESSAGES_MAX = 256;
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
const UNREAD_BYTES_MAX = 8 * 1024 * 1024;
/** Batches of one frame; one message alone may be larger. */
const FRAME_RECORDS_BYTES_MAX = 2 * 1024 * 1024;
const SIGN_OF_LIFE_MS = 2000;
const SIGN_OF_LIFE_TIMEOUT_MS = 2000;

export class RaftLane {
  readonly nodeId: number;
  /** Where the replica is now; heard of with every message. */
  address: Address;
  droppedCount = 0;
  readonly #options: RaftLaneOptions;
  readonly #link: PeerLink;
  #queue: Queued[] = [];
  #queuedBytes = 0;
  #isFlushing = false;
  #askedAtMs = -Infinity;
  #isAsking = false;

  constructor(options: RaftLaneOptions) {
    this.#options = options;
    this.nodeId = options.nodeId;
    this.address = options.address;
    this.#link = options.openLink(() => this.address, {
      onOpen: () => {
        this.#askedAtMs = options.clock.monotonicMs();
        this.#flush();
      },
      onDown: () => this.#flushSoon(),
    });
  }

  send(message: Message, onLost?: () => void): void {
    this.#queue.push({ message, onLost });
    this.#queuedBytes += bytesOf(message);
    this.#flushSoon();
  }

  retryNow(): void {
    this.#link.retryNow();
  }

  close(): void {
    this.#link.close();
  }

  /** In a microtask: what one turn has to say leaves together, and nobody is called back in `send`. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    void Promise.resolve().then(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#queue.length === 0) return;
    if (this.#link.isOpen) {
      if (this.#link.queuedBytes > UNREAD_BYTES_MAX) this.#drop(this.#queue.length);
      else this.#sendAll();
    } else if (!this.#link.connect()) {
      this.#drop(this.#queue.length);
    } else {
      while (this.#queue.length > MESSAGES_MAX || this.#queuedBytes > WAITING_BYTES_MAX) {
        this.#drop(1); // the oldest: the youngest says what holds now
      }
    }
  }

  #sendAll(): void {
    let messages: Message[] = [];
    let recordsBytes = 0;
    const queue = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    for (const { message } of queue) {
      const bytes = bytesOf(message);
      if (messages.length > 0 && recordsBytes + bytes > FRAME_RECORDS_BYTES_MAX) {
        this.#link.post(raftMessages, { messages });
        messages = [];
        recordsBytes = 0;
      }
      messages.push(message);
      recordsBytes += bytes;
    }
    this.#link.post(raftMessages, { messages });
    this.#askForSignOfLife();
  }

  #askForSignOfLife(): void {
    const { clock, greeting, onHello } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#isAsking || nowMs - this.#askedAtMs < SIGN_OF_LIFE_MS) return;
    this.#askedAtMs = nowMs;
    this.#isAsking = true;
    this.#link.call(hello, greeting, SIGN_OF_LIFE_TIMEOUT_MS)
      .then(onHello, (thrown) => {
        if (!(thrown instanceof PeerFault)) throw thrown; // else the link has heard of it as well
      })
      .finally(() => this.#isAsking = false);
  }

  #drop(count: number): void {
    const dropped = this.#queue.splice(0, count);
    this.droppedCount += dropped.length;
    for (const { message, onLost } of dropped) {
      this.#queuedBytes -= bytesOf(message);
      onLost?.();
    }
  }
}

function bytesOf(message: Message): number {
  return message.kind === "AppendRequest" ? message.records.length : 0;
}
