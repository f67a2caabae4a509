/**
 * The producer snapshots of one partition directory: choosing, loading, writing, removing.
 *
 * One is written at each roll and at a close, as in Kafka, and some in between (`SnapshotPace`).
 */
import type { Crc32c } from "../ground/crc32c.ts";
import type { Offset } from "../ground/numbers.ts";
import { writePlainly } from "./atomic_file.ts";
import { decodeProducerSnapshot, encodeProducerSnapshot } from "./producer_snapshot.ts";
import type { ProducerEntry, ProducerStates } from "./producer_state.ts";
import { snapshotCases } from "./recovery.ts";
import type { Segment, SegmentContext } from "./segment.ts";
import { segmentPath } from "./segment_indexes.ts";

/** Loads the newest of these snapshots that is sound and not behind `upTo`; returns its offset. */
export function loadSnapshot(
  context: SegmentContext,
  crc32c: Crc32c,
  what: {
    readonly offsets: readonly Offset[];
    readonly producers: ProducerStates;
    readonly upTo?: number;
  },
): Offset | undefined {
  const { offsets, producers, upTo = Infinity } = what;
  for (const offset of offsets.toReversed()) {
    const place = offset <= upTo ? "usable" : "behind";
    const path = segmentPath(context.directory, offset, "snapshot");
    const bytes = place === "usable" ? context.disk.readWhole(path) : undefined;
    const decoded = bytes === undefined ? "it is gone" : decodeProducerSnapshot(bytes, crc32c);
    const content = bytes === undefined ? "missing" : typeof decoded === "string" ? "bad" : "sound";
    if (snapshotCases.decide({ content, place }) === "load") {
      producers.load(decoded as readonly ProducerEntry[]);
      return offset;
    }
    if (place === "behind") continue;
    context.trace.event("warn", "producer snapshot ignored", { path, reason: String(decoded) });
  }
  return undefined;
}

/**
 * Writes one and returns its path; it is not durable yet. A crash may lose or tear it: its CRC tells,
 * and the batches tell the same as it.
 */
export function writeSnapshot(
  context: SegmentContext,
  crc32c: Crc32c,
  what: { readonly offset: Offset; readonly producers: ProducerStates },
): string {
  const path = segmentPath(context.directory, what.offset, "snapshot");
  writePlainly(context.disk, path, encodeProducerSnapshot(what.producers.entries(), crc32c));
  return path;
}

export function removeSnapshots(context: SegmentContext, offsets: readonly Offset[]): void {
  for (const offset of offsets) {
    context.disk.remove(segmentPath(context.directory, offset, "snapshot"));
  }
}

/** Bytes of batches that a start after a crash may have to walk for the producers of one log. */
const BYTES_BETWEEN = 1024 * 1024;

export interface PacedLog {
  readonly context: SegmentContext;
  readonly crc32c: Crc32c;
  /** The log's last segment. */
  readonly active: Segment;
  readonly producers: ProducerStates;
  readonly logEndOffset: Offset;
  readonly recoveryPoint: Offset;
}

/**
 * Snapshots between those of the rolls, so that after a crash the walk for the producers of a log is
 * bounded by what came since, and not by the size of a segment.
 *
 * Keeps: a snapshot at S says that the aborted transactions with markers below S are durable in the
 *        segment's file; the walk adds those from S on.
 *        The newest one at or below a recovery point that was written down stays, and the newest of
 *        all; others go. None of them is synced: one that a loss of power takes costs time only.
 */
export class SnapshotPace {
  /** The newest, and how long its segment was then. */
  #newest: { readonly baseOffset: Offset; readonly sizeInBytes: number } | undefined;
  /** Those that this wrote and that are there, the oldest first. */
  #offsets: readonly Offset[] = [];

  /** `loadedFrom`: the snapshot that the log was opened with, if it holds all there was. */
  constructor(active: Segment, loadedFrom: Offset | undefined) {
    if (loadedFrom === undefined) return;
    this.#newest = { baseOffset: active.baseOffset, sizeInBytes: active.sizeInBytes };
  }

  /** Called when recovery points have been written down. Writes one where it is time; says so. */
  async onCheckpoint(log: () => PacedLog | undefined): Promise<boolean> {
    const before = log();
    if (before === undefined || !this.#isDue(before.active)) return false;
    await before.active.syncTransactions();
    const now = log();
    if (now === undefined || now.active !== before.active) return false;
    const { active, context, logEndOffset } = now;
    if (!active.areTransactionsSynced()) return false; // one more came; next time
    if (logEndOffset === active.baseOffset) return false; // the roll wrote it
    const { crc32c, producers, recoveryPoint } = now;
    writeSnapshot(context, crc32c, { offset: logEndOffset, producers });
    this.#newest = { baseOffset: active.baseOffset, sizeInBytes: active.sizeInBytes };
    const between = this.#offsets.filter((offset) => offset !== active.baseOffset);
    const usable = between.findLast((offset) => offset <= recoveryPoint) ?? 0;
    removeSnapshots(context, between.filter((offset) => offset < usable));
    const kept = between.filter((offset) => offset >= usable && offset !== logEndOffset);
    this.#offsets = [...kept, logEndOffset];
    return true;
  }

  #isDue(active: Segment): boolean {
    const isSame = this.#newest?.baseOffset === active.baseOffset;
    const before = isSame ? (this.#newest?.sizeInBytes ?? 0) : 0;
    if (active.sizeInBytes < before) this.#newest = undefined; // it was cut, or cleaned
    return active.sizeInBytes - before >= BYTES_BETWEEN;
  }
}
