/** When a consumer that ends at the ends of its partitions has come to them (`until: "end"`). */
import type { GroupArrivals } from "./group_arrivals.ts";
import type { GroupMember } from "./group_member.ts";

/** A member without partitions waits so long for some before it says that it has read all of none. */
const NOTHING_MS = 3000;

export class GroupEnd {
  readonly isBounded: boolean;
  readonly #member: GroupMember;
  readonly #arrivals: GroupArrivals;
  /** Since when it is settled and has nothing; -1 where that is not so. */
  #nothingSinceMs = -1;

  constructor(member: GroupMember, arrivals: GroupArrivals) {
    this.#member = member;
    this.#arrivals = arrivals;
    this.isBounded = member.options.until === "end";
  }

  /** When it is worth another look by the clock alone. */
  get wakeAtMs(): number {
    return this.isBounded && this.#nothingSinceMs >= 0
      ? this.#nothingSinceMs + NOTHING_MS
      : Infinity;
  }

  /** The membership, or what is owned, may have changed. */
  see(): void {
    const { membership, progress, now } = this.#member;
    if (!membership.isSettled || progress.size > 0) this.#nothingSinceMs = -1;
    else if (this.#nothingSinceMs < 0) this.#nothingSinceMs = now();
  }

  /** Whether all has been read that was to be. */
  isReached(): boolean {
    const { membership, progress, fetcher, now } = this.#member;
    if (!this.isBounded || this.#arrivals.isStarting) return false;
    if (!membership.isSettled || !fetcher.isDone()) return false;
    return progress.size > 0 || now() >= this.#nothingSinceMs + NOTHING_MS;
  }
}
