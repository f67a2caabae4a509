/**
 * Records that keep coming, evenly to all partitions of a topic of its own: the values are 0, 1, 2 and
 * so on.
 */
import { type Client, connect, createHostEnv, parseAddress } from "../../src/mod.ts";
import type { Address } from "../../src/env/network.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { lasting } from "../harness/until.ts";

/** Of the topic: more than there are members. */
export const PARTITIONS = 6;
const ROUND_MS = 50;

export class Feed implements AsyncDisposable {
  /** How many records there are by now, all of them acknowledged. */
  count = 0;
  readonly #client: Client;
  readonly #producer: ReturnType<Client["producer"]>;
  readonly topic: string;
  #running: Promise<void> | undefined;
  #isStopped = false;

  private constructor(client: Client, topic: string) {
    this.#client = client;
    this.#producer = client.producer({ lingerMs: 0 });
    this.topic = topic;
  }

  /** Makes the topic, and its first records: then the whole broker knows it. */
  static async open(broker: string, topic: string): Promise<Feed> {
    const brokers = [parseAddress(broker) as Address];
    const client = await connect({ brokers, env: createHostEnv() });
    const partitions = PARTITIONS;
    const [made] = await client.admin.createTopics([{ name: topic, partitions }]);
    if (made?.error !== undefined) throw made.error;
    const feed = new Feed(client, topic);
    await feed.round();
    return feed;
  }

  /** One record for each partition. */
  async round(): Promise<void> {
    const first = this.count;
    const sent = Array.from({ length: PARTITIONS }, (_, partition) => {
      const value = bytesOf(String(first + partition));
      return this.#producer.send(this.topic, { key: null, value, partition });
    });
    await Promise.all(sent);
    this.count += PARTITIONS;
  }

  start(): void {
    this.#isStopped = false;
    this.#running = this.#run();
  }

  /** Ends what `start` has begun; throws what has gone wrong in it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    this.#running = undefined;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      // deno-lint-ignore no-await-in-loop -- one round after the other
      await this.round();
      // deno-lint-ignore no-await-in-loop -- a steady load, not a burst
      await lasting(ROUND_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#running?.catch(() => undefined); // the test has failed already, with better words
    await this.#producer[Symbol.asyncDispose]();
    await this.#client[Symbol.asyncDispose]();
  }
}
