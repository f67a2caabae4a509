/**
 * Drives one shard: what it decides is appended, replayed, and answered when it cannot be lost any more.
 *
 *     ask ─► decide ─► append (page cache) ─► replay ─► parked ─► high watermark ─► answer
 *                         └ refused: nothing is replayed, every answer is an error
 *
 * Decisions do not wait for each other: the next one sees what the last one wrote, and the disk's next
 * sync serves them all. An answer waits for what its group has written last, also where it only reads.
 * One timer, at the shard's own `wakeAt`, and none where that is nothing.
 *
 * A driver belongs to one leadership: to a `Partition` and one leader epoch. When that ends it answers
 * whoever waits and is done for; the next leadership begins with an empty machine and a whole load.
 * Not here: which group belongs to which shard (`coordinator.ts`), who waits (`waiting_replies.ts`).
 * Longer than most: the life of a leadership from load to end.
 */
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { Clock, Timer } from "../../env/clock.ts";
import type { Trace } from "../../env/trace.ts";
import { AssertionFailure } from "../../ground/assert.ts";
import { type LeaderEpoch, type Ms, toOffset } from "../../ground/numbers.ts";
import type { Decision } from "../../group/decision.ts";
import type { GroupRequest, ResponseTo } from "../../group/group_request.ts";
import type { RegexEngine } from "../../group/turn.ts";
import type { Partition } from "../partition.ts";
import type { AppendTools } from "../partition_append.ts";
import { LoadedPatterns } from "./loaded_patterns.ts";
import { RecordAppender } from "./record_append.ts";
import { loadRecords } from "./shard_loader.ts";
import type { GroupsFilter, ListedGroups, ShardMachine, TopicsChange } from "./shard_machine.ts";
import { type Asked, refusalOf, refuse, settle, WaitingReplies } from "./waiting_replies.ts";

/** What judges patterns; `load` is undefined where it is there. */
export interface LoadableRegexes extends RegexEngine {
  load(): Promise<void> | undefined;
}

export interface ShardDriverOptions<Machine extends ShardMachine> {
  readonly partition: Partition;
  /** Empty: the log is replayed into it. */
  readonly machine: Machine;
  readonly clock: Clock;
  /** What groups live by (`SteadyClock`). */
  now(): Ms;
  readonly tools: Pick<AppendTools, "clock" | "crc32c" | "compress" | "decompress">;
  readonly trace: Trace;
  /** Shared by all that load: see `Slices`. */
  pause(): Promise<void> | undefined;
  /** Does what is due behind what was asked before: those requests may be of who is about to be expelled. */
  inTurn(work: () => void): void;
  readonly regexes: LoadableRegexes;
  onLoaded(seconds: number): void;
  /** A record of a decision is in the log. */
  onWritten(record: GroupRecord): void;
  /** Leadership, disk or topic is gone: a driver is not used again. `hasFailed`: it could not be loaded. */
  onGone(driver: ShardDriver<Machine>, hasFailed: boolean): void;
}

/** "stopping": what was decided is still answered, nothing else is asked. */
type State = "loading" | "active" | "stopping" | "gone";

/** After a wake whose records were refused: the log may have room again. */
const WAKE_AGAIN_MS = 500;
/** A timer that is later than this was late because the process stood still, or had no time. */
const STANDSTILL_MS = 1000;
/** So long members are heard after a standstill before anybody is taken to be silent. */
const HEARING_MS = 5000;
/** Wakes at once, one behind the other, after which a shard is taken to be running in a circle. */
const WAKES_AT_ONCE_MAX = 10_000;
/** A timer further ahead fires early, and is set anew then. */
const TIMER_MS_MAX = 24 * 3_600_000;

export class ShardDriver<Machine extends ShardMachine = ShardMachine> {
  readonly partition: Partition;
  readonly leaderEpoch: LeaderEpoch;
  readonly machine: Machine;
  readonly #options: ShardDriverOptions<Machine>;
  readonly #appender: RecordAppender;
  readonly #waiting = new WaitingReplies();
  #state: State = "loading";
  #timer: Timer | undefined;
  #timerAt: Ms | undefined;
  /** When the timer is to fire, on the monotonic clock. */
  #timerDueMs = 0;
  #isHearing = false;
  #notBefore = -Infinity;
  #wakesAtOnce = 0;
  #missed: TopicsChange | undefined;
  #unwatch: () => void;

  constructor(options: ShardDriverOptions<Machine>) {
    this.#options = options;
    this.partition = options.partition;
    this.leaderEpoch = options.partition.leaderEpoch;
    this.machine = options.machine;
    this.#appender = new RecordAppender(options.partition, options.tools);
    this.#unwatch = this.partition.watch(() => this.#onMove());
    const { logStartOffset, logEndOffset } = this.partition.log;
    if (logStartOffset === logEndOffset) this.#becomeActive();
    else void this.#load();
  }

  get isLoading(): boolean {
    return this.#state === "loading";
  }

  get isGone(): boolean {
    return this.#state === "gone";
  }

  /** Of use for reading what the shard holds, as metrics do. */
  get isActive(): boolean {
    return this.#state === "active";
  }

  /** At once where nothing has to be waited for. */
  ask<Request extends GroupRequest>(
    request: Request,
  ): ResponseTo<Request> | Promise<ResponseTo<Request>> {
    if (this.#state !== "active") return refusalOf(request, this.#stateError());
    const { id, asked } = this.#waiting.add(request);
    this.#apply((now) => this.machine.decide(now, request, { id }));
    if (asked.response !== undefined) return asked.response as ResponseTo<Request>;
    return new Promise((resolve) => {
      asked.settle = resolve as (response: unknown) => void;
    });
  }

  /** Groups, or why they cannot be told; none of it can be lost any more when it is told. */
  async list(filter: GroupsFilter): Promise<ListedGroups | ErrorCode> {
    if (this.#state !== "active") return this.#stateError();
    const groups = this.machine.listGroups(this.#options.now(), filter);
    const isSafe = await this.partition.whenCommitted(this.partition.log.logEndOffset);
    return isSafe === false ? this.#lostError() : groups;
  }

  /** Kept for later where the log does not take it now, or is still being read. */
  topicsChanged(change: TopicsChange): void {
    if (this.#state === "gone" || this.#state === "stopping") return;
    this.#missed = this.#missed === undefined ? change : both(this.#missed, change);
    if (this.#state === "active") this.#tellTopics();
  }

  /**
   * Answers whoever waits for something that will not come here any more; what was decided is answered
   * when it is durable.
   */
  stop(): void {
    if (this.#state === "gone") return;
    this.#cancelTimer();
    this.#state = "stopping";
    this.#waiting.refuseAsked(ErrorCode.NotCoordinator);
  }

  /** At once, and nobody is answered. */
  abandon(): void {
    this.#cancelTimer();
    this.#unwatch();
    this.#state = "gone";
    this.#waiting.forget();
  }

  async #load(): Promise<void> {
    const { clock, trace, tools: { decompress }, regexes } = this.#options;
    const partition = `${this.partition.topic}-${this.partition.partitionId}`;
    const beganMs = clock.monotonicMs();
    const patterns = new LoadedPatterns();
    try {
      const records = await loadRecords({
        log: this.partition.log,
        decompress,
        trace,
        partition,
        replay: (offset, record) => {
          patterns.onReplayed(record);
          this.machine.replay(offset, record);
        },
        pause: () => this.#options.pause(),
        isWanted: () => this.isLoading,
      });
      if (!patterns.isEmpty) await regexes.load();
      if (!this.isLoading) return;
      const ms = clock.monotonicMs() - beganMs;
      this.#options.onLoaded(ms / 1000);
      trace.event("debug", "groups loaded", { partition, records, ms: Math.round(ms) });
      this.#becomeActive();
      void this.#tellRefused(patterns);
    } catch (error) {
      if (error instanceof AssertionFailure) throw error;
      if (!this.isLoading) return; // it was let go of meanwhile
      // The fault is the disk's or the log's: `onFault` tells its owner, and knows if it is neither.
      this.partition.onFault(error);
      this.#leave(ErrorCode.CoordinatorNotAvailable);
    }
  }

  /** Nobody waits for it: it changes nothing. */
  #tellRefused(patterns: LoadedPatterns): Promise<void> {
    const { regexes, trace, pause } = this.#options;
    return patterns.tellRefused(regexes, { trace, pause, isWanted: () => this.isActive });
  }

  #becomeActive(): void {
    this.#state = "active";
    this.#apply((now) => this.machine.loaded(now));
    if (this.#missed !== undefined) this.#tellTopics();
  }

  /** False where the log did not take what it comes to: it is told again. */
  #tellTopics(): boolean {
    const change = this.#missed as TopicsChange;
    this.#missed = undefined;
    const isDone = this.#apply((now) => this.machine.topicsChanged(now, change));
    if (isDone) return true;
    this.#missed = change;
    this.#notBefore = Math.max(this.#notBefore, this.#options.now() + WAKE_AGAIN_MS);
    this.#setTimer();
    return false;
  }

  /** False where the log did not take the records. */
  #apply(decideAt: (now: Ms) => Decision): boolean {
    const { records, replies } = decideAt(this.#options.now());
    const refusal = this.#append(records);
    for (const { token, groupId, response } of replies) {
      const asked = this.#waiting.take(token.id);
      if (asked === undefined) continue;
      if (refusal === undefined) this.#park(asked, groupId, response);
      else refuse(asked, refusal);
    }
    this.#setTimer();
    return refusal === undefined;
  }

  /** Undefined where they are in the log and replayed. */
  #append(records: Decision["records"]): ErrorCode | undefined {
    if (records.length === 0) return undefined;
    const appended = this.#appender.append(records);
    if (appended.kind === "refused") {
      const { topic, partitionId } = this.partition;
      this.#options.trace.event("warn", "records of groups were not taken", {
        partition: `${topic}-${partitionId}`,
        reason: appended.reason,
      });
      return appended.errorCode;
    }
    let offset: number = appended.baseOffset;
    for (const record of records) {
      this.machine.replay(toOffset(offset++), record);
      this.#options.onWritten(record);
    }
    return undefined;
  }

  #park(asked: Asked, groupId: string, response: unknown): void {
    const offset = this.machine.writtenOf(groupId);
    if (offset <= this.partition.highWatermark) settle(asked, response);
    else this.#waiting.park(asked, offset, response);
  }

  /** The high watermark has moved, or the partition is not what it was. */
  #onMove(): void {
    const { partition } = this;
    this.#waiting.release(partition.highWatermark);
    if (partition.isClosed || !partition.isLeader || partition.leaderEpoch !== this.leaderEpoch) {
      this.#leave(ErrorCode.NotCoordinator);
    } else if (!partition.isOnline) this.#leave(ErrorCode.CoordinatorNotAvailable);
  }

  #leave(errorCode: ErrorCode): void {
    if (this.#state === "gone") return;
    const hasFailed = this.isLoading && errorCode !== ErrorCode.NotCoordinator;
    this.#state = "gone";
    this.#cancelTimer();
    this.#unwatch();
    this.#waiting.refuseAll(errorCode);
    this.#options.onGone(this, hasFailed);
  }

  #stateError(): ErrorCode {
    return this.isLoading ? ErrorCode.CoordinatorLoadInProgress : ErrorCode.NotCoordinator;
  }

  #lostError(): ErrorCode {
    return this.partition.isClosed || !this.partition.isLeader
      ? ErrorCode.NotCoordinator
      : ErrorCode.CoordinatorNotAvailable;
  }

  #setTimer(): void {
    if (this.#state !== "active") return;
    if (this.#timer !== undefined) this.#beginHearing(); // a request may come before a late timer does
    const wanted = this.#missed === undefined ? this.machine.wakeAt : this.#options.now();
    if (wanted === undefined) return this.#cancelTimer();
    const at = Math.max(wanted, this.#notBefore) as Ms;
    if (at === this.#timerAt) return;
    this.#cancelTimer();
    this.#timerAt = at;
    const delayMs = Math.min(Math.max(Math.ceil(at - this.#options.now()), 0), TIMER_MS_MAX);
    this.#timerDueMs = this.#options.clock.monotonicMs() + delayMs;
    const onDue = (): void => this.#options.inTurn(() => this.#onTimer());
    this.#timer = this.#options.clock.after(delayMs, onDue);
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = undefined;
  }

  #onTimer(): void {
    if (this.#state !== "active") return;
    this.#cancelTimer(); // one that was set while this one waited for its turn
    const now = this.#options.now();
    const isHeard = !this.#beginHearing() && (!this.#isHearing || now >= this.#notBefore);
    if (!isHeard) return this.#setTimer();
    this.#isHearing = false;
    this.#notBefore = now + WAKE_AGAIN_MS;
    // The steady clock may run slower than the timer: then it is not time yet.
    const isDue = (this.machine.wakeAt ?? Infinity) <= now;
    let isDone = !isDue || this.#apply(() => this.machine.wake(now));
    if (isDone && this.#missed !== undefined) isDone = this.#tellTopics();
    // Long work is done in turns, so a shard may want to go on at once; but not for ever.
    const isAtOnce = (this.machine.wakeAt ?? Infinity) <= now;
    this.#wakesAtOnce = isAtOnce ? this.#wakesAtOnce + 1 : 0;
    if (isDone && this.#wakesAtOnce < WAKES_AT_ONCE_MAX) this.#notBefore = -Infinity;
    this.#setTimer();
  }

  /**
   * Where the timer is that late, what members have sent meanwhile waits unread, and they may have to
   * connect anew: who would be woken waits a little, once. Whether it does since just now.
   */
  #beginHearing(): boolean {
    const lateMs = this.#options.clock.monotonicMs() - this.#timerDueMs;
    if (this.#isHearing || lateMs <= STANDSTILL_MS) return false;
    this.#isHearing = true;
    this.#notBefore = this.#options.now() + HEARING_MS;
    return true;
  }
}

function both(one: TopicsChange, other: TopicsChange): TopicsChange {
  return {
    removed: [...one.removed, ...other.removed],
    changed: [...new Set([...one.changed, ...other.changed])],
  };
}
