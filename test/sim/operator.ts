/**
 * Somebody who runs the cluster, with a client of production code: makes it grow, changes its voters,
 * gives a node that has lost its disk a vote again, and in the end looks whether all is well.
 *
 * Everything is done as a person would: what was refused, or what nobody knows the outcome of, is looked
 * at and tried again.
 */
import { Client } from "../../src/client/client.ts";
import { ClientError } from "../../src/client/client_error.ts";
import type { Env } from "../../src/env/env.ts";
import type { Address } from "../../src/env/network.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { parseUuid, type Uuid } from "../../src/ground/uuid.ts";
import type { Loss } from "./lose_for_good.ts";
import { KAFKA_PORT, type SimNode } from "./sim_node.ts";
import type { SimOptions } from "./sim_options.ts";
import type { SimProcess } from "./sim_process.ts";

export interface OperatorOptions {
  readonly process: SimProcess;
  readonly nodes: readonly SimNode[];
  /** Those that serve clients. */
  readonly brokers: readonly Address[];
  readonly options: SimOptions;
  readonly onBroken: (error: unknown) => void;
}

const LOOK_MS = 3000;
const SOON_MS = 500;
const REQUEST_TIMEOUT_MS = 5000;
const DELIVERY_TIMEOUT_MS = 15_000;

export class Operator {
  readonly process: SimProcess;
  isSatisfied = false;
  lastRefusal = "";
  /** A voter that shall leave, and come back. */
  leaving: SimNode | undefined;
  /** How many changes of voters were asked for. */
  changeCount = 0;
  readonly #options: OperatorOptions;
  #env: Env | undefined;
  #isLivenessAsked = false;

  constructor(options: OperatorOptions) {
    this.#options = options;
    this.process = options.process;
  }

  start(): void {
    if (this.process.isUp) return;
    const { env, life } = this.process.begin();
    this.#env = env;
    this.#live(env).catch((error: unknown) => {
      if (life.isAlive) this.#options.onBroken(error);
    });
  }

  /** Of a cluster that was well one node is lost for good: everything must work through the others. */
  goOnWithout(loss: Loss): void {
    this.isSatisfied = false;
    this.#useOthers(this.#env as Env, loss).catch(this.#options.onBroken);
  }

  /** The topic is to have so many partitions: it is made where it has none, else made larger. */
  widen(topic: string, partitions: number): void {
    this.isSatisfied = false;
    this.#widen(this.#env as Env, topic, partitions).catch(this.#options.onBroken);
  }

  askForLiveness(): void {
    this.#isLivenessAsked = true;
  }

  async #live(env: Env): Promise<void> {
    const client = new Client({
      brokers: this.#options.brokers,
      env,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    });
    for (;;) {
      const isAsked = this.#isLivenessAsked;
      try {
        // deno-lint-ignore no-await-in-loop -- again and again
        const isQuorumWell = await this.#lookAfterVoters(client);
        // deno-lint-ignore no-await-in-loop
        if (isAsked && isQuorumWell && await this.#useAll(env, this.#options.brokers)) break;
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        this.lastRefusal = error.message;
      }
      // deno-lint-ignore no-await-in-loop
      await new Promise<void>((resolve) => {
        env.clock.after(this.#isLivenessAsked ? SOON_MS : LOOK_MS, resolve);
      });
    }
    this.isSatisfied = true;
    await client.close();
  }

  /** One step towards the voters that there shall be; true where they are. */
  async #lookAfterVoters(client: Client): Promise<boolean> {
    const { nodes, options } = this.#options;
    const controllers = nodes.filter(({ mayVote }) => mayVote);
    if (controllers.length === 1) return true;
    const { voters } = await client.admin.describeQuorum();
    const idOf = (node: SimNode): number => nodes.indexOf(node) + 1;
    for (const node of controllers) {
      const directoryId = node.directoryId();
      const voter = voters.find(({ nodeId }) => nodeId === idOf(node));
      const isOther = voter !== undefined && node.lostDirectoryIds.has(voter.directoryId);
      if (voter !== undefined && (isOther || node === this.leaving)) {
        this.changeCount++;
        // deno-lint-ignore no-await-in-loop -- one change at a time
        await client.admin.removeVoter({
          nodeId: voter.nodeId,
          directoryId: uuidOf(voter.directoryId),
        });
        this.leaving = undefined;
        return false;
      }
      if (voter !== undefined || directoryId === undefined) continue;
      this.changeCount++;
      // deno-lint-ignore no-await-in-loop
      await client.admin.addVoter({
        nodeId: idOf(node),
        directoryId: uuidOf(directoryId),
        listeners: [{ name: "PLAINTEXT", host: node.process.name, port: KAFKA_PORT }],
      });
      return false;
    }
    return voters.length === (options.nodes === 1 ? 1 : controllers.length);
  }

  async #widen(env: Env, name: string, partitions: number): Promise<void> {
    const client = new Client({
      brokers: this.#options.brokers,
      env,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    });
    for (;;) {
      try {
        // deno-lint-ignore no-await-in-loop -- until it is done
        const [done] = partitions === 1
          ? await client.admin.createTopics([
            { name, partitions, replicationFactor: 1, configs: {} },
          ])
          : await client.admin.createPartitions([{ name, partitions }]);
        const { error } = done ?? {};
        // It was carried out before, and the answer was lost.
        const isDone = error === undefined || error.code === "TOPIC_ALREADY_EXISTS" ||
          error.code === "INVALID_PARTITIONS";
        if (isDone) break;
        this.lastRefusal = error.message;
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        this.lastRefusal = error.message;
      }
      // deno-lint-ignore no-await-in-loop
      await new Promise<void>((resolve) => env.clock.after(SOON_MS, resolve));
    }
    this.isSatisfied = true;
    await client.close();
  }

  async #useOthers(env: Env, { node: lost, isNoticed }: Loss): Promise<void> {
    const { nodes, brokers } = this.#options;
    const lostId = nodes.indexOf(lost) + 1;
    const others = brokers.filter(({ host }) => host !== lost.process.name);
    // Until then it may be given new partitions.
    const isFenced = (): boolean => {
      return !lost.isBroker || !isNoticed || nodes.some((node) => {
        return node !== lost && node.isActiveController &&
          node.metadata?.image.isUnfenced(lostId) === false;
      });
    };
    for (;;) {
      try {
        // deno-lint-ignore no-await-in-loop -- again and again
        if (isFenced() && await this.#useAll(env, others)) break;
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        this.lastRefusal = error.message;
      }
      // deno-lint-ignore no-await-in-loop
      await new Promise<void>((resolve) => env.clock.after(SOON_MS, resolve));
    }
    this.isSatisfied = true;
  }

  /** Through each broker a topic is created and written to. */
  async #useAll(env: Env, brokers: readonly Address[]): Promise<boolean> {
    for (const [index, broker] of brokers.entries()) {
      const client = new Client({ brokers: [broker], env, requestTimeoutMs: REQUEST_TIMEOUT_MS });
      try {
        const name = `last-${index}-${env.random.below(1_000_000)}`;
        // deno-lint-ignore no-await-in-loop -- one after the other
        const [created] = await client.admin.createTopics([
          { name, partitions: 1, replicationFactor: 1, configs: {} },
        ]);
        if (created?.error !== undefined) throw created.error;
        const producer = client.producer({
          acks: "all",
          mayCreateTopics: false,
          deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
        });
        // deno-lint-ignore no-await-in-loop
        await producer.send(name, { key: null, value: bytesOf("last") });
      } finally {
        // deno-lint-ignore no-await-in-loop
        await client.close();
      }
    }
    return true;
  }
}

function uuidOf(text: string): Uuid {
  return parseUuid(text) as Uuid;
}
