/**
 * Sees to it that the rest of the program gets its turn while batch after batch is handed out, and that
 * nothing is handed out behind a standstill before the group has been heard.
 *
 * A loop over batches that are there already runs in promise jobs alone: no timer fires, no answer is read, and
 * so no heartbeat leaves, for as long as it lasts. And a program that was stopped for a session's length
 * (SIGSTOP, a laptop that slept, a callback that computed) may have lost its partitions to somebody who is at
 * the same records by now: the next answer of the coordinator tells.
 */
import type { Timer } from "../env/clock.ts";
import type { GroupApplication } from "./group_application.ts";
import type { GroupMember } from "./group_member.ts";

/** So long it is handed out in one go. */
const BREATH_MS = 100;
/** How often in a session the clock is looked at, so that a standstill is told from having nothing to do. */
const TICKS = 3;
/** So many of them missed may be a session: the last heartbeat was sent some time before the standstill. */
const MISSED_TICKS = 2;

export class GroupBreath {
  readonly #member: GroupMember;
  readonly #application: GroupApplication;
  #atMs = Infinity;
  /** When it was found out that it had stood still; undefined where the group was heard since. */
  #doubtedAtMs: number | undefined;

  constructor(member: GroupMember, application: GroupApplication) {
    this.#member = member;
    this.#application = application;
  }

  /** When it wants to be called next. */
  get wakeAtMs(): number {
    return this.#atMs + this.#member.settings.sessionTimeoutMs / TICKS;
  }

  /** The program has had its turn: a timer fired, or an answer came. */
  drawn(): void {
    const { settings, now } = this.#member;
    const atMs = now();
    const doubtfulMs = settings.sessionTimeoutMs * MISSED_TICKS / TICKS;
    if (atMs - this.#atMs >= doubtfulMs) this.#doubtedAtMs = atMs;
    this.#atMs = atMs;
  }

  /** Whether `draw` is due before anything more is handed out. */
  isShort(): boolean {
    return this.#doubtedAtMs !== undefined || this.#member.now() - this.#atMs >= BREATH_MS;
  }

  async draw(): Promise<void> {
    const { clock } = this.#member.tools.env;
    await new Promise<void>((resolve) => clock.after(0, resolve));
    this.drawn();
    if (this.#doubtedAtMs !== undefined) await this.#hear(this.#doubtedAtMs);
    this.#doubtedAtMs = undefined;
  }

  /** Resolves when the coordinator has answered what was asked since, or does not answer. */
  async #hear(sinceMs: number): Promise<void> {
    const { tools: { env: { clock }, requestTimeoutMs }, membership, signal, now } = this.#member;
    const untilMs = sinceMs + requestTimeoutMs;
    const timer: Timer = clock.after(untilMs - now(), () => this.#application.poke());
    while (!signal.aborted && membership.confirmedAtMs < sinceMs && now() < untilMs) {
      await this.#application.news();
    }
    timer.cancel();
  }
}
