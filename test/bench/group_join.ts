/**
 * How long a rebalance takes: a member joins a group that reads 100 partitions, into each of which a
 * record comes every 50 ms, and the time is taken until every partition has one owner, who has had a
 * record since partitions last changed hands. Members are our own client on both sides, all of them in
 * this process; the topmost gap is that of partitions which have kept their owner.
 */
import process from "node:process";
import { parseAddress } from "../../src/client/address.ts";
import type { Address } from "../../src/env/network.ts";
import { createHostEnv } from "../../src/host/host_env.ts";
import { type Client, connect, type GroupConsumerOptions } from "../../src/mod.ts";
import type { Side } from "./group_sides.ts";
import { median, report } from "./report.ts";

const ROUNDS = Number(process.env["MQ_BENCH_ROUNDS"] ?? 3);
const MEMBERS = (process.env["MQ_BENCH_MEMBERS"] ?? "3,100").split(",").map(Number);
const PARTITIONS = 100;
const RECORD_EVERY_MS = 50;
const LOOK_EVERY_MS = 2;
const PATIENCE_MS = 120_000;
const HEARTBEAT_MS = 500;

type Protocol = Pick<GroupConsumerOptions, "protocol" | "assignors" | "heartbeatIntervalMs">;

const classic = { protocol: "classic", heartbeatIntervalMs: HEARTBEAT_MS } as const;
const protocols: Readonly<Record<string, Protocol>> = {
  "classic cooperative": { ...classic, assignors: ["cooperative-sticky"] },
  "classic eager": { ...classic, assignors: ["range"] },
  "consumer": { protocol: "consumer" },
};

export async function benchJoin(side: Side): Promise<void> {
  const brokers = [parseAddress(side.address()) as Address];
  await using feeder = await connect({ brokers, env: createHostEnv() });
  for (const count of MEMBERS) {
    for (const [title, protocol] of Object.entries(protocols)) {
      const topic = `join-${count}-${title.replaceAll(" ", "-")}`;
      await feeder.admin.createTopics([{ name: topic, partitions: PARTITIONS }]);
      await using feed = new Feed(feeder, topic);
      feed.start();
      await using group = new Group({ topic, brokers, protocol });
      for (let member = 1; member < count; member++) await group.add();
      await group.untilConsuming(count - 1);
      const times: number[] = [];
      const gaps: number[] = [];
      for (let round = -1; round < ROUNDS; round++) { // the first is for compilers
        const before = group.owners();
        const began = performance.now();
        group.forgetGaps();
        await group.add();
        await group.untilConsuming(count);
        if (round >= 0) {
          times.push(performance.now() - began);
          gaps.push(group.longestGap(before));
        }
        await group.removeLast();
        await group.untilConsuming(count - 1);
      }
      const gap = Math.max(...gaps);
      report(
        `${title}: a member joins ${count - 1}`,
        side.who,
        `${median(times).toFixed(0)} ms until all consume, partitions that stay wait ` +
          `${gap.toFixed(0)} ms at most`,
      );
    }
  }
}

/** A record into each partition, again and again. */
class Feed implements AsyncDisposable {
  readonly #producer: ReturnType<Client["producer"]>;
  readonly #topic: string;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(client: Client, topic: string) {
    this.#producer = client.producer({ lingerMs: 0 });
    this.#topic = topic;
  }

  start(): void {
    const value = new Uint8Array(10);
    this.#timer = setInterval(() => {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        this.#producer.append(this.#topic, { key: null, value, partition }, () => undefined);
      }
    }, RECORD_EVERY_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#producer[Symbol.asyncDispose]();
  }
}

interface GroupOptions {
  readonly topic: string;
  readonly brokers: readonly Address[];
  readonly protocol: Protocol;
}

interface Reader {
  readonly owned: Set<number>;
  close(): Promise<void>;
}

class Group implements AsyncDisposable {
  readonly #options: GroupOptions;
  readonly #readers: Reader[] = [];
  /** When partitions last changed hands. */
  #changedAt = 0;
  /** By partition: who had a record of it last, when, and the longest wait for one. */
  readonly #last: { reader: Reader | undefined; at: number; gap: number }[];

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#last = Array.from(
      { length: PARTITIONS },
      () => ({ reader: undefined, at: performance.now(), gap: 0 }),
    );
  }

  async add(): Promise<void> {
    const { topic, brokers, protocol } = this.#options;
    const client = await connect({ brokers, env: createHostEnv() });
    const owned = new Set<number>();
    const changed = (change: (partition: number) => void) =>
    (
      partitions: readonly { readonly partition: number }[],
    ): void => {
      for (const { partition } of partitions) change(partition);
      if (partitions.length > 0) this.#changedAt = performance.now();
    };
    const gone = changed((partition) => void owned.delete(partition));
    const consumer = client.groupConsumer({
      ...protocol,
      groupId: `${topic}-group`,
      topics: [topic],
      maxWaitMs: 500,
      onAssigned: changed((partition) => void owned.add(partition)),
      onRevoked: gone,
      onLost: gone,
    });
    const read = async (reader: Reader): Promise<void> => {
      for await (const batch of consumer.batches()) {
        consumer.done(topic, batch.partition, batch.nextOffset);
        this.#had(reader, batch.partition);
      }
    };
    const ended = Promise.withResolvers<void>();
    const reader: Reader = {
      owned,
      close: async () => {
        await consumer.close();
        await ended.promise;
        await client[Symbol.asyncDispose]();
      },
    };
    void read(reader)
      .catch((error) => void process.stderr.write(`A member has failed: ${error}\n`))
      .then(() => ended.resolve());
    this.#readers.push(reader);
  }

  async removeLast(): Promise<void> {
    await this.#readers.pop()?.close();
  }

  /** Who owns which partition. */
  owners(): readonly (Reader | undefined)[] {
    return this.#last.map((_, partition) =>
      this.#readers.find(({ owned }) => owned.has(partition))
    );
  }

  forgetGaps(): void {
    for (const each of this.#last) each.gap = 0;
  }

  /** Of the partitions that have the same owner as before. */
  longestGap(before: readonly (Reader | undefined)[]): number {
    const now = this.owners();
    const stayed = this.#last.filter((_, partition) => now[partition] === before[partition]);
    return Math.max(0, ...stayed.map(({ gap }) => gap));
  }

  async untilConsuming(count: number): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!this.#isConsuming(count)) {
      if (performance.now() > end) throw new Error(`Cannot wait longer for ${count} members`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  #isConsuming(count: number): boolean {
    const low = Math.floor(PARTITIONS / count);
    const isFair = this.#readers.every(({ owned }) =>
      owned.size >= low && owned.size <= Math.ceil(PARTITIONS / count)
    );
    const owned = this.#readers.reduce((sum, reader) => sum + reader.owned.size, 0);
    return isFair && owned === PARTITIONS &&
      this.#last.every(({ reader, at }, partition) =>
        at > this.#changedAt && reader?.owned.has(partition) === true
      );
  }

  #had(reader: Reader, partition: number): void {
    const now = performance.now();
    const last = this.#last[partition];
    if (last === undefined) return;
    last.gap = Math.max(last.gap, now - last.at);
    last.at = now;
    last.reader = reader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#readers.splice(0).map((reader) => reader.close()));
  }
}
