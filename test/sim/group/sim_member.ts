/** A member of a group: the client of production code on a machine of its own, killed and started again. */
import { Client } from "../../../src/client/client.ts";
import { ClientError } from "../../../src/client/client_error.ts";
import type { FetchedBatch } from "../../../src/client/fetched_batch.ts";
import type { GroupConsumer } from "../../../src/client/group_consumer.ts";
import type { TopicPartition } from "../../../src/client/group_options.ts";
import type { Env } from "../../../src/env/env.ts";
import type { Address } from "../../../src/env/network.ts";
import type { Prng } from "../../../src/ground/prng.ts";
import { textOf } from "../../../src/ground/text.ts";
import { PromiseBroken } from "../operation/operation.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Shadow } from "../shadow.ts";
import type { SimProcess } from "../sim_process.ts";
import { type SimGroup, TOPICS_PATTERN, TOPICS_READ } from "./group_options.ts";
import type { GroupShadow } from "./group_shadow.ts";

export interface SimMemberOptions {
  readonly process: SimProcess;
  readonly scheduler: Scheduler;
  readonly chance: Prng;
  readonly brokers: readonly Address[];
  readonly group: SimGroup;
  readonly shadow: Shadow;
  readonly groups: GroupShadow;
  readonly thinkMeanMs: number;
  readonly onBroken: (error: unknown) => void;
  readonly onDone: (what: string, outcome: string) => void;
  /** It reads these from now on. */
  readonly onAssigned: (member: SimMember, partitions: readonly TopicPartition[]) => void;
}

const REQUEST_TIMEOUT_MS = 5000;
const BEGIN_AGAIN_US = 1_000_000;
const REST_MS = 200;

export class SimMember {
  readonly process: SimProcess;
  readonly options: SimMemberOptions;
  /** Topic-partition → the offset behind what it was handed last; -1 before the first. */
  readonly owned = new Map<string, number>();
  #consumer: GroupConsumer | undefined;
  #isSteady = false;
  #isResting = false;

  constructor(options: SimMemberOptions) {
    this.options = options;
    this.process = options.process;
  }

  get memberId(): string {
    return this.#consumer?.memberId ?? "";
  }

  start(): void {
    if (this.process.isUp) return;
    const { env, life } = this.process.begin();
    this.owned.clear();
    this.#live(env).catch((error: unknown) => {
      if (life.isAlive) this.options.onBroken(error);
    });
  }

  kill(): void {
    if (!this.process.isUp) return;
    this.owned.clear();
    this.process.kill();
    this.options.scheduler.after(BEGIN_AGAIN_US, { label: "start" }, () => this.start());
  }

  /** It leaves, and joins again when it is told to. */
  rest(isResting: boolean): void {
    this.#isResting = isResting && !this.#isSteady;
    if (this.#isResting && this.process.isUp) void this.#consumer?.close();
  }

  /** From now on it stays. */
  askForLiveness(): void {
    this.#isSteady = true;
    this.#isResting = false;
  }

  async #live(env: Env): Promise<void> {
    const { brokers, chance, options } = { ...this.options, options: this.options };
    const client = new Client({ brokers, env, requestTimeoutMs: REQUEST_TIMEOUT_MS });
    for (;;) {
      while (this.#isResting) {
        // deno-lint-ignore no-await-in-loop -- until it is told to come back
        await new Promise<void>((resolve) => void env.clock.after(REST_MS, resolve));
      }
      const consumer = this.#join(client);
      this.#consumer = consumer;
      try {
        // deno-lint-ignore no-await-in-loop -- one membership after the other
        await this.#read(consumer, env);
        options.onDone("membership", "left");
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        options.onDone("membership", error.code);
      }
      this.owned.clear();
      // deno-lint-ignore no-await-in-loop
      await consumer.close();
      // deno-lint-ignore no-await-in-loop
      await new Promise<void>((resolve) => env.clock.after(100 + chance.below(3000), resolve));
    }
  }

  #join(client: Client): GroupConsumer {
    const { group, groups, process, chance } = this.options;
    const { groupId, assignor, isStatic, commit } = group;
    const protocol = group.protocol !== "both"
      ? group.protocol
      : chance.oneIn(2)
      ? "classic"
      : "consumer";
    const drop = (partitions: readonly TopicPartition[]): void => {
      for (const { topic, partition } of partitions) this.owned.delete(`${topic}-${partition}`);
    };
    return client.groupConsumer({
      groupId,
      topics: group.isPattern === true
        ? { pattern: TOPICS_PATTERN }
        : Array.from({ length: TOPICS_READ }, (_, index) => `t${index}`),
      protocol,
      assignors: [assignor],
      ...(isStatic ? { instanceId: process.name } : {}),
      sessionTimeoutMs: 6000,
      heartbeatIntervalMs: 1000,
      rebalanceTimeoutMs: 10_000,
      metadataMaxAgeMs: 2000,
      maxWaitMs: 200,
      from: { kind: "start" },
      commit,
      autoCommitIntervalMs: 1000,
      onAssigned: (partitions) => {
        groups.strangers.delete(this.memberId);
        for (const { topic, partition } of partitions) this.owned.set(`${topic}-${partition}`, -1);
        this.options.onAssigned(this, partitions);
      },
      onRevoked: drop,
      onLost: (partitions) => {
        groups.strangers.delete(this.memberId);
        drop(partitions);
      },
    });
  }

  async #read(consumer: GroupConsumer, env: Env): Promise<void> {
    const { chance, group, thinkMeanMs } = this.options;
    for await (const batch of consumer.batches()) {
      const { topic, partition, nextOffset } = batch;
      this.#note(batch);
      const thinkMs = chance.below(2 * Math.min(thinkMeanMs, 200));
      // deno-lint-ignore no-await-in-loop -- as long as an application takes
      await new Promise<void>((resolve) => env.clock.after(thinkMs, resolve));
      consumer.done(topic, partition, nextOffset);
      if (group.commit === "manual") {
        // deno-lint-ignore no-await-in-loop
        await consumer.commit().catch((error: unknown) => {
          if (!(error instanceof ClientError)) throw error;
        });
      }
      if (!this.#isSteady && chance.oneIn(40)) return;
    }
  }

  /** What it was handed is its own, comes in order, and is what was sent. */
  #note(batch: FetchedBatch): void {
    const { group, groups, shadow } = this.options;
    const { topic, partition, nextOffset } = batch;
    const key = `${topic}-${partition}`;
    const name = `${group.groupId} ${this.process.name} ${key}`;
    const last = this.owned.get(key);
    if (last === undefined) {
      throw new PromiseBroken("only owners are handed out", `${name} up to ${nextOffset}`);
    }
    const of = shadow.topics.get(topic)?.partition(partition);
    const isStrict = groups.isTrusted && of?.lossCount === 0;
    const handed = groups.handedOut(group.groupId, topic, partition);
    const records = batch.records();
    while (records.next()) {
      const offset = records.offset();
      if (isStrict && offset < last) {
        throw new PromiseBroken("an owner is handed out in order", `${name} at ${offset}`);
      }
      const value = textOf(records.value() ?? new Uint8Array(0));
      const expected = of?.expected.get(offset)?.value;
      if (isStrict && expected !== undefined && expected !== value) {
        throw new PromiseBroken("what is handed out was sent", `${name} at ${offset}`);
      }
      handed.add(offset);
    }
    this.owned.set(key, nextOffset);
  }
}
