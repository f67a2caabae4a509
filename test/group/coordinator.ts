/**
 * One shard of the group coordinator as its driver runs it: what is decided is appended and replayed
 * at once, or refused as a whole.
 *
 * Beside it a second shard sees nothing but the records: after every step both must hold the same
 * durable state.
 */
import { expect } from "bun:test";
import type { GroupRecord } from "../../src/api/coordinator_record/group_record.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { type Ms, toMs, toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { type Uuid, uuidFromBytes } from "../../src/ground/uuid.ts";
import type { Decision } from "../../src/group/decision.ts";
import { errorResponse } from "../../src/group/error_response.ts";
import type { GroupRequest, ResponseTo } from "../../src/group/group_request.ts";
import {
  DEFAULT_GROUP_SETTINGS,
  defaultGroupConfig,
  type GroupSettings,
} from "../../src/group/group_settings.ts";
import { GroupShard } from "../../src/group/group_shard.ts";
import type { RegexEngine } from "../../src/group/turn.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import { canonical } from "./canonical.ts";

/** Patterns of the tests are known to be harmless. */
export const REGEXES: RegexEngine = {
  compile: (pattern) => {
    try {
      const whole = new RegExp(`^(?:${pattern})$`);
      return (topic) => whole.test(topic);
    } catch {
      return undefined;
    }
  },
};

const READS: ReadonlySet<string> = new Set([
  "OffsetFetch",
  "DescribeGroup",
  "ConsumerGroupDescribe",
]);

export const START = toMs(1_800_000_000_000);

export interface CoordinatorOptions {
  readonly settings?: Partial<GroupSettings>;
  readonly seed?: number;
  /** Whether the state is compared after every step, which takes as long as the state is large. */
  readonly isChecked?: boolean;
  readonly regexes?: RegexEngine;
}

/** A request that was sent; its answer is there once it has come. */
export class Asked<Request extends GroupRequest = GroupRequest> {
  readonly request: Request;
  readonly id: number;
  answer: ResponseTo<Request> | undefined;

  constructor(request: Request, id: number) {
    this.request = request;
    this.id = id;
  }
}

export class Coordinator {
  readonly image = new ClusterImage();
  readonly log: GroupRecord[] = [];
  /** Every answer, in the order in which they came. */
  readonly answers: Asked[] = [];
  now: Ms = START;
  /** The log refuses what is appended. */
  isFull = false;
  shard: GroupShard;
  readonly #options: ConstructorParameters<typeof GroupShard>[0];
  readonly #pending = new Map<number, Asked>();
  #follower: GroupShard;
  /** What the follower holds, as text, as long as it holds it. */
  #followed: string | undefined;
  readonly #isChecked: boolean;
  #topics = 0;
  #brokerCount = 1;
  #asked = 0;

  constructor(
    { settings = {}, seed = 1, isChecked = true, regexes = REGEXES }: CoordinatorOptions = {},
  ) {
    this.#isChecked = isChecked;
    const all = { ...DEFAULT_GROUP_SETTINGS, ...settings };
    this.#options = {
      settings: all,
      image: this.image,
      random: new Prng(seed),
      regexes,
      configOf: () => defaultGroupConfig(all),
    };
    this.shard = new GroupShard(this.#options);
    this.#follower = new GroupShard(this.#options);
    this.#take(this.shard.loaded(this.now));
  }

  /** Requests that nobody has answered yet. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** The brokers 1, 2, … in these racks; partitions that are made after it are spread over them. */
  placeBrokers(racks: readonly string[]): void {
    racks.forEach((rack, at) => {
      const incarnationId = uuidFromBytes(new Uint8Array(16).fill(100 + at));
      this.#metadata({
        kind: "register-broker",
        version: 0,
        brokerId: at + 1,
        incarnationId,
        host: "host",
        port: 1,
        rack,
      });
    });
    this.#brokerCount = Math.max(1, racks.length);
  }

  createTopic(name: string, partitionCount: number): Uuid {
    const topicId = uuidFromBytes(new Uint8Array(16).fill(++this.#topics));
    this.#metadata({ kind: "topic", version: 0, name, topicId });
    for (let partitionId = 0; partitionId < partitionCount; partitionId++) {
      this.#addPartition(topicId, partitionId);
    }
    this.#take(this.shard.topicsChanged(this.now, { removed: [], changed: [name] }));
    return topicId;
  }

  addPartitions(name: string, partitionCount: number): void {
    const topic = this.image.topic(name);
    if (topic === undefined) return;
    const before = topic.partitions.length;
    for (let partitionId = before; partitionId < partitionCount; partitionId++) {
      this.#addPartition(topic.topicId, partitionId);
    }
    this.#take(this.shard.topicsChanged(this.now, { removed: [], changed: [name] }));
  }

  /** `isTold` = false: nobody led this shard when it happened. */
  deleteTopic(name: string, isTold = true): void {
    const topicId = this.image.topic(name)?.topicId;
    if (topicId === undefined) return;
    this.#metadata({ kind: "remove-topic", version: 0, topicId });
    if (!isTold) return;
    this.#take(this.shard.topicsChanged(this.now, { removed: [{ name, topicId }], changed: [] }));
    this.wakeAll();
  }

  send<Request extends GroupRequest>(request: Request): Asked<Request> {
    const asked = new Asked(request, ++this.#asked);
    this.#pending.set(asked.id, asked as unknown as Asked);
    const decision = this.shard.decide(this.now, request, { id: asked.id });
    // A decision changes nothing that is durable: its records will.
    if (this.#isChecked && !READS.has(request.kind)) this.expectReplayedState();
    this.#take(decision);
    return asked;
  }

  /** For what is answered at once, or by what is due at once. */
  ask<Request extends GroupRequest>(request: Request): ResponseTo<Request> {
    const asked = this.send(request);
    if (asked.answer === undefined) this.wakeAll();
    if (asked.answer === undefined) throw new Error(`${request.kind} was not answered`);
    return asked.answer;
  }

  /** Time passes; what is due in it is done at its time. */
  advance(ms: number): void {
    const end = toMs(this.now + ms);
    for (let at = this.shard.wakeAt; at !== undefined && at <= end; at = this.shard.wakeAt) {
      if (at > this.now) this.now = at;
      if (!this.wakeAll()) break;
    }
    this.now = end;
  }

  /** Does what is due; false where the log refused some of it. */
  wakeAll(): boolean {
    let turns = 0;
    for (let at = this.shard.wakeAt; at !== undefined && at <= this.now; at = this.shard.wakeAt) {
      const decision = this.shard.wake(this.now);
      this.#take(decision);
      if (this.isFull && decision.records.length > 0) return false;
      if (++turns > 10_000) throw new Error("the shard wants to be woken for ever");
    }
    return true;
  }

  /** The coordinator fails, and comes back with what is in the log. Nobody who waited is answered. */
  restart(): void {
    this.#pending.clear();
    this.shard = this.#replayed();
    this.expectReplayedState();
    this.#take(this.shard.loaded(this.now));
  }

  /** Records of another coordinator are in the log when this one starts. */
  restartWith(...records: readonly GroupRecord[]): void {
    for (const record of records) {
      this.#follower.replay(toOffset(this.log.length), record);
      this.log.push(record);
    }
    this.#followed = undefined;
    this.restart();
  }

  dump(): unknown {
    return this.shard.dump();
  }

  expectReplayedState(): void {
    this.#followed ??= canonical(this.#follower.dump());
    expect(canonical(this.shard.dump())).toBe(this.#followed);
  }

  /**
   * The log as the cleaner leaves it tells of the same groups and offsets: of the records before
   * `cleanedTo` each key has its newest one, tombstones are gone, and what is behind is as it was.
   */
  expectCleanedState(cleanedTo: number): void {
    const newest = new Map<string, number>();
    const keyOf = ({ kind, key }: GroupRecord): string => `${kind} ${JSON.stringify(key)}`;
    const clean = this.log.slice(0, cleanedTo);
    clean.forEach((record, offset) => newest.set(keyOf(record), offset));
    const shard = this.#replayed((record, offset) =>
      offset >= cleanedTo || (record.value !== null && newest.get(keyOf(record)) === offset)
    );
    expect(canonical(shard.dump())).toBe(canonical(this.#follower.dump()));
  }

  #replayed(isThere: (record: GroupRecord, offset: number) => boolean = () => true): GroupShard {
    const shard = new GroupShard(this.#options);
    this.log.forEach((record, offset) => {
      if (isThere(record, offset)) shard.replay(toOffset(offset), record);
    });
    return shard;
  }

  #take({ records, replies }: Decision): void {
    const isRefused = this.isFull && records.length > 0;
    if (!isRefused && records.length > 0) {
      this.#followed = undefined;
      for (const record of records) {
        const offset = toOffset(this.log.length);
        this.log.push(record);
        this.shard.replay(offset, record);
        this.#follower.replay(offset, record);
      }
    }
    for (const { token, groupId, response } of replies) {
      const asked = this.#pending.get(token.id);
      if (asked === undefined) continue;
      expect(groupId).toBe(asked.request.body.groupId);
      this.#pending.delete(token.id);
      asked.answer = isRefused
        ? errorResponse(asked.request, ErrorCode.CoordinatorNotAvailable)
        : response as ResponseTo<GroupRequest>;
      this.answers.push(asked);
    }
    if (this.#isChecked && this.#followed === undefined) this.expectReplayedState();
  }

  #addPartition(topicId: Uuid, partitionId: number): void {
    const brokerId = 1 + partitionId % this.#brokerCount;
    this.#metadata({
      kind: "partition",
      version: 0,
      topicId,
      partitionId,
      replicas: [brokerId],
      isr: [brokerId],
      leader: brokerId,
      leaderEpoch: 0,
      partitionEpoch: 0,
    });
  }

  #metadata(record: Parameters<ClusterImage["replay"]>[1]): void {
    this.image.replay(this.image.nextOffset, record);
  }
}
