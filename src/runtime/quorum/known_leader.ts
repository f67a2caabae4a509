/**
 * Who leads the metadata quorum, by what other nodes tell: a later term beats an earlier one.
 *
 * Nobody proves what it tells. So a term far ahead of the one that is known is not believed, and what
 * nobody repeats gives way to any other word after a while, at once where it was found to be wrong:
 * else a single word of a term that never was would make a node deaf to every leader to come.
 */

/** An election every second for half a year, while this node was away. */
export const TERM_LEAP_MAX = 1 << 24;
/** Who follows a leader hears of it every few seconds: by a poll, a heartbeat, a sign of life. */
const UNREPEATED_MS = 10_000;

export class KnownLeader {
  #leaderId: number | undefined;
  #term = -1;
  #heardMs = -Infinity;

  get leaderId(): number | undefined {
    return this.#leaderId;
  }

  get term(): number {
    return this.#term;
  }

  /**
   * Whether it is news; `leaderId` is undefined where a term has no leader yet. Who knows no leader and no
   * later term, as one that has just started, has told nothing: neither does it stand against old news.
   */
  hear(leaderId: number | undefined, term: number, nowMs: number): boolean {
    if (leaderId === undefined && (term === 0 || term <= this.#term)) return false;
    const isFresh = nowMs - this.#heardMs < UNREPEATED_MS;
    if (isFresh && (term < this.#term || term - this.#term > TERM_LEAP_MAX)) return false;
    const isOtherTerm = term !== this.#term;
    const isNews = isOtherTerm || (leaderId !== undefined && leaderId !== this.#leaderId);
    if (isNews) this.#leaderId = leaderId;
    this.#term = term;
    this.#heardMs = nowMs;
    return isNews;
  }

  /** It answers as the leader. */
  confirm(leaderId: number, nowMs: number): void {
    if (leaderId === this.#leaderId) this.#heardMs = nowMs;
  }

  /** It does not lead, or does not answer. */
  disprove(leaderId: number): void {
    if (leaderId !== this.#leaderId) return;
    this.#leaderId = undefined;
    this.#term = -1; // nor may that be true
    this.#heardMs = -Infinity;
  }

  /** Said without a term by one who does not lead: better than to ask in turn. */
  suppose(leaderId: number): void {
    this.#leaderId ??= leaderId;
  }
}
