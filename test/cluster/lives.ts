/**
 * One broker with several lives: killed or stopped, and started again on the same port with the same
 * data.
 *
 *     await using lives = await Lives.begin(["-X", "mq.durability=memory"]);
 *     await lives.end("SIGKILL");
 *     await lives.beginAgain();
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type Broker, mq, startBroker } from "../harness/broker.ts";
import { freePorts } from "../harness/free_port.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../harness/temporary_directory.ts";

export type Death = "SIGKILL" | "SIGTERM";

export class Lives implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;
  readonly #words: readonly string[];
  #broker: Broker | undefined;
  /** Stays the same over all lives. */
  readonly kafka: string;

  private constructor(words: readonly string[], port: number) {
    this.#directory = temporaryDirectory();
    this.#words = words;
    this.kafka = `127.0.0.1:${port}`;
  }

  static async begin(words: readonly string[] = []): Promise<Lives> {
    const [port] = await freePorts(1);
    const lives = new Lives(words, port as number);
    try {
      await lives.beginAgain();
    } catch (error) {
      await lives[Symbol.asyncDispose]();
      throw error;
    }
    return lives;
  }

  get dataDirectory(): string {
    return join(this.#directory.path, "data");
  }

  /** What the present broker has said so far. */
  get log(): string {
    return this.#broker?.process.stderr() ?? "";
  }

  async beginAgain(): Promise<void> {
    const { dataDirectory, kafka: listen } = this;
    this.#broker = await startBroker({ dataDirectory, listen, words: this.#words });
  }

  /** Gives the exit code. */
  async end(death: Death): Promise<number> {
    const broker = this.#broker;
    this.#broker = undefined;
    broker?.process.kill(death);
    const status = await broker?.process.ended;
    await broker?.[Symbol.asyncDispose]();
    return status ?? -1;
  }

  /** Makes a topic. */
  async createTopic(topic: string, partitions = 1): Promise<void> {
    const made = await mq(["topic", "create", topic, "-p", String(partitions), "-q"], this);
    if (made.status !== 0) throw new Error(made.stderr);
  }

  /** All of a partition as it is now. */
  async read(topic: string, partition = 0): Promise<Uint8Array> {
    const words = ["consume", topic, "-q", "-p", String(partition), "-o", "start:end"];
    const read = await mq(words, this);
    if (read.status !== 0) throw new Error(read.stderr);
    return read.stdout;
  }

  /** The `.log` file of a partition that has one segment. */
  logFile(topicPartition: string): string {
    return join(this.dataDirectory, topicPartition, `${"0".repeat(20)}.log`);
  }

  /** Its size; 0 before its first batch. */
  logBytes(topicPartition: string): number {
    return statSync(this.logFile(topicPartition), { throwIfNoEntry: false })?.size ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
    this.#directory[Symbol.dispose]();
  }
}
