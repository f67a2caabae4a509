/**
 * The producer snapshots of one partition directory: choosing, loading, writing, removing.
 *
 * One is written at each roll and at a close, as in Kafka, and some in between (`SnapshotPace`).
 */
import { DiskFault } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { Offset } from "../../ground/numbers.ts";
import { writePlainly } from "../atomic_file.ts";
import { decodeProducerSnapshot, encodeProducerSnapshot } from "./producer_snapshot.ts";
import type { ProducerEntry, ProducerStates } from "./producer_state.ts";
import { snapshotCases } from "../recovery.ts";
import type { Segment, SegmentContext } from "../segment/segment.ts";
import { segmentPath } from "../index/segment_indexes.ts";
import type { Segments } from "../segment/segments.ts";

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
    const decoded = place === "usable" ? readSnapshot(context, crc32c, path) : undefined;
    const content = decoded === undefined
      ? "missing"
      : typeof decoded === "string"
      ? "bad"
      : "sound";
    if (snapshotCases.decide({ content, place }) === "load") {
      producers.load(decoded as readonly ProducerEntry[]);
      return offset;
    }
    if (place === "behind") continue;
    const reason = typeof decoded === "string" ? decoded : "it is gone";
    context.trace.event("warn", "producer snapshot ignored", { path, reason });
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

/** Whether there is one at `offset` that can be loaded. */
export function isSnapshotSound(context: SegmentContext, crc32c: Crc32c, offset: Offset): boolean {
  const path = segmentPath(context.directory, offset, "snapshot");
  return typeof readSnapshot(context, crc32c, path) === "object";
}

/**
 * The entries, why there are none to be had, or undefined where there is no such file. One that cannot be
 * read is as good as a damaged one: the batches tell the same, and their log goes on.
 */
function readSnapshot(
  { disk }: SegmentContext,
  crc32c: Crc32c,
  path: string,
): readonly ProducerEntry[] | string | undefined {
  try {
    const bytes = disk.readWhole(path);
    return bytes === undefined ? undefined : decodeProducerSnapshot(bytes, crc32c);
  } catch (fault) {
    if (!(fault instanceof DiskFault && fault.kind === "unreadable")) throw fault;
    return fault.message;
  }
}

/** Bytes of batches that a start after a crash may have to walk for the producers of one log. */
const BYTES_BETWEEN = 1024 * 1024;

const NONE: readonly Offset[] = [];

export interface PacedLog {
  readonly context: SegmentContext;
  readonly crc32c: Crc32c;
  readonly segments: Segments;
  readonly producers: ProducerStates;
  readonly logEndOffset: Offset;
  /** As it was written down. */
  readonly recoveryPoint: Offset;
  /** Makes names of new files durable. */
  readonly syncEntries: () => Promise<void>;
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
  /** The segment that the newest lies in, and how long it was then; -1 where there is none. */
  #baseOffset = -1;
  #sizeInBytes = 0;
  /** Those that this wrote and that are there, the oldest first. */
  #offsets = NONE;

  /** `isWhole`: the log was opened with a snapshot of all that it holds. */
  constructor(active: Segment, isWhole: boolean) {
    if (isWhole) this.#note(active);
  }

  /** Whether enough was appended since the newest one. */
  isDue(active: Segment): boolean {
    const isSame = this.#baseOffset === active.baseOffset;
    if (isSame && active.sizeInBytes < this.#sizeInBytes) this.#baseOffset = -1; // it was cut
    const before = this.#baseOffset === active.baseOffset ? this.#sizeInBytes : 0;
    return active.sizeInBytes - before >= BYTES_BETWEEN;
  }

  /**
   * Called when recovery points have been written down. Writes one where it is time; says so. `log` is
   * asked again after each wait; undefined is one that is not to be used any more.
   */
  async onCheckpoint(log: () => PacedLog | undefined): Promise<boolean> {
    const before = log()?.segments.active();
    if (before === undefined || !this.isDue(before)) return false;
    await before.syncTransactions();
    await log()?.syncEntries(); // the file of the transactions may be new
    const now = log();
    if (now === undefined || now.segments.active() !== before) return false;
    if (!before.areTransactionsSynced()) return false; // one more came; next time
    if (now.logEndOffset === before.baseOffset) return false; // the roll wrote it
    const { context, crc32c, producers, logEndOffset, recoveryPoint, segments } = now;
    writeSnapshot(context, crc32c, { offset: logEndOffset, producers });
    this.#note(before);
    const between = this.#offsets.filter((offset) => segments.indexOf(offset) < 0);
    const usable = between.findLast((offset) => offset <= recoveryPoint) ?? 0;
    removeSnapshots(context, between.filter((offset) => offset < usable));
    const kept = between.filter((offset) => offset >= usable && offset !== logEndOffset);
    this.#offsets = [...kept, logEndOffset];
    return true;
  }

  #note({ baseOffset, sizeInBytes }: Segment): void {
    this.#baseOffset = baseOffset;
    this.#sizeInBytes = sizeInBytes;
  }
}
