/**
 * One connection to one broker: frames out, frames in, answers matched to requests.
 *
 * Requests are pipelined: any number may be under way, and the broker answers them in order (a
 * correlation id that is not the next one ends the connection). An answer that is overdue ends it
 * too: behind a late answer nothing can be trusted to come. When the connection ends, everything
 * that waits fails with UNREACHABLE or TIMEOUT, and whoever sent it decides about another try: the
 * broker may or may not have done what was asked.
 *
 * Not here: which broker to ask (`connection_pool.ts`), retries (`retry.ts`).
 */
import { metadata } from "../api/metadata.ts";
import type { Api, RequestInput, ResponseOf } from "../api/schema.ts";
import type { Env } from "../env/env.ts";
import type { Address, Stream } from "../env/network.ts";
import type { Reader } from "../ground/reader.ts";
import { responseReader } from "../wire/codec.ts";
import { FrameSplitter } from "../wire/frame.ts";
import { requestFrame } from "../wire/message.ts";
import { type BrokerRange, negotiate } from "../wire/negotiate.ts";
import { addressText } from "./address.ts";
import { abortedError, ClientError, errorFrom, timeoutError } from "./client_error.ts";
import { askApiVersions } from "./handshake.ts";
import { PendingRequests } from "./pending_requests.ts";
import { writeParts } from "./write_parts.ts";

/** A Fetch answer may be far larger than what was asked for: one batch always comes whole. */
const FRAME_BYTES_MAX = 1 << 28;
const FRAME_BYTES_MIN = 4; // a correlation id
const CONTROLLER_HINT = "This node is a controller and no broker: name a broker of its cluster";

export interface ConnectionOptions {
  readonly address: Address;
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly env: Env;
  readonly signal?: AbortSignal | undefined;
}

export interface RequestOptions {
  /** How long to wait for the answer; the connection's `requestTimeoutMs` where left out. */
  readonly timeoutMs?: number;
  /** Stops the waiting, not the request. */
  readonly signal?: AbortSignal | undefined;
  /** The highest version to use, where the highest that both sides speak would be wrong. */
  readonly versionMax?: number;
}

interface Question<A extends Api, T> {
  readonly api: A;
  readonly version: number;
  readonly body: RequestInput<A>;
  readonly read: (reader: Reader) => T;
}

export class Connection {
  readonly address: Address;
  readonly #options: ConnectionOptions;
  readonly #stream: Stream;
  readonly #pending = new PendingRequests();
  #versions: ReadonlyMap<number, BrokerRange> = new Map();
  #correlationId = 0;
  #failure: ClientError | undefined;
  #onDrain: (() => void)[] = [];
  #onClose: (() => void)[] = [];

  /** Dials, and asks which versions the broker speaks. Throws a `ClientError`. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { env, address, requestTimeoutMs, signal } = options;
    const action = `Cannot connect to ${addressText(address)}`;
    if (signal?.aborted === true) throw abortedError(action);
    let stream: Stream;
    try {
      stream = await env.network.dial(address, {
        timeoutMs: requestTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (thrown) {
      throw (signal as AbortSignal | undefined)?.aborted === true
        ? abortedError(action)
        : errorFrom(thrown, action);
    }
    const connection = new Connection(options, stream);
    try {
      connection.#versions = await askApiVersions(connection);
    } catch (thrown) {
      connection.close();
      throw thrown;
    }
    return connection;
  }

  private constructor(options: ConnectionOptions, stream: Stream) {
    this.#options = options;
    this.address = options.address;
    this.#stream = stream;
    const splitter = new FrameSplitter({
      frameBytesMax: FRAME_BYTES_MAX,
      frameBytesMin: FRAME_BYTES_MIN,
      onFrame: (frame) => this.#onFrame(frame),
    });
    const onAbort = (): void => this.#fail(abortedError(this.#action("talk")));
    options.signal?.addEventListener("abort", onAbort, { once: true });
    this.#onClose.push(() => options.signal?.removeEventListener("abort", onAbort));
    stream.listen({
      onBytes: (bytes) => {
        const reason = splitter.push(bytes);
        if (reason !== undefined) this.#fail(this.#protocolError(reason));
      },
      onDrain: () => this.#drained(),
      onClose: () => {
        const message = `Connection to ${addressText(this.address)} was closed by the broker`;
        this.#fail(new ClientError("UNREACHABLE", message, { retriable: true }));
      },
    });
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Requests that wait for their answer. */
  get pendingCount(): number {
    return this.#pending.count;
  }

  /** Bytes that wait for the peer to take them. */
  get queuedBytes(): number {
    return this.#stream.queuedBytes;
  }

  /** Calls `action` once when the connection has ended; at once where it has. */
  onClose(action: () => void): void {
    if (this.isOpen) this.#onClose.push(action);
    else action();
  }

  /** The highest version of `api` that both sides speak, or undefined. */
  versionOf(api: Api, versionMax: number = api.versions[1]): number | undefined {
    return negotiate(api, this.#versions.get(api.key), versionMax);
  }

  /** Sends a request and waits for its answer. Throws a `ClientError`. */
  request<A extends Api>(
    api: A,
    body: RequestInput<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOf<A>> {
    const version = this.versionOf(api, options.versionMax);
    if (version === undefined) return Promise.reject(this.#unsupported(api));
    return this.requestAt(api, version, body, options);
  }

  /** `request` in a version that the caller has chosen. */
  requestAt<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOf<A>> {
    return this.#exchange({ api, version, body, read: responseReader(api, version) }, options);
  }

  /**
   * `request` for the handshake, whose answer may be of another version than the request: the caller
   * reads the bytes behind the response header itself.
   */
  requestRaw<A extends Api, T>(
    api: A,
    version: number,
    body: RequestInput<A>,
    read: (reader: Reader) => T,
  ): Promise<T> {
    return this.#exchange({ api, version, body, read }, {});
  }

  /** Sends what has no answer: Produce with acks=0. Returns false where the peer does not keep up. */
  send<A extends Api>(api: A, body: RequestInput<A>): boolean {
    const version = this.versionOf(api);
    if (version === undefined) throw this.#unsupported(api);
    if (this.#failure !== undefined) throw this.#failure;
    return writeParts(this.#stream, this.#frame(api, version, body));
  }

  /** Resolves when what was written has left, or the connection has ended. */
  drained(): Promise<void> {
    if (!this.isOpen || this.queuedBytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onDrain.push(resolve));
  }

  /** Ends the connection at once; what waits fails with ABORTED. */
  close(): void {
    this.#fail(abortedError(this.#action("talk")));
  }

  #exchange<A extends Api, T>(question: Question<A, T>, options: RequestOptions): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { api, version, body, read } = question;
    const { signal } = options;
    const action = this.#action(`ask ${api.name} of`);
    if (signal?.aborted === true) return Promise.reject(abortedError(action));
    return new Promise((resolve, reject) => {
      const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs;
      const onAbort = (): void => reject(abortedError(action));
      signal?.addEventListener("abort", onAbort, { once: true });
      const parts = this.#frame(api, version, body);
      // First the entry, then the bytes: a stream that breaks in `write` fails what is listed.
      this.#pending.push({
        correlationId: this.#correlationId,
        api,
        version,
        timer: this.#options.env.clock.after(timeoutMs, () => {
          this.#fail(timeoutError(action, timeoutMs));
        }),
        onAnswer: (reader) => {
          signal?.removeEventListener("abort", onAbort);
          const answer = read(reader);
          if (reader.failure === undefined) resolve(answer);
          return reader.failure;
        },
        onFailure: (error) => {
          signal?.removeEventListener("abort", onAbort);
          reject(error);
        },
      });
      writeParts(this.#stream, parts);
    });
  }

  #frame<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
  ): readonly Uint8Array[] {
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff;
    const { clientId } = this.#options;
    const header = { apiVersion: version, correlationId: this.#correlationId, clientId };
    // Everything foreign in a request of ours is memory.
    return requestFrame(api, header, body) as readonly Uint8Array[];
  }

  #onFrame(frame: Uint8Array): void {
    if (!this.isOpen) return;
    const refusal = this.#pending.answer(frame);
    if (refusal !== undefined) this.#fail(this.#protocolError(refusal));
  }

  #fail(error: ClientError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#stream.destroy();
    this.#pending.failAll(error);
    this.#drained();
    for (const action of this.#onClose.splice(0)) action();
  }

  #drained(): void {
    for (const resolve of this.#onDrain.splice(0)) resolve();
  }

  #action(verb: string): string {
    return `Cannot ${verb} ${addressText(this.address)}`;
  }

  #protocolError(reason: string): ClientError {
    const message = `Cannot read the answer of ${addressText(this.address)}: ${reason}`;
    return new ClientError("PROTOCOL", message, {
      hint: "Check that the address is that of a Kafka listener without TLS",
    });
  }

  #unsupported(api: Api): ClientError {
    const [low, high] = api.versions;
    const range = this.#versions.get(api.key);
    const theirs = range === undefined
      ? "it has no such API"
      : `it speaks ${range.minVersion}–${range.maxVersion}`;
    return new ClientError(
      "UNSUPPORTED_VERSION",
      `${this.#action(`ask ${api.name} of`)}: we speak versions ${low}–${high}, ${theirs}`,
      this.#versions.has(metadata.key) ? {} : { hint: CONTROLLER_HINT },
    );
  }
}
