/**
 * The last rebalances of a group: why each was, and how long partitions stood still for it.
 *
 * Soft: it is lost with the shard, and nothing decides by it. A group that never rebalanced holds no
 * list.
 */
import { type Ms, toMs } from "../ground/numbers.ts";

export const HISTORY_ENTRIES_MAX = 20;

const NOT_ENDED = -1;

export interface HistoryEntry {
  readonly atMs: Ms;
  /** The generation, or the group epoch, that came of it. */
  readonly generation: number;
  readonly reason: string;
  readonly memberCount: number;
  /** How long partitions stood still, the most over all members; -1 = not ended. */
  readonly durationMs: number;
}

/** What is known when a rebalance begins. */
export type BegunRebalance = Omit<HistoryEntry, "durationMs">;

const NONE: readonly HistoryEntry[] = [];

export class History {
  #entries: HistoryEntry[] | undefined;

  /** The oldest first. */
  entries(): readonly HistoryEntry[] {
    return this.#entries ?? NONE;
  }

  /** The newest, where it has not ended. */
  open(): HistoryEntry | undefined {
    const newest = this.#entries?.at(-1);
    return newest?.durationMs === NOT_ENDED ? newest : undefined;
  }

  begin(rebalance: BegunRebalance): void {
    this.#entries ??= [];
    if (this.#entries.length === HISTORY_ENTRIES_MAX) this.#entries.shift();
    this.#entries.push({ ...rebalance, durationMs: NOT_ENDED });
  }

  /**
   * Ends the newest rebalance; `found` is what is known better now than at its begin. Does nothing
   * where none is open.
   */
  end(now: Ms, found: Partial<BegunRebalance> & { readonly durationMs?: number } = {}): void {
    const open = this.open();
    if (open === undefined) return;
    const durationMs = toMs(Math.max(0, found.durationMs ?? now - open.atMs));
    (this.#entries as HistoryEntry[])[this.entries().length - 1] = {
      ...open,
      ...found,
      durationMs,
    };
  }

  /** What is known better before the rebalance has ended: members and generation, say. */
  amend(found: Partial<BegunRebalance>): void {
    const open = this.open();
    if (open === undefined) return;
    (this.#entries as HistoryEntry[])[this.entries().length - 1] = { ...open, ...found };
  }
}
