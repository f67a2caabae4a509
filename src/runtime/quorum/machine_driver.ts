/**
 * Steps the Raft machine, has done what it wants done, one `Ready` after the other, and wakes it up when
 * it asks for that.
 *
 * What is done may step the machine again (a disk that answers at once, a listener that proposes): that
 * is heard when the present `Ready` is dealt with, never in the middle of it.
 */
import type { Clock, Timer } from "../../env/clock.ts";
import type { Input } from "../../raft/input.ts";
import type { Raft } from "../../raft/raft.ts";
import type { Ready } from "../../raft/ready.ts";

export interface MachineDriverOptions {
  readonly raft: Raft;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  perform(ready: Ready): void;
}

export class MachineDriver {
  readonly #options: MachineDriverOptions;
  #timer: Timer | undefined;
  /** When the timer comes, and when the machine wants its tick, which may be later. */
  #timerAtMs = Infinity;
  #tickAtMs = Infinity;
  /** Until then the timer is not put off. */
  #timerStaysMs = -Infinity;
  #isPumping = false;
  #hasMore = false;
  #isStopped = false;

  constructor(options: MachineDriverOptions) {
    this.#options = options;
  }

  step(input: Input): void {
    if (this.#isStopped) return;
    const { raft, clock } = this.#options;
    raft.step(clock.monotonicMs(), input);
    this.pump();
  }

  /** After whatever else has changed the machine. */
  pump(): void {
    this.#hasMore = true;
    if (this.#isPumping) return; // the loop below goes on
    this.#isPumping = true;
    try {
      while (this.#hasMore && !this.#isStopped) {
        this.#hasMore = false;
        const ready = this.#options.raft.ready();
        this.#options.perform(ready);
        this.#wakeAt(ready.wakeAt);
      }
    } finally {
      this.#isPumping = false;
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /**
   * Every message of a leader puts an election off. The timer follows, for a wake costs an idle process
   * a hundred times what a timer does that is set anew; but not with each message of a busy leader.
   */
  #wakeAt(atMs: number): void {
    this.#tickAtMs = atMs;
    const { clock, heartbeatMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const isEarlyEnough = this.#timer !== undefined && this.#timerAtMs <= atMs;
    if (isEarlyEnough && (this.#timerAtMs === atMs || nowMs < this.#timerStaysMs)) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (atMs === Infinity || this.#isStopped) return;
    this.#timerAtMs = atMs;
    this.#timerStaysMs = nowMs + heartbeatMs / 2;
    this.#timer = clock.after(Math.max(0, atMs - nowMs), () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timer = undefined;
    // A timer of the system may come a little before its time: then the machine does nothing yet.
    if (this.#tickAtMs <= this.#timerAtMs) this.step({ kind: "tick" });
    else this.#wakeAt(this.#tickAtMs);
  }
}
