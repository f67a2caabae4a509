/**
 * Names and layouts of the files of one partition, as Kafka has them.
 *
 *     <20-digit base offset>.log        record batches, one behind the other (record/format.ts)
 *     <20-digit base offset>.index      { relativeOffset int32, position int32 }*
 *     <20-digit base offset>.timeindex  { timestamp int64, relativeOffset int32 }*
 *     <20-digit offset>.snapshot        producers as of that offset (producer_snapshot.ts)
 *     leader-epoch-checkpoint           text (leader_epochs.ts)
 *     partition.metadata                text (partition_folder.ts)
 *
 * Offsets in the indexes are relative to the base offset, so that they fit into 32 bits. Kafka
 * preallocates the index of a segment being written; mq never does, a file ends with its last entry.
 */
import { type Offset, toOffset } from "../ground/numbers.ts";

export const OFFSET_ENTRY_BYTES = 8;
export const TIME_ENTRY_BYTES = 12;
/** The greatest distance of an offset from its segment's base. */
export const RELATIVE_OFFSET_MAX = 0x7fff_ffff;

export type SegmentFileKind = "log" | "index" | "timeindex" | "txnindex" | "snapshot";

/** Kinds in the order in which they change their names: the log decides, so it comes last. */
export const SEGMENT_FILE_KINDS = ["index", "timeindex", "txnindex", "log"] as const;

/** Endings of files that are not of the log any more, or not yet. Source: kafka: LogFileUtils. */
export const DELETED_SUFFIX = ".deleted";
export const CLEANED_SUFFIX = ".cleaned";
export const SWAP_SUFFIX = ".swap";

export const LEADER_EPOCH_FILE = "leader-epoch-checkpoint";

const OFFSET_DIGITS = 20;
const NAME = /^(\d{20})\.(log|index|timeindex|txnindex|snapshot)$/;

/** "00000000000000000042.log" */
export function segmentFileName(offset: Offset, kind: SegmentFileKind): string {
  return `${String(offset).padStart(OFFSET_DIGITS, "0")}.${kind}`;
}

/** What a file name says, or undefined where it is not one of a segment's. */
export function parseSegmentFileName(
  name: string,
): { readonly offset: Offset; readonly kind: SegmentFileKind } | undefined {
  const [, digits, kind] = NAME.exec(name) ?? [];
  const offset = Number(digits);
  if (kind === undefined || !Number.isSafeInteger(offset)) return undefined;
  return { offset: toOffset(offset), kind: kind as SegmentFileKind };
}
