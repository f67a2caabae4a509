/**
 * From a frame to a reply: header, version, body, handler, encoded answer.
 *
 * A frame that cannot be understood closes its connection, as Kafka does, with one exception: an
 * ApiVersions request of an unknown version is answered in version 0 (KIP-511).
 */
import { apiVersions } from "../api/api_versions.ts";
import { ErrorCode } from "../api/error_code.ts";
import type { Api } from "../api/schema.ts";
import { AssertionFailure } from "../ground/assert.ts";
import { Reader } from "../ground/reader.ts";
import { requestReader } from "../wire/codec.ts";
import { readRequestHeader, type RequestHeader } from "../wire/header.ts";
import { responseFrame } from "../wire/message.ts";
import type { Counter, Histogram } from "../runtime/metrics.ts";
import type { BrokerContext, CallConnection } from "./broker_context.ts";
import type { Reply } from "./reply_queue.ts";
import { type Answer, CloseConnection, type Handler, NO_REPLY } from "./handler.ts";
import { HANDLERS } from "./handlers.ts";

const MQ_KEY_MIN = 0x4000;

/** A handler with its counters at hand. */
interface Served {
  readonly handler: Handler;
  readonly seconds: Histogram;
  /** By version. */
  readonly requests: readonly Counter[];
}

export class Dispatch {
  readonly #broker: BrokerContext;
  readonly #served: ReadonlyMap<number, Served>;

  constructor(broker: BrokerContext) {
    const { requests, requestSeconds } = broker.metrics;
    this.#broker = broker;
    this.#served = new Map(HANDLERS.map((handler) => {
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
    const startMs = this.#broker.env.clock.monotonicMs();
    const reader = new Reader(frame);
    const header = readRequestHeader(reader);
    if (reader.failure !== undefined) return close(`bad request header: ${reader.failure}`);
    const served = this.#served.get(header.apiKey);
    if (served === undefined) return close(unknownKey(header.apiKey));
    const { api } = served.handler;
    const { apiVersion } = header;
    if (apiVersion < api.versions[0] || apiVersion > api.versions[1]) {
      return onUnknownVersion(api, header);
    }
    const request = requestReader(api, apiVersion)(reader);
    if (reader.failure !== undefined) {
      return close(`bad ${api.name} request, version ${apiVersion}: ${reader.failure}`);
    }
    const call = { apiVersion, clientId: header.clientId, connection };
    const finish = (answer: Answer<Api>): Reply => this.#finish(served, header, answer, startMs);
    try {
      const answer = served.handler.handle(this.#broker, request, call);
      if (!(answer instanceof Promise)) return finish(answer);
      return answer.then(finish).catch((error: unknown) => this.#onFailure(error, api, header));
    } catch (error) {
      return this.#onFailure(error, api, header);
    }
  }

  #finish(
    { handler: { api }, seconds, requests }: Served,
    header: RequestHeader,
    answer: Answer<Api>,
    startMs: number,
  ): Reply {
    requests[header.apiVersion]?.add(1);
    seconds.observe((this.#broker.env.clock.monotonicMs() - startMs) / 1000);
    if (answer === NO_REPLY) return { kind: "none" };
    if (answer instanceof CloseConnection) return close(answer.reason);
    return { kind: "parts", parts: responseFrame(api, header, answer) };
  }

  /** A handler that throws is a broken program; the connection goes, the broker lives and tells. */
  #onFailure(error: unknown, api: Api, header: RequestHeader): Reply {
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

function unknownKey(apiKey: number): string {
  return apiKey >= MQ_KEY_MIN
    ? `API ${apiKey} is for peers of the cluster only`
    : `API key ${apiKey} is not served`;
}

function close(reason: string): Reply {
  return { kind: "close", reason };
}
