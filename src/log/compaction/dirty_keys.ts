/**
 * The last offset of every key in the dirty part of a log, as far as the map has room.
 *
 * What was aborted does not count, or it would push out the committed value before it. Markers have
 * keys that are no keys (KAFKA-14055). Source: kafka: Cleaner.buildOffsetMap.
 */
import { type Offset, toOffset } from "../../ground/numbers.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { CleanedTransactions } from "./cleaned_transactions.ts";
import type { CompactableLog, CompactionTools } from "./compaction.ts";
import { GivenUp } from "./compaction_work.ts";
import type { SegmentRange } from "./compaction_policy.ts";
import type { OffsetMap } from "./offset_map.ts";
import { RecordWalk } from "./record_walk.ts";
import { walkSound } from "./sound_batches.ts";

/**
 * Fills the map from `firstDirty` on; gives the offset behind the last record that it knows.
 *
 * Shape: `segments` are the dirty ones, oldest first, up to where the log may be cleaned.
 */
export async function mapDirtyKeys(
  log: CompactableLog,
  dirty: { readonly segments: readonly SegmentRange[]; readonly firstDirty: Offset },
  map: OffsetMap,
  tools: CompactionTools,
): Promise<Offset> {
  const { segments, firstDirty } = dirty;
  const transactions = new CleanedTransactions();
  const keys = new DirtyKeys(map, { firstDirty, transactions, walk: new RecordWalk(tools) });
  const [first, last] = [segments[0], segments.at(-1)];
  if (first === undefined || last === undefined) return firstDirty;
  const range = { from: first.baseOffset, upTo: last.nextOffset };
  transactions.expect(await log.abortedTransactions(range.from, range.upTo), range);
  for (const { baseOffset } of segments) {
    // deno-lint-ignore no-await-in-loop
    const ending = await log.withSegment(
      baseOffset,
      (file, sizeInBytes) =>
        walkSound({ file, baseOffset, sizeInBytes }, tools, (batch) => keys.note(batch)),
    );
    if (ending === undefined) throw new GivenUp("a segment is not there any more");
    if (ending === "stop") return toOffset(keys.fullAt);
  }
  return last.nextOffset;
}

class DirtyKeys {
  /** The offset of the record that did not fit. */
  fullAt = 0;
  readonly #map: OffsetMap;
  readonly #options: {
    readonly firstDirty: number;
    readonly transactions: CleanedTransactions;
    readonly walk: RecordWalk;
  };

  constructor(
    map: OffsetMap,
    options: {
      readonly firstDirty: number;
      readonly transactions: CleanedTransactions;
      readonly walk: RecordWalk;
    },
  ) {
    this.#map = map;
    this.#options = options;
  }

  /** "stop" where the map is full, a reason where the batch cannot be read. */
  note(batch: BatchView): undefined | "stop" | string {
    const { transactions, walk, firstDirty } = this.#options;
    if (batch.isControl()) return void transactions.onControl(batch);
    if (transactions.onData(batch)) return undefined;
    const baseOffset = batch.baseOffset();
    if (batch.lastOffset() < firstDirty) return undefined;
    walk.open(batch);
    while (walk.next()) {
      const offset = baseOffset + walk.offsetDelta;
      if (walk.keyStart < 0 || offset < firstDirty) continue;
      if (this.#map.put(walk.bytes, walk.keyStart, walk.keyEnd, offset)) continue;
      this.fullAt = offset;
      return "stop";
    }
    return walk.failure;
  }
}
