/** The client library's producer in this process, told of every acknowledgement, and given up at will. */
import { connect, createHostEnv, parseAddress, type Producer } from "../../src/mod.ts";
import type { Client } from "../../src/mod.ts";

export class AckedProducer implements AsyncDisposable {
  readonly #client: Client;
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #life: AbortController;

  private constructor(client: Client, topic: string, life: AbortController) {
    this.#client = client;
    this.#topic = topic;
    this.#life = life;
    this.#producer = client.producer({ lingerMs: 0, batchBytes: 2000, signal: life.signal });
  }

  static async connect(kafka: string, topic: string): Promise<AckedProducer> {
    const address = parseAddress(kafka);
    if (address === undefined) throw new Error(`Cannot read address ${kafka}`);
    const client = await connect({ brokers: [address], env: createHostEnv() });
    return new AckedProducer(client, topic, new AbortController());
  }

  /** Sends a record; hears the offset when it is acknowledged, and nothing when it is not. */
  append(text: string, onAcked: (offset: number) => void, keyText?: string): void {
    const value = new TextEncoder().encode(text);
    const key = keyText === undefined ? null : new TextEncoder().encode(keyText);
    void this.#producer.append(this.#topic, { key, value }, ({ offset, error }) => {
      if (error === undefined) onAcked(offset);
    });
  }

  /** Nothing more is sent; what is on its way is not waited for. */
  abandon(): void {
    this.#life.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abandon();
    await this.#client[Symbol.asyncDispose]();
  }
}
