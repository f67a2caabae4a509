/**
 * How dirty a log is and what of it may be compacted now: gathers what the policy decides from.
 *
 * Times are looked up only where a setting asks for them: nearly all topics have neither lag.
 */
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { BatchView } from "../../record/batch_view.ts";
import { BATCH_HEADER_BYTES } from "../../record/format.ts";
import type { Log } from "../log.ts";
import {
  type Candidate,
  dirtOf,
  dirtySegments,
  firstDirtyOffset,
  firstUncleanableOffset,
  type SegmentRange,
} from "./compaction_policy.ts";

export interface LagSettings {
  readonly minCleanableDirtyRatio: number;
  readonly minCompactionLagMs: number;
  readonly maxCompactionLagMs: number;
}

export interface DirtyLog extends Candidate {
  readonly firstDirty: Offset;
  readonly firstUncleanable: Offset;
}

type MeasuredLog = Pick<
  Log,
  | "logStartOffset"
  | "logEndOffset"
  | "firstUnstableOffset"
  | "segmentFacts"
  | "maxTimestampOf"
  | "withSegment"
>;

/** Undefined where there is nothing but the active segment. */
export async function measureLog(
  log: MeasuredLog,
  known: { readonly highWatermark: Offset; readonly checkpoint: Offset },
  settings: LagSettings,
  now: number,
): Promise<DirtyLog | undefined> {
  const segments = log.segmentFacts();
  if (segments.length < 2) return undefined;
  const firstDirty = firstDirtyOffset(log, known.checkpoint);
  const dirty = dirtySegments(segments, firstDirty);
  if (dirty.length === 0) return undefined;
  const { minCompactionLagMs, maxCompactionLagMs, minCleanableDirtyRatio } = settings;
  const tooYoung = minCompactionLagMs > 0
    ? await firstYoungerThan(log, dirty, now - minCompactionLagMs)
    : undefined;
  const bounds = [known.highWatermark, log.firstUnstableOffset, tooYoung];
  const firstUncleanable = toOffset(
    Math.max(firstDirty, firstUncleanableOffset(segments, bounds)),
  );
  const dirt = dirtOf(segments, { firstDirty, firstUncleanable });
  const isOverdue = dirt.cleanableBytes > 0 && maxCompactionLagMs < now &&
    await isAnyOlderThan(log, dirty, now - maxCompactionLagMs);
  return { firstDirty, firstUncleanable, dirt, minCleanableDirtyRatio, isOverdue };
}

/**
 * Begins a new segment where the active one holds what has waited for longer than
 * `max.compaction.lag.ms`: nobody may ever append to it again, and it cannot be compacted while it is
 * active. (Kafka rolls at the next append only: KIP-354.)
 */
export async function rollOverdue(
  log: Pick<Log, "segmentFacts" | "withSegment" | "roll" | "isUsable">,
  { maxCompactionLagMs }: Pick<LagSettings, "maxCompactionLagMs">,
  now: number,
): Promise<void> {
  if (maxCompactionLagMs >= now) return;
  const active = log.segmentFacts().filter(({ isActive }) => isActive);
  if (await isAnyOlderThan(log, active, now - maxCompactionLagMs) && log.isUsable) log.roll();
}

async function firstYoungerThan(
  log: MeasuredLog,
  segments: readonly SegmentRange[],
  timeMs: number,
): Promise<Offset | undefined> {
  for (const { baseOffset } of segments) {
    // deno-lint-ignore no-await-in-loop
    if (await log.maxTimestampOf(baseOffset) > timeMs) return baseOffset;
  }
  return undefined;
}

/** By the first batch of each segment; one without a time has no age. */
async function isAnyOlderThan(
  log: Pick<Log, "withSegment">,
  segments: readonly SegmentRange[],
  timeMs: number,
): Promise<boolean> {
  for (const { baseOffset } of segments) {
    // deno-lint-ignore no-await-in-loop
    const header = await log.withSegment(baseOffset, (file) => file.read(0, BATCH_HEADER_BYTES));
    if (header === undefined || header.length < BATCH_HEADER_BYTES) continue;
    const timestamp = new BatchView(header).maxTimestamp();
    if (timestamp > 0 && timestamp < timeMs) return true;
  }
  return false;
}
