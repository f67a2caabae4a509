/**
 * The coordinator of groups on one broker: a shard for each partition of `__consumer_offsets` that this
 * broker leads, found by the group's id.
 *
 * A shard whose log holds something is loaded when its partition comes to be led here; one whose log is
 * empty is made when the first group asks. Who is asked for a group that belongs elsewhere says so, and
 * the client looks for its coordinator again.
 * Not here: what a group answers (`group/`), the topic's making (`broker/`).
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Env } from "../../env/env.ts";
import type { Ms } from "../../ground/numbers.ts";
import type { Uuid } from "../../ground/uuid.ts";
import { groupIdOf, type GroupRequest, type ResponseTo } from "../../group/group_request.ts";
import type { MetadataRecord } from "../../metadata/record.ts";
import { OFFSETS_TOPIC } from "../../metadata/topic_name.ts";
import type { Partition } from "../partition.ts";
import type { AppendTools } from "../partition_append.ts";
import type { PartitionTable } from "../partition_table.ts";
import type { MetadataView } from "../quorum/metadata_view.ts";
import { Slices } from "../slices.ts";
import { FairTurns } from "./fair_turns.ts";
import { groupPartition } from "./group_partition.ts";
import { RebalanceCounts } from "./rebalance_counts.ts";
import { type LoadableRegexes, ShardDriver } from "./shard_driver.ts";
import type { GroupsFilter, ListedGroups, ShardMachine } from "./shard_machine.ts";
import { SteadyClock } from "./steady_clock.ts";
import { TopicWatch } from "./topic_watch.ts";
import { refusalOf } from "./waiting_replies.ts";

export interface GroupCoordinatorOptions<Machine extends ShardMachine> {
  readonly env: Pick<Env, "clock" | "trace">;
  readonly view: MetadataView;
  readonly partitions: PartitionTable;
  readonly tools: AppendTools;
  /** Whether this broker may serve now: it is registered and not fenced. */
  mayServe(): boolean;
  newShard(): Machine;
  readonly regexes: LoadableRegexes;
  onLoaded(seconds: number): void;
}

/** Where a group is coordinated, as metadata says. */
export interface CoordinatorPlace {
  readonly partitionId: number;
  readonly leader: number;
  readonly topicId: Uuid;
}

/** A log that could not be read is tried again, but not for every request. */
const LOAD_AGAIN_MS = 5000;

export class GroupCoordinator<Machine extends ShardMachine = ShardMachine> {
  readonly rebalances = new RebalanceCounts();
  readonly #options: GroupCoordinatorOptions<Machine>;
  readonly #clock: SteadyClock;
  readonly #slices: Slices;
  readonly #turns: FairTurns;
  readonly #drivers = new Map<number, ShardDriver<Machine>>();
  /** When a partition's log could not be read, by its number. */
  readonly #failedMs = new Map<number, number>();
  #state: "new" | "serving" | "ended" = "new";

  constructor(options: GroupCoordinatorOptions<Machine>) {
    this.#options = options;
    this.#clock = new SteadyClock(options.env.clock);
    this.#slices = new Slices(options.env.clock);
    this.#turns = new FairTurns(options.env.clock);
  }

  /** The time that groups live by. */
  now(): Ms {
    return this.#clock.now();
  }

  /** Begins to load what is led here, and follows metadata from now on. */
  start(): void {
    this.#state = "serving";
    const { view } = this.#options;
    const topics = new TopicWatch(view, (change) => {
      for (const driver of this.#drivers.values()) driver.topicsChanged(change);
    });
    view.onReplayed((record) => {
      topics.onReplayed(record);
      if (this.#isAboutLeaders(record)) this.#loadLed();
    });
    view.onImageReplaced(() => {
      topics.onReplaced();
      this.#loadLed();
    });
    this.#loadLed();
  }

  /** At once where nothing has to be waited for. Never throws or rejects but from `assert`. */
  ask<Request extends GroupRequest>(
    request: Request,
  ): ResponseTo<Request> | Promise<ResponseTo<Request>> {
    return this.#turns.take(() => this.#ask(request));
  }

  #ask<Request extends GroupRequest>(
    request: Request,
  ): ResponseTo<Request> | Promise<ResponseTo<Request>> {
    const place = this.coordinatorOf(groupIdOf(request));
    const driver = place === undefined
      ? ErrorCode.NotCoordinator
      : this.#driverOf(place.partitionId);
    if (driver instanceof ShardDriver) return driver.ask(request);
    return refusalOf(request, driver);
  }

  /** Of all groups that are coordinated here; an error where some of them cannot be told yet. */
  async listGroups(filter: GroupsFilter): Promise<ListedGroups | ErrorCode> {
    this.#loadLed();
    const listed = await Promise.all([...this.#drivers.values()].map((one) => one.list(filter)));
    const groups: ListedGroups[number][] = [];
    for (const one of listed) {
      if (one === ErrorCode.NotCoordinator) continue; // its groups are told of elsewhere
      if (typeof one === "number") return one;
      for (const group of one) groups.push(group);
    }
    return groups;
  }

  /** Undefined where the topic is not there. */
  coordinatorOf(groupId: string): CoordinatorPlace | undefined {
    const topic = this.#options.view.image.topic(OFFSETS_TOPIC);
    if (topic === undefined) return undefined;
    const partitionId = groupPartition(groupId, topic.partitions.length);
    const leader = topic.partitions[partitionId]?.leader ?? -1;
    return { partitionId, leader, topicId: topic.topicId };
  }

  /** Shards that serve, for whoever reads what they hold. */
  *shards(): Iterable<Machine> {
    for (const driver of this.#drivers.values()) if (driver.isActive) yield driver.machine;
  }

  get loadingCount(): number {
    let count = 0;
    for (const driver of this.#drivers.values()) if (driver.isLoading) count++;
    return count;
  }

  /** Nothing more is decided: who waits is told to look elsewhere, what was decided is still answered. */
  stop(): void {
    this.#state = "ended";
    this.#turns.finish();
    for (const driver of this.#drivers.values()) driver.stop();
  }

  /** At once, as a crash would. */
  abandon(): void {
    this.#state = "ended";
    this.#turns.abandon();
    for (const driver of this.#drivers.values()) driver.abandon();
    this.#drivers.clear();
  }

  #driverOf(partitionId: number): ShardDriver<Machine> | ErrorCode {
    const { partitions } = this.#options;
    const partition = partitions.get(OFFSETS_TOPIC, partitionId);
    if (this.#state !== "serving") return ErrorCode.NotCoordinator;
    if (partition === undefined) {
      return partitions.isOffline(OFFSETS_TOPIC, partitionId)
        ? ErrorCode.CoordinatorNotAvailable
        : ErrorCode.NotCoordinator;
    }
    if (!partition.isLeader || !this.#options.mayServe()) return ErrorCode.NotCoordinator;
    if (!partition.isOnline) return ErrorCode.CoordinatorNotAvailable;
    const present = this.#drivers.get(partitionId);
    const isOfThisTime = present?.partition === partition && !present.isGone;
    return isOfThisTime ? present : this.#newDriver(partition);
  }

  #newDriver(partition: Partition): ShardDriver<Machine> | ErrorCode {
    const { env: { clock, trace }, tools, newShard, regexes, onLoaded } = this.#options;
    const { partitionId } = partition;
    const failedMs = this.#failedMs.get(partitionId) ?? -Infinity;
    if (clock.monotonicMs() < failedMs + LOAD_AGAIN_MS) return ErrorCode.CoordinatorNotAvailable;
    this.#failedMs.delete(partitionId);
    this.#drivers.get(partitionId)?.stop(); // of a partition that is gone
    const driver = new ShardDriver<Machine>({
      partition,
      machine: newShard(),
      clock,
      now: () => this.#clock.now(),
      tools,
      trace,
      pause: () => this.#slices.next(),
      inTurn: (work) => void this.#turns.take(work),
      regexes,
      onLoaded,
      onWritten: (record) => this.rebalances.onWritten(record),
      onGone: (gone, hasFailed) => {
        if (this.#drivers.get(partitionId) === gone) this.#drivers.delete(partitionId);
        if (hasFailed) this.#failedMs.set(partitionId, clock.monotonicMs());
      },
    });
    if (!driver.isGone) this.#drivers.set(partitionId, driver);
    return driver;
  }

  #isAboutLeaders(record: MetadataRecord): boolean {
    if (record.kind !== "partition" && record.kind !== "partition-change") return false;
    return record.topicId === this.#options.view.image.topic(OFFSETS_TOPIC)?.topicId;
  }

  /** Partitions that are led here and hold something. */
  #loadLed(): void {
    if (this.#state !== "serving") return;
    for (const partition of this.#options.partitions.ofTopic(OFFSETS_TOPIC)) {
      const { log: { logStartOffset, logEndOffset }, partitionId } = partition;
      if (logStartOffset < logEndOffset) this.#driverOf(partitionId);
    }
  }
}
