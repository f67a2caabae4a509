/**
 * Drives the membership of one group consumer: does what the machine of `group/` wants done, when it wants
 * it, and ends it.
 *
 * Everything that happens ends in `#pump`, which asks the machine what to do next until it has nothing to
 * say, and sets the one timer. How each thing is done stands beside: what is asked (`group_calls.ts`),
 * partitions that come (`group_arrivals.ts`) and go (`group_departures.ts`), commits
 * (`group_committer.ts`), topics (`group_topics.ts`, `group_lookups.ts`), what is known of the application
 * (`group_application.ts`, `group_breath.ts`). Long because it puts all of them together.
 */
import type { Timer } from "../env/clock.ts";
import { abortedError, type ClientError, errorFrom } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import { CoordinatorLink } from "./coordinator_link.ts";
import type { FetchedBatch } from "./fetched_batch.ts";
import { Fetcher } from "./fetcher.ts";
import { GroupProgress, type LogPlace, type Progress } from "./group/group_progress.ts";
import type { MembershipAction } from "./group/membership.ts";
import { GroupApplication } from "./group_application.ts";
import { GroupBreath } from "./group_breath.ts";
import { GroupArrivals } from "./group_arrivals.ts";
import { GroupCalls } from "./group_calls.ts";
import { GroupCommitter } from "./group_committer.ts";
import { GroupDepartures } from "./group_departures.ts";
import { endingError, lateError } from "./group_failures.ts";
import { GroupEnd } from "./group_end.ts";
import { GroupLookups } from "./group_lookups.ts";
import type { GroupMember } from "./group_member.ts";
import type {
  CloseOptions,
  GroupConsumerOptions,
  GroupNotice,
  TopicPartition,
} from "./group_options.ts";
import { type GroupSettings, newMembership } from "./group_settings.ts";
import { GroupTopics } from "./group_topics.ts";
import { backoffMs, sleep } from "./retry.ts";

const CLOSE_MS = 10_000;

export class GroupDriver {
  readonly fetcher: Fetcher;
  readonly #member: GroupMember;
  readonly breath: GroupBreath;
  readonly #application: GroupApplication;
  readonly #calls: GroupCalls;
  readonly #arrivals: GroupArrivals;
  readonly #departures: GroupDepartures;
  readonly #lookups: GroupLookups;
  readonly #committer: GroupCommitter;
  readonly #topics: GroupTopics;
  readonly #end: GroupEnd;
  readonly #ending = new AbortController();
  #timer: Timer | undefined;
  #isPumping = false;
  #failure: ClientError | undefined;
  #closing: Promise<void> | undefined;
  #commitAtMs = Infinity;

  constructor(tools: ClientTools, options: GroupConsumerOptions, settings: GroupSettings) {
    const laneName = tools.pool.laneName();
    this.fetcher = new Fetcher(tools, settings.consumer, [], {
      laneName,
      isPatient: true,
      isToEnd: options.until === "end",
      onReset: (reset) => {
        this.#member.progress.move(reset, reset.newOffset);
        this.#arrivals.forgetEnd(reset);
        this.#notice({ kind: "offset-reset", message: reset.message });
      },
    });
    const { signal } = this.#ending;
    const member: GroupMember = {
      tools,
      options,
      settings,
      membership: newMembership(tools, options, settings),
      link: new CoordinatorLink(tools, options.groupId, `group ${laneName}`),
      fetcher: this.fetcher,
      progress: new GroupProgress(),
      signal,
      now: () => tools.env.clock.monotonicMs(),
      onChange: () => this.#pump(),
      fail: (error) => this.#fail(error),
      notice: (notice) => this.#notice(notice),
      pause: async (attempt) => {
        const { clock, random } = tools.env;
        await sleep(clock, backoffMs(attempt, random), signal).catch(() => undefined);
      },
    };
    this.#member = member;
    this.#application = new GroupApplication(settings.maxProcessingMs);
    this.breath = new GroupBreath(member, this.#application);
    this.#calls = new GroupCalls(member);
    this.#arrivals = new GroupArrivals(member);
    this.#end = new GroupEnd(member, this.#arrivals);
    this.#departures = new GroupDepartures({
      member,
      application: this.#application,
      commit: (timeoutMs, entries) => this.#commitQuietly(timeoutMs, entries),
    });
    this.#lookups = new GroupLookups(member);
    this.#committer = new GroupCommitter(member);
    this.#topics = new GroupTopics(member);
  }

  get memberId(): string {
    return this.#member.membership.memberId;
  }

  assignment(): readonly TopicPartition[] {
    return this.#member.progress.all().map(({ topic, partition }) => ({ topic, partition }));
  }

  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  start(): void {
    const { tools, options, settings, signal, now } = this.#member;
    for (const outer of [tools.signal, options.signal]) {
      if (outer === undefined) continue;
      const onAbort = (): void => this.abort();
      outer.addEventListener("abort", onAbort, { once: true, signal });
      if (outer.aborted) onAbort();
    }
    if (signal.aborted) return;
    this.breath.drawn();
    if (settings.isAuto) this.#commitAtMs = now() + settings.autoCommitIntervalMs;
    this.#topics.start();
  }

  /** Whether all has been read that was to be. */
  isDone(): boolean {
    return this.#end.isReached();
  }

  /** The application gets this batch, and has it until `takeBack`. */
  handOut(batch: FetchedBatch, from: LogPlace): void {
    const { progress, now } = this.#member;
    progress.handOut(batch, from, batch.nextOffset);
    this.#application.handOut(now());
    this.#setTimer();
  }

  /** The application is back for more. */
  takeBack(): void {
    if (!this.#application.takeBack()) return;
    const { membership, now } = this.#member;
    membership.rejoin(now());
    this.#pump();
  }

  /** Nobody reads any more, and nobody has said that it is over: as if the last batch took for ever. */
  abandon(): void {
    this.#application.handOut(this.#member.now());
    this.#setTimer();
  }

  finish(partition: TopicPartition, nextOffset: number): void {
    const { progress, now } = this.#member;
    progress.finish(partition, nextOffset);
    this.#application.finish(now());
  }

  async commit(): Promise<void> {
    const { tools, progress } = this.#member;
    const error = await this.#committer.commit(tools.requestTimeoutMs);
    const late = progress.takeLate();
    if (error !== undefined) throw error;
    if (late !== undefined) throw lateError(late);
  }

  close(options: CloseOptions): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  /** At once: nothing is committed, nobody is told. */
  abort(): void {
    this.#fail(abortedError("Cannot consume"));
  }

  async #close({ leave, commit = this.#member.settings.isAuto }: CloseOptions): Promise<void> {
    this.fetcher.wake();
    const { tools, options: { instanceId }, membership, signal } = this.#member;
    if (!signal.aborted && commit) {
      await this.#commitQuietly(Math.min(CLOSE_MS, tools.requestTimeoutMs));
    }
    const isMember = !signal.aborted;
    const request = membership.leave(leave ?? instanceId === undefined);
    const mayTell = isMember && (leave !== false || instanceId !== undefined);
    this.fetcher.stop();
    this.#stop(); // from here on nothing is lost: it is given up
    if (request !== undefined && mayTell) await this.#calls.tell(request);
  }

  #stop(): void {
    this.#ending.abort();
    this.#timer?.cancel();
    this.#topics.stop();
    this.#member.link.close();
    this.fetcher.closeLanes();
    this.#poke();
  }

  #fail(error: ClientError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.fetcher.fail(error);
    this.#stop();
  }

  /** Does all that the machine wants done by now. */
  #pump(): void {
    if (this.#isPumping) return; // whoever pumps goes on until nothing is left
    const { membership, signal, now } = this.#member;
    this.#isPumping = true;
    while (!signal.aborted) {
      const action = membership.next(now());
      if (action === undefined) break;
      try {
        this.#perform(action);
      } catch (thrown) {
        this.#fail(errorFrom(thrown, "Cannot consume")); // a callback of the application
      }
    }
    this.#isPumping = false;
    this.#end.see();
    this.#setTimer();
    this.#poke();
  }

  /** Whoever waits is to look once more. */
  #poke(): void {
    this.#application.poke();
    if (this.#end.isBounded) this.fetcher.wake();
  }

  #setTimer(): void {
    this.#timer?.cancel();
    const { tools, membership, signal, now } = this.#member;
    if (signal.aborted) return;
    const atMs = Math.min(
      membership.wakeAtMs,
      this.#commitAtMs,
      this.#application.tooSlowAtMs,
      this.breath.wakeAtMs,
      this.#end.wakeAtMs,
    );
    if (atMs === Infinity) return;
    this.#timer = tools.env.clock.after(Math.max(atMs - now(), 0), () => this.#onTime());
  }

  #onTime(): void {
    this.breath.drawn();
    const { settings: { autoCommitIntervalMs } } = this.#member;
    const now = this.#member.now();
    if (now >= this.#commitAtMs) {
      this.#commitAtMs = now + autoCommitIntervalMs;
      this.#run(this.#commitQuietly(autoCommitIntervalMs));
    }
    if (now >= this.#application.tooSlowAtMs) this.#becomeTooSlow();
    this.#pump();
  }

  #becomeTooSlow(): void {
    const { membership, options, settings } = this.#member;
    this.#application.becomeTooSlow();
    this.#notice({
      kind: "too-slow",
      message: `Left group ${options.groupId}: the application has not asked for more in ` +
        `${settings.maxProcessingMs} ms; it joins again when it does`,
    });
    const request = membership.leave(false);
    if (request !== undefined) this.#run(this.#calls.tell(request));
  }

  #perform(action: MembershipAction): void {
    switch (action.kind) {
      case "ask":
        this.#run(this.#calls.ask(action));
        return;
      case "revoke":
        this.#run(this.#departures.revoke(action.partitions, action.serial));
        return;
      case "assign":
        // What comes while the last commit is under way is not read any more: nobody is told of it.
        if (this.isClosing) return;
        this.#run(this.#arrivals.assign(action.partitions).then(() => this.#poke()));
        return;
      case "lose":
        this.#departures.lose(action.partitions);
        return;
      case "count":
        this.#run(this.#lookups.count(action.topics, action.life));
        return;
      case "compare":
        this.#run(this.#lookups.compare(action.topics, action.of));
        return;
      case "name":
        this.#run(this.#lookups.name(action.topicIds));
        return;
      case "notice":
        this.#notice(action.notice);
        return;
      case "fail":
        this.#fail(endingError(this.#member.options.groupId, action));
    }
  }

  /** What goes on beside: a callback of the application that throws ends the consumer. */
  #run(work: Promise<void>): void {
    work.catch((thrown) => this.#fail(errorFrom(thrown, "Cannot consume")));
  }

  async #commitQuietly(timeoutMs: number, entries?: readonly Progress[]): Promise<void> {
    const error = await this.#committer.commit(timeoutMs, entries);
    if (error === undefined || error.code === "ABORTED") return;
    this.#notice({ kind: "commit-failed", message: error.message });
  }

  #notice(notice: GroupNotice): void {
    const { tools, options } = this.#member;
    tools.env.trace.event("warn", notice.message, { group: options.groupId, kind: notice.kind });
    try {
      options.onNotice?.(notice);
    } catch (thrown) {
      this.#fail(errorFrom(thrown, "Cannot consume"));
    }
  }
}
