/**
 * The one queue of events of a simulated world, in the order of time and, at one time, of scheduling.
 *
 *     pop ─► the life it belongs to: ended? paused? busy? ─► action ─► all promise jobs ─► checks
 *
 * Times are whole microseconds. Everything is counted in the trace hash before it happens.
 */
import type { DrainMicrotasks } from "./drain_microtasks.ts";
import type { Life } from "./life.ts";
import { TraceHash } from "./trace_hash.ts";
import { Trail, type TrailEntry } from "./trail.ts";

export interface ScheduledEvent {
  atUs: number;
  sequence: number;
  readonly life: Life | undefined;
  readonly label: string;
  readonly detail: number;
  /** Undefined once it was cancelled or has happened. */
  action: (() => void) | undefined;
  /** What happens in its place where the life has ended. */
  readonly onDead: (() => void) | undefined;
}

export interface EventFields {
  /** Undefined for the world itself. */
  readonly life?: Life;
  readonly label: string;
  readonly detail?: number;
  readonly onDead?: () => void;
}

/** Cancelled events are taken off when there are so many, and more than others. */
const CANCELLED_MAX = 64;

export class Scheduler {
  nowUs = 0;
  eventCount = 0;
  /** How often a clock was asked in this event: who never stops asking goes on for ever. */
  clockReads = 0;
  /** Whose event happens now. */
  life: Life | undefined;
  readonly hash = new TraceHash();
  readonly trails = new Map<string, Trail>();
  /** Runs after each event and its promise jobs. */
  onEvent: (life: Life | undefined) => void = () => undefined;
  readonly #drain: DrainMicrotasks;
  #heap: ScheduledEvent[] = [];
  #cancelledCount = 0;
  #sequence = 0;
  #isStopped = false;

  constructor(drain: DrainMicrotasks) {
    this.#drain = drain;
  }

  after(delayUs: number, fields: EventFields, action: () => void): ScheduledEvent {
    const event: ScheduledEvent = {
      atUs: this.nowUs + Math.max(0, Math.round(delayUs)),
      sequence: this.#sequence++,
      life: fields.life,
      label: fields.label,
      detail: fields.detail ?? 0,
      action,
      onDead: fields.onDead,
    };
    this.#push(event);
    return event;
  }

  /** Whoever cancels what has happened, or a second time, does nothing. */
  cancel(event: ScheduledEvent): void {
    if (event.action === undefined) return;
    event.action = undefined;
    const isWorthIt = 2 * ++this.#cancelledCount > this.#heap.length;
    if (!isWorthIt || this.#cancelledCount < CANCELLED_MAX) return;
    const left = this.#heap.filter(({ action }) => action !== undefined);
    this.#cancelledCount = 0;
    this.#heap = [];
    for (const one of left) this.#push(one);
  }

  /** Gives back what a pause kept, in its order. */
  release(life: Life): void {
    for (const event of life.held.splice(0)) this.#again(event, this.nowUs);
  }

  /** Runs until the time has come, or `stop` was called. */
  runUntil(endUs: number): void {
    this.#isStopped = false;
    while (!this.#isStopped) {
      const next = this.#heap[0];
      if (next === undefined || next.atUs > endUs) break;
      this.#pop();
      if (next.action === undefined) this.#cancelledCount--;
      else this.#run(next);
    }
    if (!this.#isStopped) this.nowUs = Math.max(this.nowUs, endUs);
  }

  stop(): void {
    this.#isStopped = true;
  }

  note(processName: string, entry: TrailEntry): void {
    let trail = this.trails.get(processName);
    if (trail === undefined) {
      trail = new Trail();
      this.trails.set(processName, trail);
    }
    trail.add(entry);
  }

  #run(event: ScheduledEvent): void {
    const { life, action } = event;
    if (life !== undefined) {
      if (!life.isAlive) {
        event.action = undefined;
        event.onDead?.();
        return;
      }
      if (life.isPaused) {
        life.held.push(event);
        return;
      }
      if (life.busyUntilUs > event.atUs) {
        this.#again(event, life.busyUntilUs);
        return;
      }
      if (life.eventCostUs > 0) life.busyUntilUs = event.atUs + life.eventCostUs;
    }
    this.nowUs = event.atUs;
    this.life = life;
    event.action = undefined;
    this.eventCount++;
    this.clockReads = 0;
    this.#trace(event);
    (action as () => void)();
    this.#drain();
    this.onEvent(life);
  }

  #trace(event: ScheduledEvent): void {
    const { hash } = this;
    hash.number(event.atUs);
    hash.label(event.label);
    hash.number(event.detail);
    this.note(event.life?.processName ?? "world", event);
  }

  #again(event: ScheduledEvent, atUs: number): void {
    event.atUs = atUs;
    event.sequence = this.#sequence++;
    this.#push(event);
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as ScheduledEvent;
      if (!isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as ScheduledEvent;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (
        right < heap.length &&
        isBefore(heap[right] as ScheduledEvent, heap[child] as ScheduledEvent)
      ) child = right;
      if (!isBefore(heap[child] as ScheduledEvent, last)) break;
      heap[at] = heap[child] as ScheduledEvent;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(left: ScheduledEvent, right: ScheduledEvent): boolean {
  return left.atUs < right.atUs || (left.atUs === right.atUs && left.sequence < right.sequence);
}
