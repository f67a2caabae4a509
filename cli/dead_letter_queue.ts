/**
 * The way into a dead-letter topic: it is made where it is missing, and a letter counts only when the
 * broker has acknowledged it.
 */
import { deadLetter } from "./dead_letter.ts";
import { Failure, failureOf } from "./failure.ts";
import type { KeptRecord } from "./record_command.ts";
import type { Client } from "./session.ts";
import type { Retry } from "./wait_notice.ts";

/** Letters keep the timestamps of their records, which retention by time would delete at once. */
const TOPIC_CONFIGS = { "retention.ms": "-1" };

export interface DeadLetterOptions {
  readonly client: Client;
  readonly topic: string;
  onRetry(retry: Retry): void;
}

export class DeadLetterQueue {
  readonly topic: string;
  readonly #client: Client;
  readonly #producer: ReturnType<Client["producer"]>;
  #isThere: Promise<boolean> | undefined;

  constructor({ client, topic, onRetry }: DeadLetterOptions) {
    this.topic = topic;
    this.#client = client;
    this.#producer = client.producer({ lingerMs: 0, mayCreateTopics: false, onRetry });
  }

  /** Resolves when the broker has it; to whether the topic had to be made. Throws a failure. */
  async put(record: KeptRecord, error: string, attempts: number): Promise<boolean> {
    const isFirst = this.#isThere === undefined;
    this.#isThere ??= this.#makeTopic();
    try {
      const isMade = await this.#isThere;
      await this.#producer.send(this.topic, deadLetter(record, error, attempts));
      return isMade && isFirst;
    } catch (thrown) {
      const failure = failureOf(thrown);
      const { topic, partition, offset } = record;
      const place = `offset ${offset} of ${topic}-${partition}`;
      throw new Failure(
        failure.code,
        `Cannot set the record at ${place} aside in ${this.topic}: ${failure.message}`,
        {
          hint: failure.hint ?? "It was not committed; the next run begins with it",
          cause: thrown,
        },
      );
    }
  }

  async close(): Promise<void> {
    await this.#producer[Symbol.asyncDispose]();
  }

  /** Whether it was made just now. */
  async #makeTopic(): Promise<boolean> {
    const { admin } = this.#client;
    const [found] = await admin.describeTopics([this.topic]);
    if (found?.error === undefined) return false;
    const [made] = await admin.createTopics([{ name: this.topic, configs: TOPIC_CONFIGS }]);
    if (made?.error === undefined) return true;
    if (made.error.code === "TOPIC_ALREADY_EXISTS") return false; // another worker was faster
    throw made.error;
  }
}
