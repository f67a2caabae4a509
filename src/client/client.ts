/**
 * The client: the way into a cluster for whoever produces, consumes or administers.
 *
 *     await using client = await connect({ brokers, env });
 *     await using producer = client.producer({ acks: "all" });
 *
 * Works with any Kafka from 2.4 on and with our own brokers alike. Not here: addresses as text
 * (`address.ts`), settings from files and flags: the program's.
 */
import type { Env } from "../env/env.ts";
import type { Address } from "../env/network.ts";
import { Admin } from "./admin.ts";
import { ClientError } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import { ConnectionPool } from "./connection_pool.ts";
import { Consumer } from "./consumer.ts";
import type { ConsumerOptions } from "./consumer_options.ts";
import { GroupConsumer } from "./group_consumer.ts";
import type { GroupConsumerOptions } from "./group_options.ts";
import { MetadataCache } from "./metadata_cache.ts";
import { Producer } from "./producer.ts";
import type { ProducerOptions } from "./producer_options.ts";

export interface ClientOptions {
  /** Where to begin; the others are learned. */
  readonly brokers: readonly Address[];
  readonly env: Env;
  /** "mq" where left out. */
  readonly clientId?: string;
  /** How long a broker has for an answer; 30 s where left out. */
  readonly requestTimeoutMs?: number;
  /** Closes the client: everything under way fails with ABORTED. */
  readonly signal?: AbortSignal;
}

/** Connects to the first broker that answers. Throws a `ClientError` where none does. */
export async function connect(options: ClientOptions): Promise<Client> {
  if (options.brokers.length === 0) {
    throw new ClientError("UNREACHABLE", "Cannot connect: no broker was named");
  }
  const client = new Client(options);
  try {
    await client.ping();
  } catch (thrown) {
    await client.close();
    throw thrown;
  }
  return client;
}

export class Client {
  readonly metadata: MetadataCache;
  readonly admin: Admin;
  readonly #tools: ClientTools;
  readonly #closing = new AbortController();
  readonly #producers = new Set<Producer>();

  /** Opens nothing: `connect` does. */
  constructor(options: ClientOptions) {
    const { env } = options;
    const requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
    const { signal } = this.#closing;
    const clientId = options.clientId ?? "mq";
    const bootstrap = options.brokers;
    const pool = new ConnectionPool({ bootstrap, clientId, requestTimeoutMs, env, signal });
    this.metadata = new MetadataCache({ pool, env, requestTimeoutMs, signal });
    this.#tools = { pool, metadata: this.metadata, env, requestTimeoutMs, signal };
    this.admin = new Admin(this.#tools);
    const onAbort = (): void => this.#end();
    options.signal?.addEventListener("abort", onAbort, { once: true });
    signal.addEventListener("abort", () => options.signal?.removeEventListener("abort", onAbort));
    if (options.signal?.aborted === true) this.#end();
  }

  /** Makes sure that a broker answers. Throws a `ClientError`. */
  async ping(): Promise<void> {
    await this.#tools.pool.any();
  }

  producer(options: ProducerOptions = {}): Producer {
    for (const other of this.#producers) if (other.isClosed) this.#producers.delete(other);
    const producer = new Producer(this.#tools, options);
    this.#producers.add(producer);
    return producer;
  }

  consumer(options: ConsumerOptions): Consumer {
    return new Consumer(this.#tools, options);
  }

  /** A member of a group; it joins when it is read. */
  groupConsumer(options: GroupConsumerOptions): GroupConsumer {
    return new GroupConsumer(this.#tools, options);
  }

  /** Delivers what its producers have taken, then ends all connections. */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      await Promise.all([...this.#producers].map((producer) => producer.close()));
    }
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #end(): void {
    this.#closing.abort();
    this.#tools.pool.close();
  }
}
