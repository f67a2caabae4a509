/**
 * One life of a process: from its start to the crash that ends it.
 *
 * Everything that can call into the program (timers, streams, disk calls under way) belongs to a life,
 * and is not heard any more when that has ended: the program's objects are left where they are, and
 * nothing reaches them or comes from them.
 */
import type { ScheduledEvent } from "./scheduler.ts";

export class Life {
  readonly processName: string;
  readonly number: number;
  isAlive = true;
  isPaused = false;
  /** Events that came while it was paused, in their order. */
  readonly held: ScheduledEvent[] = [];
  /** Until when the event loop of the process is busy. */
  busyUntilUs = 0;
  /** How long each event keeps the event loop. */
  eventCostUs = 0;
  readonly #onEnded: (() => void)[] = [];

  constructor(processName: string, number: number) {
    this.processName = processName;
    this.number = number;
  }

  onEnded(listener: () => void): void {
    this.#onEnded.push(listener);
  }

  end(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const event of this.held.splice(0)) event.onDead?.();
    for (const listener of this.#onEnded) listener();
  }
}
