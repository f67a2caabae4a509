/**
 * Drives the membership of one group consumer: sends what it wants sent, starts and stops the fetching of
 * partitions, waits for the application before they are given back, and commits.
 *
 * All waiting is here; what is decided is decided in `group/`. Everything that happens ends in `#pump`,
 * which asks the machine what to do next until it has nothing to say, and sets the one timer.
 *
 * A partition is given back in this order: nothing more of it is handed out, and the application is told;
 * it comes back for more, or has dealt with all that it was handed; `onRevoked` is awaited; under "auto" what is done is
 * committed; the coordinator is told. Long because that is one story with many callers.
 */
import { consumerGroupHeartbeat } from "../api/consumer_group_heartbeat.ts";
import { heartbeat } from "../api/heartbeat.ts";
import { joinGroup } from "../api/join_group.ts";
import { leaveGroup } from "../api/leave_group.ts";
import { syncGroup } from "../api/sync_group.ts";
import type { Timer } from "../env/clock.ts";
import type { Uuid } from "../ground/uuid.ts";
import { abortedError, ClientError, errorFrom, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { FetchedBatch } from "./fetched_batch.ts";
import { Fetcher } from "./fetcher.ts";
import { isElsewhere } from "./group/group_errors.ts";
import { GroupProgress, type Progress } from "./group/group_progress.ts";
import type {
  LeaveRequest,
  Membership,
  MembershipAction,
  MembershipAnswer,
  MembershipAsk,
} from "./group/membership.ts";
import { partitionKey } from "./group/partition_set.ts";
import { CoordinatorLink } from "./coordinator_link.ts";
import { GroupCommitter } from "./group_committer.ts";
import type {
  CloseOptions,
  GroupConsumerOptions,
  GroupNotice,
  TopicPartition,
} from "./group_options.ts";
import { type GroupSettings, newMembership } from "./group_settings.ts";
import { committedOffsets, startingPoints } from "./group_start.ts";
import { countsIn, GroupTopics } from "./group_topics.ts";
import { backoffMs, sleep } from "./retry.ts";

/** A member without partitions waits so long for some before it says that it has read all of none. */
const NOTHING_MS = 3000;
const LEAVE_MS = 5000;
const CLOSE_MS = 10_000;

export class GroupDriver {
  readonly fetcher: Fetcher;
  readonly #tools: ClientTools;
  readonly #options: GroupConsumerOptions;
  readonly #settings: GroupSettings;
  readonly #membership: Membership;
  readonly #link: CoordinatorLink;
  readonly #progress = new GroupProgress();
  readonly #committer: GroupCommitter;
  readonly #topics: GroupTopics;
  readonly #ending = new AbortController();
  readonly #ends: Map<string, number> | undefined;
  #waiters: (() => void)[] = [];
  #timer: Timer | undefined;
  #isPumping = false;
  #failure: ClientError | undefined;
  #closing: Promise<void> | undefined;
  #startingCount = 0;
  /** Whether the application has a batch in its hands, and when it last showed a sign of life. */
  #isHeld = false;
  #signOfLifeMs = 0;
  #isTooSlow = false;
  #commitAtMs = Infinity;
  #nothingSinceMs = -1;
  #nameFailureCount = 0;

  constructor(tools: ClientTools, options: GroupConsumerOptions, settings: GroupSettings) {
    const laneName = tools.pool.laneName();
    this.#tools = tools;
    this.#options = options;
    this.#settings = settings;
    this.#ends = options.until === "end" ? new Map() : undefined;
    this.#membership = newMembership(tools, options, settings);
    this.#link = new CoordinatorLink(tools, options.groupId, `group ${laneName}`);
    this.fetcher = new Fetcher(tools, settings.consumer, [], {
      laneName,
      isPatient: true,
    });
    const shared = { membership: this.#membership, onChange: () => this.#pump() };
    this.#committer = new GroupCommitter({
      ...shared,
      groupId: options.groupId,
      link: this.#link,
      progress: this.#progress,
      clock: tools.env.clock,
      pause: (attempt) => this.#pause(attempt),
      signal: this.#ending.signal,
    });
    this.#topics = new GroupTopics({
      ...shared,
      tools,
      settings,
      onNotice: (notice) => this.#notice(notice),
    });
  }

  get memberId(): string {
    return this.#membership.memberId;
  }

  assignment(): readonly TopicPartition[] {
    return this.#progress.all().map(({ topic, partition }) => ({ topic, partition }));
  }

  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  start(): void {
    const { signal } = this.#ending;
    for (const outer of [this.#tools.signal, this.#options.signal]) {
      if (outer === undefined) continue;
      const onAbort = (): void => this.abort();
      outer.addEventListener("abort", onAbort, { once: true, signal });
      if (outer.aborted) onAbort();
    }
    if (signal.aborted) return;
    if (this.#settings.isAuto) this.#commitAtMs = this.#now() + this.#settings.autoCommitIntervalMs;
    this.#topics.start();
  }

  /** Whether all has been read that was to be. */
  isDone(): boolean {
    if (this.#ends === undefined || this.#startingCount > 0) return false;
    if (!this.#membership.isSettled || !this.fetcher.isDone()) return false;
    return this.#progress.size > 0 || this.#now() >= this.#nothingSinceMs + NOTHING_MS;
  }

  /** The application gets this batch, and has it until `taken` says otherwise. */
  handOut(batch: FetchedBatch, from: number): void {
    this.#progress.handOut(batch, from, batch.nextOffset);
    this.#isHeld = true;
    this.#signOfLifeMs = this.#now();
    this.#setTimer();
  }

  /** The application is back for more. */
  takeBack(): void {
    this.#isHeld = false;
    if (!this.#isTooSlow) {
      if (this.#waiters.length > 0) this.#poke();
      return;
    }
    this.#isTooSlow = false;
    this.#membership.rejoin(this.#now());
    this.#pump();
  }

  /** Nobody reads any more, and nobody has said that it is over: as if the last batch took for ever. */
  abandon(): void {
    this.#isHeld = true;
    this.#signOfLifeMs = this.#now();
    this.#setTimer();
  }

  finish(partition: TopicPartition, nextOffset: number): void {
    this.#progress.finish(partition, nextOffset);
    this.#signOfLifeMs = this.#now();
    if (this.#waiters.length > 0) this.#poke();
  }

  async commit(): Promise<void> {
    const error = await this.#committer.commit(this.#tools.requestTimeoutMs);
    if (error !== undefined) throw error;
  }

  close(options: CloseOptions): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  /** At once: nothing is committed, nobody is told. */
  abort(): void {
    this.#fail(abortedError("Cannot consume"));
  }

  async #close({ leave, commit = this.#settings.isAuto }: CloseOptions): Promise<void> {
    this.fetcher.wake();
    const { instanceId } = this.#options;
    if (!this.#ending.signal.aborted && commit) {
      await this.#commitQuietly(Math.min(CLOSE_MS, this.#tools.requestTimeoutMs));
    }
    const isMember = !this.#ending.signal.aborted;
    const request = this.#membership.leave(leave ?? instanceId === undefined);
    const mayTell = isMember && (leave !== false || instanceId !== undefined);
    this.fetcher.stop();
    this.#end(); // from here on nothing is lost: it is given up
    if (request !== undefined && mayTell) await this.#tell(request);
  }

  #end(): void {
    this.#ending.abort();
    this.#timer?.cancel();
    this.#topics.stop();
    this.#link.close();
    this.fetcher.closeLanes();
    this.#poke();
  }

  #fail(error: ClientError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.fetcher.fail(error);
    this.#end();
  }

  #now(): number {
    return this.#tools.env.clock.monotonicMs();
  }

  /** Does all that the machine wants done by now. */
  #pump(): void {
    if (this.#isPumping) return; // whoever pumps goes on until nothing is left
    this.#isPumping = true;
    while (!this.#ending.signal.aborted) {
      const action = this.#membership.next(this.#now());
      if (action === undefined) break;
      this.#perform(action);
    }
    this.#isPumping = false;
    if (!this.#membership.isSettled || this.#progress.size > 0) this.#nothingSinceMs = -1;
    else if (this.#nothingSinceMs < 0) this.#nothingSinceMs = this.#now();
    this.#setTimer();
    this.#poke();
  }

  #poke(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
    if (this.#ends !== undefined) this.fetcher.wake();
  }

  #setTimer(): void {
    this.#timer?.cancel();
    if (this.#ending.signal.aborted) return;
    const now = this.#now();
    const atMs = Math.min(
      this.#membership.wakeAtMs,
      this.#commitAtMs,
      this.#isHeld && !this.#isTooSlow
        ? this.#signOfLifeMs + this.#settings.maxProcessingMs
        : Infinity,
      this.#ends !== undefined && this.#nothingSinceMs >= 0
        ? this.#nothingSinceMs + NOTHING_MS
        : Infinity,
    );
    if (atMs === Infinity) return;
    this.#timer = this.#tools.env.clock.after(Math.max(atMs - now, 0), () => this.#onTime());
  }

  #onTime(): void {
    const now = this.#now();
    if (now >= this.#commitAtMs) {
      this.#commitAtMs = now + this.#settings.autoCommitIntervalMs;
      this.#run(this.#commitQuietly(this.#settings.autoCommitIntervalMs));
    }
    const isSlow = this.#isHeld && now >= this.#signOfLifeMs + this.#settings.maxProcessingMs;
    if (isSlow && !this.#isTooSlow) this.#becomeTooSlow();
    this.#pump();
  }

  #becomeTooSlow(): void {
    this.#isTooSlow = true;
    const { maxProcessingMs } = this.#settings;
    this.#notice({
      kind: "too-slow",
      message: `Left group ${this.#options.groupId}: the application has not asked for more in ` +
        `${maxProcessingMs} ms; it joins again when it does`,
    });
    const request = this.#membership.leave(false);
    if (request !== undefined) this.#run(this.#tell(request));
  }

  #perform(action: MembershipAction): void {
    switch (action.kind) {
      case "ask":
        this.#run(this.#ask(action));
        return;
      case "revoke":
        this.#run(this.#revoke(action.partitions, action.serial));
        return;
      case "assign":
        this.#run(this.#assign(action.partitions));
        return;
      case "lose":
        this.#lose(action.partitions);
        return;
      case "count":
        this.#run(this.#count(action.topics, action.life));
        return;
      case "name":
        this.#run(this.#name(action.topicIds));
        return;
      case "notice":
        this.#notice(action.notice);
        return;
      case "fail": {
        const what = `Cannot be a member of group ${this.#options.groupId}`;
        const { code, message, hint } = errorOfCode(action.errorCode, what, action.detail);
        const advice = action.hint ?? hint;
        this.#fail(new ClientError(code, message, advice === undefined ? {} : { hint: advice }));
      }
    }
  }

  /** What goes on beside: a callback of the application that throws ends the consumer. */
  #run(work: Promise<void>): void {
    work.catch((thrown) => this.#fail(errorFrom(thrown, "Cannot consume")));
  }

  async #ask(ask: MembershipAsk): Promise<void> {
    try {
      const answer = await this.#answerTo(ask);
      if (isElsewhere(answer.response.errorCode)) this.#link.forget();
      this.#membership.answered(this.#now(), answer);
    } catch (thrown) {
      const error = errorFrom(thrown, "Cannot ask the coordinator");
      if (error.code === "ABORTED" && this.#ending.signal.aborted) return;
      if (error.code !== "ABORTED" && !error.retriable) {
        this.#fail(error);
        return;
      }
      this.#membership.failed(this.#now(), ask);
    }
    this.#pump();
  }

  async #answerTo(ask: MembershipAsk): Promise<MembershipAnswer> {
    const { life } = ask;
    const options = {
      timeoutMs: this.#tools.requestTimeoutMs + ask.extraMs,
      signal: this.#ending.signal,
    };
    const link = this.#link;
    switch (ask.what) {
      case "join":
        return { what: "join", life, response: await link.ask(joinGroup, ask.body, options) };
      case "sync":
        return { what: "sync", life, response: await link.ask(syncGroup, ask.body, options) };
      case "heartbeat":
        return { what: "heartbeat", life, response: await link.ask(heartbeat, ask.body, options) };
      case "consumer-heartbeat": {
        const response = await link.ask(consumerGroupHeartbeat, ask.body, options);
        return { what: "consumer-heartbeat", life, response };
      }
    }
  }

  async #assign(partitions: readonly TopicPartition[]): Promise<void> {
    const entries = partitions.map((partition) => this.#progress.add(partition));
    this.#options.onAssigned?.(partitions);
    this.#startingCount++;
    let committed: ReadonlyMap<string, number> | undefined;
    for (let attempt = 1; !this.#ending.signal.aborted; attempt++) {
      const wanted = entries.filter((progress) => this.#progress.has(progress));
      if (wanted.length === 0) break;
      try {
        const { groupId } = this.#options;
        const { identity } = this.#membership;
        committed ??= await committedOffsets(this.#link, groupId, wanted, identity);
        await this.#begin(wanted, committed);
        break;
      } catch (thrown) {
        const error = errorFrom(thrown, "Cannot begin");
        if (!this.#mayBeginLater(error)) {
          this.#fail(error);
          break;
        }
        if (error.code === "NOT_COORDINATOR") this.#link.forget();
        await this.#pause(attempt);
      }
    }
    this.#startingCount--;
    this.#poke();
  }

  /** A member that is not one any more, or not yet again, is told what to do by its heartbeats. */
  #mayBeginLater({ code, retriable }: ClientError): boolean {
    return retriable || code === "UNKNOWN_MEMBER_ID" || code === "STALE_MEMBER_EPOCH" ||
      code === "ILLEGAL_GENERATION" || code === "UNKNOWN_TOPIC_OR_PARTITION" || code === "ABORTED";
  }

  async #begin(
    entries: readonly Progress[],
    committed: ReadonlyMap<string, number>,
  ): Promise<void> {
    const { from, isolation } = this.#settings;
    const topics = new Set(entries.map(({ topic }) => topic));
    await Promise.all([...topics].map((topic) => this.#tools.metadata.topic(topic)));
    const options = { from, isolation, ends: this.#ends };
    const points = await startingPoints(this.#tools, entries, committed, options);
    for (const progress of entries) {
      const assignment = points.get(partitionKey(progress));
      if (assignment === undefined || !this.#progress.has(progress)) continue;
      if (this.#ending.signal.aborted) return;
      const position = this.fetcher.add(assignment);
      this.#progress.begin(progress, position, committed.get(partitionKey(progress)) ?? -1);
    }
  }

  async #revoke(partitions: readonly TopicPartition[], serial: number): Promise<void> {
    const entries = this.#withdraw(partitions);
    this.#options.onRevoking?.(partitions);
    await this.#settled(entries);
    const still = entries.filter((progress) => this.#progress.has(progress));
    if (still.length > 0 && !this.#ending.signal.aborted) {
      const own = still.map(({ topic, partition }) => ({ topic, partition }));
      const revoking = this.#options.onRevoked?.(own);
      if (revoking !== undefined) await this.#bounded(revoking);
      const { requestTimeoutMs } = this.#tools;
      const timeoutMs = Math.min(requestTimeoutMs, this.#settings.rebalanceTimeoutMs / 2);
      if (this.#settings.isAuto) await this.#commitQuietly(timeoutMs, still);
    }
    for (const progress of still) this.#progress.delete(progress);
    this.#membership.revoked(this.#now(), serial);
    this.#pump();
  }

  /** Resolves when the application can be said to be through with these, or they are lost. */
  async #settled(entries: readonly Progress[]): Promise<void> {
    while (
      this.#isHeld && !this.#progress.isFinished(entries) && !this.#ending.signal.aborted
    ) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** What the application does at a revocation may take as long as a rebalance may. */
  async #bounded(promise: Promise<void>): Promise<void> {
    const patience = new AbortController();
    const { clock } = this.#tools.env;
    const signal = AbortSignal.any([patience.signal, this.#ending.signal]);
    const limit = sleep(clock, this.#settings.rebalanceTimeoutMs, signal).catch(() => undefined);
    try {
      await Promise.race([promise, limit]);
    } catch (thrown) {
      this.#fail(errorFrom(thrown, "Cannot give partitions back"));
    }
    patience.abort();
  }

  #lose(partitions: readonly TopicPartition[]): void {
    for (const progress of this.#withdraw(partitions)) this.#progress.delete(progress);
    this.#options.onLost?.(partitions);
    this.#poke();
  }

  /** Nothing more of these is fetched or handed out. */
  #withdraw(partitions: readonly TopicPartition[]): readonly Progress[] {
    const entries = partitions.flatMap((partition) => this.#progress.get(partition) ?? []);
    for (const { position } of entries) {
      if (position !== undefined) this.fetcher.remove(position);
    }
    return entries;
  }

  async #count(topics: readonly string[], life: number): Promise<void> {
    for (let attempt = 1; !this.#ending.signal.aborted; attempt++) {
      try {
        const found = topics.length === 0
          ? new Map<string, never>()
          : await this.#tools.metadata.topics(topics);
        this.#membership.counted(this.#now(), countsIn(found, topics), life);
        break;
      } catch {
        await this.#pause(attempt);
      }
    }
    this.#pump();
  }

  async #name(topicIds: readonly Uuid[]): Promise<void> {
    const wanted = new Set(topicIds);
    const names = new Map<Uuid, string>();
    if (this.#nameFailureCount > 0) await this.#pause(this.#nameFailureCount);
    try {
      const { topics, pattern } = this.#settings;
      const found = await this.#tools.metadata.topics(pattern === undefined ? topics : null);
      for (const topic of found.values()) {
        if (!(topic instanceof ClientError) && wanted.has(topic.topicId)) {
          names.set(topic.topicId, topic.name);
        }
      }
    } catch {
      // No broker answers: once more, behind a pause.
    }
    this.#nameFailureCount = names.size === wanted.size ? 0 : this.#nameFailureCount + 1;
    this.#membership.named(this.#now(), names);
    this.#pump();
  }

  async #commitQuietly(timeoutMs: number, entries?: readonly Progress[]): Promise<void> {
    const error = await this.#committer.commit(timeoutMs, entries);
    if (error === undefined || error.code === "ABORTED") return;
    this.#notice({ kind: "commit-failed", message: error.message });
  }

  /** In a hurry, and not behind a JoinGroup that waits for its answer. */
  async #tell(request: LeaveRequest): Promise<void> {
    try {
      const connection = await this.#link.connection("main");
      const options = { timeoutMs: Math.min(LEAVE_MS, this.#tools.requestTimeoutMs) };
      if (request.what === "leave") await connection.request(leaveGroup, request.body, options);
      else await connection.request(consumerGroupHeartbeat, request.body, options);
    } catch (thrown) {
      const { message } = errorFrom(thrown, "Cannot leave");
      this.#tools.env.trace.event("info", "group was not told of the leave", { reason: message });
    }
  }

  #notice(notice: GroupNotice): void {
    const { groupId } = this.#options;
    this.#tools.env.trace.event("warn", notice.message, { group: groupId, kind: notice.kind });
    this.#options.onNotice?.(notice);
  }

  async #pause(attempt: number): Promise<void> {
    const { clock, random } = this.#tools.env;
    const { signal } = this.#ending;
    await sleep(clock, backoffMs(attempt, random), signal).catch(() => undefined);
  }
}
