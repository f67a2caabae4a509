/**
 * Until when each member has to be heard of: a heap by time, in which a heartbeat costs nothing.
 *
 * A heartbeat only moves the deadline noted on the member. The member's entry in the heap stays where
 * it is and is put back by the later time when it comes up, so that a thousand members that heartbeat
 * cost one step of the heap each per session and not one per heartbeat, and the shard's own list of whom
 * to wake (`../deadlines.ts`, which is exact) is left alone too. The price: `next` may be earlier than
 * the first deadline, and then there is nothing to take.
 */
import type { Ms } from "../../ground/numbers.ts";

/** One who has to be heard of. */
export interface Watched {
  /** Undefined: nothing is expected of it. */
  deadline: Ms | undefined;
  /** Where its entry in the heap stands; undefined: it has none. Only `MemberDeadlines` writes it. */
  entryAt: Ms | undefined;
}

interface Entry<W extends Watched> {
  readonly at: Ms;
  readonly watched: W;
}

/** Below this, dead entries are not worth a sweep. */
const SWEEP_ENTRIES_MIN = 64;

export class MemberDeadlines<W extends Watched> {
  #heap: Entry<W>[] = [];
  /** How many entries of the heap still mean somebody. */
  #liveCount = 0;

  set(watched: W, deadline: Ms): void {
    watched.deadline = deadline;
    if (watched.entryAt !== undefined && watched.entryAt <= deadline) return;
    if (watched.entryAt === undefined) this.#liveCount += 1;
    watched.entryAt = deadline;
    this.#push({ at: deadline, watched });
    if (this.#heap.length > SWEEP_ENTRIES_MIN && this.#heap.length > this.#liveCount * 2) {
      this.#sweep();
    }
  }

  /** Nothing is expected of it any more: it has left, or it is waiting for us. */
  clear(watched: W): void {
    watched.deadline = undefined;
    if (watched.entryAt === undefined) return;
    watched.entryAt = undefined;
    this.#liveCount -= 1;
  }

  /** No deadline is before this; undefined: there is none. */
  next(): Ms | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (isLive(top)) return top.at;
      this.#pop();
    }
    return undefined;
  }

  /** Somebody whose deadline has come, whom nothing is expected of from now on. */
  takeDue(now: Ms): W | undefined {
    for (let at = this.next(); at !== undefined && at <= now; at = this.next()) {
      const { watched } = this.#pop() as Entry<W>;
      const { deadline } = watched;
      watched.entryAt = undefined;
      this.#liveCount -= 1;
      if (deadline !== undefined && deadline > now) {
        this.set(watched, deadline);
      } else if (deadline !== undefined) {
        watched.deadline = undefined;
        return watched;
      }
    }
    return undefined;
  }

  #push(entry: Entry<W>): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Entry<W>;
      if (parent.at <= entry.at) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): Entry<W> | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      const [left, right] = [heap[below] as Entry<W>, heap[below + 1]];
      if (right !== undefined && right.at < left.at) below += 1;
      const child = heap[below] as Entry<W>;
      if (child.at >= last.at) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return top;
  }

  /** Keeps: dead entries are never more than half, so what members leave behind is bounded. */
  #sweep(): void {
    const live = this.#heap.filter(isLive);
    this.#heap = [];
    for (const entry of live) this.#push(entry);
  }
}

function isLive<W extends Watched>({ at, watched }: Entry<W>): boolean {
  return watched.entryAt === at;
}
