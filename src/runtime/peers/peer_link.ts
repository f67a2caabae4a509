/**
 * One outgoing connection to another node: dialled when it is needed, Hello first, calls pipelined.
 *
 *     idle ─► dialling ─► greeting ─► open
 *      ▲          │           │         │      a failure: everything that waits hears of it,
 *      └──────────┴───────────┴─────────┘      and nothing is dialled for 20 ms … 1 s
 *
 * A call that is overdue ends the connection: behind a late answer nothing can be trusted to come.
 * While it may not dial, a call fails at once, so that whoever asks can try elsewhere; only what comes
 * while it is dialling waits. `retryNow` ends the waiting: the other node was heard of meanwhile.
 *
 * Not here: which node to ask, tries again, and what is worth one.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { hello, type HelloRequest, type HelloResponse } from "../../api/own/hello.ts";
import type { OwnApi } from "../../api/own/own_api.ts";
import type { Timer } from "../../env/clock.ts";
import type { Env } from "../../env/env.ts";
import { type Address, PeerFault, type Stream } from "../../env/network.ts";
import { FrameSplitter } from "../../wire/frame.ts";
import { ownRequestParts, readOwnResponse } from "../../wire/own_message.ts";
import { CallFault } from "./call_fault.ts";
import { isExpected } from "./peer_session.ts";
import type { PeerRefusals, RefusalReason } from "./refusals.ts";

export interface PeerLinkOptions {
  readonly env: Pick<Env, "clock" | "network" | "random">;
  /** For messages: "node 3". */
  readonly name: string;
  readonly greeting: HelloRequest;
  readonly refusals: PeerRefusals;
  readonly frameBytesMax: number;
  /** For dialling, and again for the answer to Hello. */
  readonly dialTimeoutMs: number;
  /** Undefined where it is not known now. */
  address(): Address | undefined;
  onHello(response: HelloResponse): void;
  onOpen?(): void;
  /** It could not be opened, or is open no more. */
  onDown?(): void;
}

interface Pending {
  readonly apiName: string;
  readonly timer: Timer;
  /** Takes the answer; returns why it is none. */
  readonly onAnswer: (frame: Uint8Array) => string | undefined;
  readonly onFault: (fault: CallFault) => void;
}

interface Waiting {
  readonly correlationId: number;
  readonly parts: readonly Uint8Array[];
}

type State = "idle" | "dialling" | "greeting" | "open" | "closed";

const BACKOFF_MS_MIN = 20;
const BACKOFF_MS_MAX = 1000;
/** A connection that lasted so long was a success, and the next failure is a first one. */
const LASTED_MS = 1000;
const CALLS_MAX = 1024;
/** The shortest answer: a correlation id and one byte of msgpack. */
const FRAME_BYTES_MIN = 5;

export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #pending = new Map<number, Pending>();
  /** Calls made while it was dialling. */
  #waiting: Waiting[] = [];
  #state: State = "idle";
  #stream: Stream | undefined;
  #dialling = new AbortController();
  #correlationId = 0;
  #failureCount = 0;
  #openedAtMs = 0;
  /** By the monotonic clock: not dialled before. */
  #notBeforeMs = -Infinity;
  #lastFault = new PeerFault("closed", "not dialled");

  constructor(options: PeerLinkOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Bytes that wait for the peer to take them. */
  get queuedBytes(): number {
    return this.#stream?.queuedBytes ?? 0;
  }

  /** Dials, unless that is under way or has to wait; false where nothing can be sent before long. */
  connect(): boolean {
    if (this.#state === "closed") return false;
    if (this.#state !== "idle") return true;
    if (this.#options.env.clock.monotonicMs() < this.#notBeforeMs) return false;
    this.#state = "dialling";
    void this.#dial();
    return (this.#state as State) !== "idle"; // it may have failed at once
  }

  /** The next one who needs it dials at once. */
  retryNow(): void {
    this.#notBeforeMs = -Infinity;
    this.#failureCount = 0;
  }

  /** Sends what has no answer; only while it is open. */
  post<Req, Res>(api: OwnApi<Req, Res>, request: Req): void {
    this.#write(ownRequestParts(api, this.#nextId(), request));
  }

  /** Rejects with a `CallFault`. */
  call<Req, Res>(api: OwnApi<Req, Res>, request: Req, timeoutMs: number): Promise<Res> {
    if (!this.connect()) {
      const { kind, message } = this.#lastFault;
      return Promise.reject(new CallFault(kind, message, false));
    }
    if (this.#pending.size >= CALLS_MAX) {
      const message = `${this.#options.name}: ${CALLS_MAX} calls are under way`;
      return Promise.reject(new CallFault("io", message, false));
    }
    return this.#exchange(api, request, timeoutMs);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#fail(new PeerFault("closed", `${this.#options.name}: stopped`));
    this.#state = "closed";
  }

  #exchange<Req, Res>(api: OwnApi<Req, Res>, request: Req, timeoutMs: number): Promise<Res> {
    return new Promise((resolve, reject) => {
      const correlationId = this.#nextId();
      const { name, env } = this.#options;
      const parts = ownRequestParts(api, correlationId, request);
      this.#pending.set(correlationId, {
        apiName: api.name,
        timer: env.clock.after(timeoutMs, () => {
          const message = `${name}: no answer to ${api.name} within ${timeoutMs} ms`;
          this.#fail(new PeerFault("timeout", message));
        }),
        onAnswer: (frame) => {
          const response = readOwnResponse(api, frame);
          if (typeof response === "string") return response;
          resolve(response);
          return undefined;
        },
        onFault: reject,
      });
      const isGreeting = (api as unknown) === hello;
      if (this.#state === "open" || isGreeting) this.#write(parts);
      else this.#waiting.push({ correlationId, parts });
    });
  }

  async #dial(): Promise<void> {
    const { env: { network }, name, dialTimeoutMs, greeting } = this.#options;
    const dialling = this.#dialling = new AbortController();
    try {
      const address = this.#options.address();
      if (address === undefined) throw new PeerFault("not-found", "its address is not known");
      const { signal } = dialling;
      const stream = await network.dial(address, { timeoutMs: dialTimeoutMs, signal });
      if (signal.aborted) return stream.destroy();
      this.#greet(stream);
      const response = await this.#exchange(hello, greeting, dialTimeoutMs);
      if (this.#stream === stream) this.#onGreeted(response); // else it was lost meanwhile
    } catch (thrown) {
      if (!(thrown instanceof PeerFault)) throw thrown;
      const isOwn = this.#dialling === dialling && !dialling.signal.aborted;
      if (isOwn) this.#fail(new PeerFault(thrown.kind, `${name}: ${thrown.message}`));
    }
  }

  #greet(stream: Stream): void {
    this.#stream = stream;
    this.#state = "greeting";
    const { frameBytesMax } = this.#options;
    const splitter = new FrameSplitter({
      frameBytesMax,
      frameBytesMin: FRAME_BYTES_MIN,
      onFrame: (frame) => this.#stream === stream && this.#onFrame(frame),
    });
    stream.listen({
      onBytes: (bytes) => {
        if (this.#stream !== stream) return;
        const reason = splitter.push(bytes);
        if (reason === undefined || this.#stream !== stream) return;
        this.#refuse(reason.includes(" is over ") ? "oversized" : "garbage", reason);
      },
      onDrain: () => undefined,
      onClose: () => {
        if (this.#stream !== stream) return;
        this.#fail(new PeerFault("closed", `${this.#options.name}: the connection was lost`));
      },
    });
  }

  #onGreeted(response: HelloResponse): void {
    const refusal = this.#rejectGreeting(response);
    if (refusal !== undefined) return this.#refuse(refusal.reason, refusal.detail);
    this.#state = "open";
    this.#openedAtMs = this.#options.env.clock.monotonicMs();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { correlationId, parts } of waiting) {
      if (this.#pending.has(correlationId)) this.#write(parts);
    }
    this.#options.onHello(response);
    this.#options.onOpen?.();
  }

  #rejectGreeting(
    { errorCode, errorMessage, clusterId, nodeId, directoryId }: HelloResponse,
  ): { readonly reason: RefusalReason; readonly detail: string } | undefined {
    const { greeting } = this.#options;
    if (clusterId !== greeting.clusterId) {
      const detail = `it is of cluster ${clusterId}, this is ${greeting.clusterId}`;
      return { reason: "other-cluster", detail };
    }
    if (nodeId === greeting.nodeId) {
      return { reason: "own-identity", detail: `it says that it is node ${nodeId}, as this one` };
    }
    const { expected } = greeting;
    if (expected !== undefined && !isExpected(expected, { id: nodeId, directoryId })) {
      const detail = `it is node ${nodeId} with directory ${directoryId}, expected was node ` +
        `${expected.nodeId} with ${expected.directoryId}`;
      return { reason: "unexpected-identity", detail };
    }
    return errorCode === ErrorCode.None
      ? undefined
      : { reason: "unexpected-identity", detail: errorMessage ?? `error ${errorCode}` };
  }

  #onFrame(frame: Uint8Array): void {
    const correlationId = new DataView(frame.buffer, frame.byteOffset, 4).getInt32(0);
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) return this.#refuse("garbage", "an answer that nobody asked for");
    const failure = pending.onAnswer(frame);
    if (failure !== undefined) return this.#refuse("garbage", `${pending.apiName}: ${failure}`);
    pending.timer.cancel();
    this.#pending.delete(correlationId);
  }

  /** What came is no answer of the one who was to be reached. */
  #refuse(reason: RefusalReason, detail: string): void {
    const { name, refusals } = this.#options;
    refusals.add(reason, detail, { peer: name });
    this.#fail(new PeerFault("refused", `${name}: ${detail}`));
  }

  #fail(fault: PeerFault): void {
    if (this.#state === "closed" || this.#state === "idle") return;
    const { env: { clock, random } } = this.#options;
    const nowMs = clock.monotonicMs();
    const wasOpen = this.#state === "open";
    if (wasOpen && nowMs - this.#openedAtMs >= LASTED_MS) this.#failureCount = 0;
    const exactMs = Math.min(BACKOFF_MS_MIN * 2 ** this.#failureCount, BACKOFF_MS_MAX);
    this.#failureCount++;
    this.#notBeforeMs = nowMs + exactMs * (0.8 + random.below(401) / 1000);
    this.#lastFault = fault;
    this.#state = "idle";
    this.#dialling.abort();
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.destroy();
    this.#failCalls(fault);
    this.#options.onDown?.();
  }

  #failCalls({ kind, message }: PeerFault): void {
    const unsent = new Set(this.#waiting.map(({ correlationId }) => correlationId));
    const pending = [...this.#pending];
    this.#waiting = [];
    this.#pending.clear();
    for (const [correlationId, { timer, onFault }] of pending) {
      timer.cancel();
      onFault(new CallFault(kind, message, !unsent.has(correlationId)));
    }
  }

  #write(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.#stream?.write(part);
  }

  #nextId(): number {
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff;
    return this.#correlationId;
  }
}
