/**
 * A scripted broker: answers like Kafka as far as a client can tell, unless a script says otherwise.
 *
 * It keeps batches as they came, gives offsets, and checks producers' sequences; what it was asked is
 * listed in `requests`. `script(api, …steps)` decides about the next requests of an API, one step
 * each: an answer in place of its own, a delay, silence, or the end of the connection, before or after
 * it has done what was asked.
 */
import { apiVersions } from "../../src/api/api_versions.ts";
import { apiOf, apis } from "../../src/api/registry.ts";
import type { Api, RequestOf, ResponseInput } from "../../src/api/schema.ts";
import type { Address, Stream } from "../../src/env/network.ts";
import { Reader } from "../../src/ground/reader.ts";
import { requestReader } from "../../src/wire/codec.ts";
import { FrameSplitter } from "../../src/wire/frame.ts";
import { readRequestHeader, type RequestHeader } from "../../src/wire/header.ts";
import { responseFrame } from "../../src/wire/message.ts";
import { answerOf } from "./fake_answers.ts";
import type { FakeCluster } from "./fake_cluster.ts";

export interface SeenRequest {
  readonly api: Api;
  readonly version: number;
  readonly clientId: string | null;
  readonly body: unknown;
}

/** What happens to one request. */
export type Step =
  /** Does it, and answers. */
  | { readonly kind: "serve" }
  /** Answers this, and does nothing. */
  | { readonly kind: "answer"; readonly body: unknown }
  /** Does it, and answers something else. */
  | { readonly kind: "serve-answer"; readonly body: unknown }
  /** Does nothing, and says nothing more on this connection. */
  | { readonly kind: "silence" }
  /** Does nothing and leaves its answer out, which no broker does. */
  | { readonly kind: "skip" }
  /** Closes the connection, having done it or not. */
  | { readonly kind: "close"; readonly isServed: boolean }
  /** Does it, and answers when `when` resolves. */
  | { readonly kind: "hold"; readonly when: Promise<void> }
  /** Sends these bytes as a frame. */
  | { readonly kind: "raw"; readonly bytes: Uint8Array };

/** The body of an answer, so that the compiler checks it against its API. */
export function answering<A extends Api>(_api: A, body: ResponseInput<A>): Step {
  return { kind: "answer", body };
}

export class FakeBroker {
  readonly nodeId: number;
  readonly address: Address;
  readonly requests: SeenRequest[] = [];
  rack: string | null = null;
  /** Whether it tells a reader that its log was cut (KIP-320). */
  knowsEpochs = true;
  /** Where it differs from the registry. */
  readonly versions = new Map<number, readonly [low: number, high: number]>();
  readonly #cluster: FakeCluster;
  readonly #scripts = new Map<number, Step[]>();
  readonly #streams = new Set<Stream>();
  #stop: (() => Promise<void>) | undefined;

  constructor(cluster: FakeCluster, nodeId: number) {
    this.#cluster = cluster;
    this.nodeId = nodeId;
    this.address = { host: "broker", port: 9000 + nodeId };
  }

  async start(): Promise<void> {
    const listener = await this.#cluster.network.listen(this.address, (stream) => {
      this.#serve(stream);
    });
    this.#stop = () => listener.close();
  }

  /** Ends all connections, and takes no more. */
  async stop(): Promise<void> {
    await this.#stop?.();
    this.drop();
  }

  /** Ends all connections. */
  drop(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  script(api: Api, ...steps: readonly Step[]): void {
    this.#scripts.set(api.key, [...this.#scripts.get(api.key) ?? [], ...steps]);
  }

  /** What was asked of one API, with its body. */
  requestsOf<A extends Api>(api: A): readonly (SeenRequest & { readonly body: RequestOf<A> })[] {
    const isOf = (seen: SeenRequest): seen is SeenRequest & { readonly body: RequestOf<A> } =>
      seen.api.key === api.key;
    return this.requests.filter(isOf);
  }

  rangeOf(api: Api): readonly [low: number, high: number] {
    return this.versions.get(api.key) ?? api.versions;
  }

  #serve(stream: Stream): void {
    this.#streams.add(stream);
    let before = Promise.resolve(); // answers leave in the order of the requests
    const splitter = new FrameSplitter({
      frameBytesMax: 1 << 28,
      onFrame: (frame) => {
        const reader = new Reader(frame);
        const header = readRequestHeader(reader);
        const answer = this.#answer(stream, header, reader);
        before = before.then(async () => {
          const parts = await answer;
          for (const part of parts) stream.write(part as Uint8Array);
        });
      },
    });
    stream.listen({
      onBytes: (bytes) => {
        if (splitter.push(bytes) !== undefined) stream.destroy();
      },
      onDrain: () => undefined,
      onClose: () => void this.#streams.delete(stream),
    });
  }

  async #answer(
    stream: Stream,
    header: RequestHeader,
    reader: Reader,
  ): Promise<readonly unknown[]> {
    const api = apiOf(header.apiKey) as Api;
    const { apiVersion: version, correlationId, clientId } = header;
    if (version > this.rangeOf(api)[1]) return this.#rejectVersion(correlationId);
    const body = requestReader(api, version)(reader);
    this.requests.push({ api, version, clientId, body });
    const step = this.#scripts.get(api.key)?.shift() ?? { kind: "serve" };
    const serve = async (): Promise<readonly unknown[]> => {
      const answer = await answerOf(this.#cluster, this, { api, body, version });
      if (answer === undefined) return [];
      return responseFrame(
        api,
        { apiVersion: version, correlationId },
        answer as ResponseInput<typeof api>,
      );
    };
    switch (step.kind) {
      case "serve":
        return await serve();
      case "serve-answer":
      case "answer": {
        if (step.kind === "serve-answer") await serve();
        const answer = step.body as ResponseInput<typeof api>;
        return responseFrame(api, { apiVersion: version, correlationId }, answer);
      }
      case "silence":
        return await new Promise(() => undefined);
      case "skip":
        return [];
      case "close":
        if (step.isServed) await serve();
        stream.destroy();
        return [];
      case "hold": {
        const parts = await serve();
        await step.when;
        return parts;
      }
      case "raw":
        return [step.bytes];
    }
  }

  /** KIP-511: version 0, and the range of this API. */
  #rejectVersion(correlationId: number): readonly unknown[] {
    const [minVersion, maxVersion] = this.rangeOf(apiVersions);
    return responseFrame(apiVersions, { apiVersion: 0, correlationId }, {
      errorCode: 35,
      apiKeys: [{ apiKey: apiVersions.key, minVersion, maxVersion }],
    });
  }

  /** What ApiVersions tells. */
  apiKeys(): { apiKey: number; minVersion: number; maxVersion: number }[] {
    return apis.map((api) => {
      const [minVersion, maxVersion] = this.rangeOf(api);
      return { apiKey: api.key, minVersion, maxVersion };
    });
  }
}
