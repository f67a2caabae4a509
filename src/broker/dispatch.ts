/**
 * From a frame to a reply: header, version, body, handler, encoded answer.
 *
 *     frame ─► handler ─► decides?  here: handler ─► answer
 *                                   elsewhere: forwarder ─► answer's bytes
 *
 * A frame that cannot be understood closes its connection, as Kafka does, with one exception: an
 * ApiVersions request of an unknown version is answered in version 0 (KIP-511).
 */
import { apiVersions } from "../api/api_versions.ts";
import { ErrorCode } from "../api/error_code.ts";
import type { Api } from "../api/schema.ts";
import { AssertionFailure } from "../ground/assert.ts";
import { concat } from "../ground/concat.ts";
import { Reader } from "../ground/reader.ts";
import { requestReader } from "../wire/codec.ts";
import { readRequestHeader, type RequestHeader } from "../wire/header.ts";
import { responseFrame } from "../wire/message.ts";
import type { Counter, Histogram } from "../runtime/metrics.ts";
import { DecisionTooLarge, NotController } from "../runtime/quorum/not_controller.ts";
import type { BrokerContext, Call, CallConnection } from "./broker_context.ts";
import { undecided } from "./forwarder.ts";
import type { Gate } from "./gate.ts";
import type { EncodedReply, Reply } from "./reply_queue.ts";
import { type Answer, CloseConnection, type Handler, NO_REPLY } from "./handler.ts";

/** A handler with its counters at hand. */
interface Served {
  readonly handler: Handler;
  readonly seconds: Histogram;
  /** By version. */
  readonly requests: readonly Counter[];
}

/** One request, understood. */
interface Request {
  readonly served: Served;
  readonly header: RequestHeader;
  readonly body: Parameters<Handler["handle"]>[1];
  readonly call: Call;
  readonly startMs: number;
}

export interface DispatchOptions {
  readonly broker: BrokerContext;
  /** Of every API that is known; what of it clients may ask is `broker.served`. */
  readonly handlers: readonly Handler[];
  /** Closed while the node starts: clients wait. */
  readonly gate: Gate;
}

/** Of a request that another node has forwarded: nobody's connection. */
const FORWARDED: CallConnection = {
  scope: "all",
  remote: "another node",
  peerSession: undefined,
  isGoing: false,
  onceGoing: () => () => undefined,
};
const LENGTH_BYTES = 4;

export class Dispatch {
  readonly #broker: BrokerContext;
  readonly #gate: Gate;
  readonly #served: ReadonlyMap<number, Served>;
  /** What clients may ask of this node, whatever others may forward to it. */
  readonly #keys: ReadonlySet<number>;

  constructor({ broker, handlers, gate }: DispatchOptions) {
    const { requests, requestSeconds } = broker.metrics;
    this.#broker = broker;
    this.#gate = gate;
    this.#keys = new Set(broker.served.map(({ key }) => key));
    this.#served = new Map(handlers.map((handler) => {
      const { key, name, versions: [, high] } = handler.api;
      const byVersion = Array.from(
        { length: high + 1 },
        (_, version) => requests.of(name, `${version}`),
      );
      return [key, { handler, seconds: requestSeconds.of(name), requests: byVersion }];
    }));
  }

  /** Never throws but from `assert`. */
  onFrame(frame: Uint8Array, connection: CallConnection): Reply | Promise<Reply> {
    const reader = new Reader(frame);
    const header = readRequestHeader(reader);
    if (reader.failure !== undefined) return close(`bad request header: ${reader.failure}`);
    if (!this.#keys.has(header.apiKey)) return close(`API key ${header.apiKey} is not served`);
    const request = this.#understand(header, reader, connection);
    if ("kind" in request) return request;
    const { handler } = request.served;
    if (connection.scope === "peers" && handler.isOfEveryNode !== true) {
      return close(`${handler.api.name} is not served on a listener of controllers`);
    }
    if (!this.#gate.isOpen && handler.isOfEveryNode !== true) {
      const kept = frame.slice();
      return this.#gate.whenOpen().then((isOpen) =>
        isOpen ? this.onFrame(kept, connection) : close("the node stops")
      );
    }
    if (handler.whenUndecided === undefined) return this.#answer(request);
    return this.#decide(request, frame.slice());
  }

  /**
   * A request that another node has forwarded; the answer without its length, or why there is none.
   * Rejects with `NotController` where this node does not decide.
   */
  async onForwarded(frame: Uint8Array): Promise<Uint8Array | undefined> {
    const reader = new Reader(frame);
    const header = readRequestHeader(reader);
    if (reader.failure !== undefined) return undefined;
    const request = this.#understand(header, reader, FORWARDED);
    if ("kind" in request || request.served.handler.whenUndecided === undefined) return undefined;
    const reply = this.#finish(request, await this.#decided(request));
    if (reply.kind !== "parts") return undefined;
    return concat(reply.parts as Uint8Array[]).subarray(LENGTH_BYTES);
  }

  #understand(
    header: RequestHeader,
    reader: Reader,
    connection: CallConnection,
  ): Request | Reply {
    const startMs = this.#broker.env.clock.monotonicMs();
    const served = this.#served.get(header.apiKey);
    if (served === undefined) return close(`API key ${header.apiKey} is not served`);
    const { api } = served.handler;
    const { apiVersion, clientId } = header;
    if (apiVersion < api.versions[0] || apiVersion > api.versions[1]) {
      return onUnknownVersion(api, header);
    }
    const body = requestReader(api, apiVersion)(reader);
    if (reader.failure !== undefined) {
      return close(`bad ${api.name} request, version ${apiVersion}: ${reader.failure}`);
    }
    return { served, header, body, call: { apiVersion, clientId, connection }, startMs };
  }

  #handle({ served, body, call }: Request): Answer<Api> | Promise<Answer<Api>> {
    return served.handler.handle(this.#broker, body, call);
  }

  #answer(request: Request): Reply | Promise<Reply> {
    try {
      const answer = this.#handle(request);
      if (!(answer instanceof Promise)) return this.#finish(request, answer);
      return answer.then((settled) => this.#settled(request, settled))
        .catch((error: unknown) => this.#onFailure(error, request));
    } catch (error) {
      return this.#onFailure(error, request);
    }
  }

  /** Here where this node is the active controller, there where another one is. */
  async #decide(request: Request, frame: Uint8Array): Promise<Reply> {
    try {
      if (this.#broker.quorum.isLeader) {
        const answer = await this.#handleHere(request);
        if (answer !== undefined) return this.#finish(request, answer);
      }
      const forwarded = await this.#broker.forwarder.forward(frame, request.header.clientId);
      if (forwarded.kind === "refused") return this.#undecided(request, forwarded.refusal);
      this.#count(request);
      return { kind: "parts", parts: [lengthOf(forwarded.frame), forwarded.frame] };
    } catch (error) {
      return this.#onFailure(error, request);
    }
  }

  /** Undefined where leadership was lost before anything was decided: it may be asked elsewhere. */
  async #handleHere(request: Request): Promise<Answer<Api> | undefined> {
    try {
      return await this.#decided(request);
    } catch (error) {
      if (!(error instanceof NotController)) throw error;
      if (error.isDefinite) return undefined;
      return request.served.handler.whenUndecided?.(request.body, undecided(error), request.call);
    }
  }

  async #decided(request: Request): Promise<Answer<Api>> {
    try {
      return await this.#handle(request);
    } catch (error) {
      const { served: { handler }, body, call } = request;
      if (!(error instanceof DecisionTooLarge) || handler.whenUndecided === undefined) throw error;
      const refusal = { errorCode: ErrorCode.PolicyViolation, errorMessage: error.message };
      return handler.whenUndecided(body, refusal, call);
    }
  }

  #undecided(request: Request, refusal: ReturnType<typeof undecided>): Reply {
    const { served: { handler }, body, call } = request;
    const answer = handler.whenUndecided?.(body, refusal, call);
    return answer === undefined
      ? close(`${handler.api.name} failed`)
      : this.#finish(request, answer);
  }

  #finish(request: Request, answer: Answer<Api>): EncodedReply {
    this.#count(request);
    return this.#encode(request, answer);
  }

  #encode({ served: { handler: { api } }, header }: Request, answer: Answer<Api>): EncodedReply {
    if (answer === NO_REPLY) return { kind: "none" };
    if (answer instanceof CloseConnection) return close(answer.reason);
    return { kind: "parts", parts: responseFrame(api, header, answer) };
  }

  /** Answers that have waited come together, and may be large: each is encoded when it leaves. */
  #settled(request: Request, answer: Answer<Api>): Reply {
    this.#count(request);
    if (request.served.handler.hasFiles === true) return this.#encode(request, answer);
    const encode = (): EncodedReply => {
      try {
        return this.#encode(request, answer);
      } catch (error) {
        return this.#onFailure(error, request);
      }
    };
    return { kind: "answer", encode };
  }

  #count({ served: { seconds, requests }, header, startMs }: Request): void {
    requests[header.apiVersion]?.add(1);
    seconds.observe((this.#broker.env.clock.monotonicMs() - startMs) / 1000);
  }

  /** A handler that throws is a broken program; the connection goes, the broker lives and tells. */
  #onFailure(error: unknown, { served: { handler: { api } }, header }: Request): EncodedReply {
    if (error instanceof AssertionFailure) throw error;
    this.#broker.env.trace.event("error", "a request failed", {
      api: api.name,
      apiVersion: header.apiVersion,
      clientId: header.clientId ?? undefined,
      error: error instanceof Error ? error.message : String(error),
    });
    return close(`${api.name} failed`);
  }
}

function lengthOf(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES);
  new DataView(bytes.buffer).setInt32(0, frame.length);
  return bytes;
}

function onUnknownVersion(api: Api, header: RequestHeader): Reply {
  if (api.key !== apiVersions.key) {
    return close(
      `${api.name} version ${header.apiVersion} is not served, only ${api.versions.join(" to ")}`,
    );
  }
  const body = {
    errorCode: ErrorCode.UnsupportedVersion,
    apiKeys: [{ apiKey: api.key, minVersion: api.versions[0], maxVersion: api.versions[1] }],
  };
  const inVersion0 = { apiVersion: 0, correlationId: header.correlationId };
  return { kind: "parts", parts: responseFrame(apiVersions, inVersion0, body) };
}

function close(reason: string): EncodedReply {
  return { kind: "close", reason };
}
