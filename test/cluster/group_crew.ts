/**
 * A group of the client library's members on a real cluster, in this process: what they were given, what
 * they have read and what they have committed is written down, and what must never be is told at once.
 *
 *     await using crew = new GroupCrew({ brokers, topic: "t", group: "g", count: 3 });
 *     crew.start();
 *     …
 *     expect(crew.faults).toEqual([]);
 */
import type { Address } from "../../src/env/network.ts";
import { Client } from "../../src/client/client.ts";
import {
  createHostEnv,
  type GroupConsumer,
  type GroupConsumerOptions,
  type TopicPartition,
} from "../../src/mod.ts";
import { turn } from "../harness/until.ts";

/** Longer than any of the falls. */
const SESSION_MS = 20_000;
const HEARTBEAT_MS = 300;
const REQUEST_TIMEOUT_MS = 1500;
const COMMIT_EVERY_MS = 100;

export interface CrewOptions {
  readonly brokers: readonly Address[];
  readonly topic: string;
  readonly group: string;
  readonly count: number;
  /** What makes a member one of its kind. */
  readonly kind: (index: number) => Partial<GroupConsumerOptions>;
}

export class GroupCrew implements AsyncDisposable {
  readonly group: string;
  /** What must not be: a partition read by two, a committed offset that goes back, a loop that ends. */
  readonly faults: string[] = [];
  /** "assigned", "revoked", "lost", in the order of what came. */
  readonly moves: string[] = [];
  readonly #options: CrewOptions;
  readonly #members: { readonly client: Client; readonly consumer: GroupConsumer }[] = [];
  /** Who reads a partition, by index. */
  readonly #ownerOf = new Map<number, number>();
  readonly #seen = new Map<number, Set<number>>();
  readonly #committed = new Map<number, number>();
  readonly #watcher: Client;
  readonly #tasks: Promise<void>[] = [];
  #isOver = false;
  /** Whether a committed offset may go back, and partitions may change hands by force. */
  mayLose = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.group = options.group;
    this.#watcher = this.#connect("watcher");
    for (let index = 0; index < options.count; index++) this.#add(index);
  }

  start(): void {
    for (const [index, { consumer }] of this.#members.entries()) {
      this.#tasks.push(this.#read(index, consumer));
    }
    this.#tasks.push(this.#watch());
  }

  /** Each partition of so many has one owner, and each member has one of them. */
  isSettled(partitionCount: number): boolean {
    const each = this.#members.map(({ consumer }) => consumer.assignment());
    const all = new Set(each.flat().map(({ partition }) => partition));
    return each.every(({ length }) => length > 0) && each.flat().length === all.size &&
      all.size === partitionCount;
  }

  assignments(): string {
    return this.#members.map(({ consumer }) =>
      consumer.assignment().map(({ partition }) => partition).sort().join()
    ).join(" ");
  }

  memberIds(): readonly string[] {
    return this.#members.map(({ consumer }) => consumer.memberId);
  }

  seenCount(partition: number): number {
    return this.#seen.get(partition)?.size ?? 0;
  }

  /** The first offset below `end` that nobody has read. */
  missing(partition: number, end: number): number | undefined {
    const seen = this.#seen.get(partition);
    for (let offset = 0; offset < end; offset++) if (seen?.has(offset) !== true) return offset;
    return undefined;
  }

  /** As the coordinator has told last; 0 where nothing is committed. */
  committed(partition: number): number {
    return this.#committed.get(partition) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#members.map(({ consumer }) => consumer.close({ leave: false })));
    await Promise.all(this.#members.map(({ client }) => client.close()));
    await this.#watcher.close();
    await Promise.all(this.#tasks);
  }

  #connect(clientId: string): Client {
    const { brokers } = this.#options;
    const requestTimeoutMs = REQUEST_TIMEOUT_MS;
    return new Client({ brokers, env: createHostEnv(), clientId, requestTimeoutMs });
  }

  #add(index: number): void {
    const client = this.#connect(`${this.group}-${index}`);
    const consumer = client.groupConsumer({
      groupId: this.group,
      topics: [this.#options.topic],
      from: { kind: "start" },
      autoCommitIntervalMs: COMMIT_EVERY_MS,
      maxWaitMs: 100,
      ...this.#options.kind(index),
      onAssigned: (partitions) => this.#onAssigned(index, partitions),
      onRevoked: (partitions) => this.#onGone("revoked", index, partitions),
      onLost: (partitions) => this.#onGone("lost", index, partitions),
    });
    this.#members.push({ client, consumer });
  }

  #onAssigned(index: number, partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) {
      const owner = this.#ownerOf.get(partition);
      if (owner !== undefined && !this.mayLose) {
        this.faults.push(`${this.group}: partition ${partition} of ${owner} is given to ${index}`);
      }
      this.#ownerOf.set(partition, index);
      this.moves.push(`assigned ${partition} to ${index}`);
    }
  }

  #onGone(how: string, index: number, partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) {
      if (this.#ownerOf.get(partition) === index) this.#ownerOf.delete(partition);
      this.moves.push(`${how} ${partition} of ${index}`);
    }
  }

  async #read(index: number, consumer: GroupConsumer): Promise<void> {
    try {
      for await (const batch of consumer.batches()) {
        const seen = this.#seen.get(batch.partition) ?? new Set();
        this.#seen.set(batch.partition, seen);
        const records = batch.records();
        while (records.next()) seen.add(records.offset());
        consumer.done(batch.topic, batch.partition, batch.nextOffset);
      }
      if (!this.#isOver) this.faults.push(`${this.group}: member ${index} has ended`);
    } catch (error) {
      if (!this.#isOver) this.faults.push(`${this.group}: member ${index} has ended: ${error}`);
    }
  }

  /** Asks for what is committed, again and again. */
  async #watch(): Promise<void> {
    while (!this.#isOver) {
      // deno-lint-ignore no-await-in-loop -- one question after the other
      const told = await this.#watcher.admin.groups.groupOffsets(this.group).catch(() => []);
      for (const { partition, offset, error } of told) {
        if (error === undefined) this.#onCommitted(partition, offset);
      }
      // deno-lint-ignore no-await-in-loop
      await turn();
    }
  }

  #onCommitted(partition: number, offset: number): void {
    const before = this.committed(partition);
    if (offset < before && !this.mayLose) {
      this.faults.push(`${this.group}: ${partition} was committed at ${before}, then at ${offset}`);
    }
    this.#committed.set(partition, Math.max(offset, 0));
  }
}

/** Members of each kind. */
export const KINDS: Readonly<
  Record<string, (index: number) => Partial<GroupConsumerOptions>>
> = {
  cooperative: () => ({ ...CLASSIC, assignors: ["cooperative-sticky"] }),
  static: (index) => ({ ...CLASSIC, assignors: ["range"], instanceId: `instance-${index}` }),
  consumer: () => ({ protocol: "consumer" }),
};

const CLASSIC = {
  protocol: "classic",
  sessionTimeoutMs: SESSION_MS,
  heartbeatIntervalMs: HEARTBEAT_MS,
} as const;

/** What a cluster needs for members with such short sessions. */
export const CREW_SETTINGS: readonly string[] = [
  "group.min.session.timeout.ms=1000",
  "group.consumer.min.session.timeout.ms=1000",
  `group.consumer.session.timeout.ms=${SESSION_MS}`,
  "group.consumer.min.heartbeat.interval.ms=100",
  `group.consumer.heartbeat.interval.ms=${HEARTBEAT_MS}`,
];
