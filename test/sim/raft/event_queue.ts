/**
 * What will happen, by time: a binary heap of events, ties in the order in which they were added.
 *
 * Written for speed: the queue is the centre of a simulation that handles a million events a second.
 */

export const EventKind = {
  Message: 0,
  Tick: 1,
  Synced: 2,
  Applied: 3,
  Fetched: 4,
  /** Something of a node's life; lost with it. */
  Own: 5,
  /** Something of the world. */
  World: 6,
} as const;

/** What each of an event's fields means is its kind's affair; see `world.ts`. */
export interface SimEvent {
  atMs: number;
  order: number;
  readonly kind: number;
  /** Index of the node it happens to; -1 = the world. */
  readonly node: number;
  /** The life of that node it belongs to; another life ignores it. -1 = any. */
  readonly life: number;
  readonly value: unknown;
}

export class EventQueue {
  readonly #heap: SimEvent[] = [];
  #added = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(event: SimEvent): void {
    event.order = this.#added++;
    this.#insert(event);
  }

  /** Once more, at another time: among events of that time it keeps the place it had. */
  addAgain(event: SimEvent, atMs: number): void {
    this.#insert({ ...event, atMs });
  }

  #insert(event: SimEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as SimEvent;
      if (!isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  /** The earliest event, taken out. */
  take(): SimEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    const count = heap.length;
    let at = 0;
    while (true) {
      let child = 2 * at + 1;
      if (child >= count) break;
      const right = child + 1;
      if (right < count && isBefore(heap[right] as SimEvent, heap[child] as SimEvent)) {
        child = right;
      }
      const below = heap[child] as SimEvent;
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: SimEvent, other: SimEvent): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
