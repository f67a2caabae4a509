/**
 * Who has to be woken when: a heap of keys by time, in which a key stands at most once.
 *
 *     #heap      [ {key, at, place} … ]   the earliest first, a binary heap
 *     #entries   key → its entry          so that a deadline is moved or taken away in O(log n)
 *
 * Two deadlines of the same time are taken in the order in which they were set, so that a run can be
 * repeated exactly.
 */
import type { Ms } from "../ground/numbers.ts";

interface Entry<Key> {
  readonly key: Key;
  at: Ms;
  /** Which of two of the same time was set first. */
  turn: number;
  place: number;
}

export class Deadlines<Key> {
  readonly #heap: Entry<Key>[] = [];
  readonly #entries = new Map<Key, Entry<Key>>();
  #turns = 0;

  /** The earliest of all. */
  get nextAt(): Ms | undefined {
    return this.#heap[0]?.at;
  }

  get count(): number {
    return this.#heap.length;
  }

  /** Sets the deadline of the key, or takes it away. */
  set(key: Key, at: Ms | undefined): void {
    const entry = this.#entries.get(key);
    if (at === undefined) return entry === undefined ? undefined : this.#remove(entry);
    if (entry === undefined) return this.#add(key, at);
    if (entry.at === at) return;
    entry.at = at;
    entry.turn = this.#turns++;
    this.#settle(entry);
  }

  /** Takes away the earliest key whose time has come, and gives it. */
  takeDue(now: Ms): Key | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.#remove(first);
    return first.key;
  }

  #add(key: Key, at: Ms): void {
    const entry = { key, at, turn: this.#turns++, place: this.#heap.length };
    this.#entries.set(key, entry);
    this.#heap.push(entry);
    this.#settle(entry);
  }

  #remove(entry: Entry<Key>): void {
    this.#entries.delete(entry.key);
    const last = this.#heap.pop() as Entry<Key>;
    if (last === entry) return;
    this.#place(last, entry.place);
    this.#settle(last);
  }

  #settle(entry: Entry<Key>): void {
    this.#rise(entry);
    this.#sink(entry);
  }

  #rise(entry: Entry<Key>): void {
    while (entry.place > 0) {
      const parent = this.#heap[(entry.place - 1) >> 1] as Entry<Key>;
      if (!isBefore(entry, parent)) return;
      this.#swap(entry, parent);
    }
  }

  #sink(entry: Entry<Key>): void {
    for (;;) {
      const left = this.#heap[2 * entry.place + 1];
      if (left === undefined) return;
      const right = this.#heap[2 * entry.place + 2];
      const child = right !== undefined && isBefore(right, left) ? right : left;
      if (!isBefore(child, entry)) return;
      this.#swap(entry, child);
    }
  }

  #swap(one: Entry<Key>, other: Entry<Key>): void {
    const place = one.place;
    this.#place(one, other.place);
    this.#place(other, place);
  }

  #place(entry: Entry<Key>, place: number): void {
    entry.place = place;
    this.#heap[place] = entry;
  }
}

function isBefore<Key>(one: Entry<Key>, other: Entry<Key>): boolean {
  return one.at < other.at || (one.at === other.at && one.turn < other.turn);
}
