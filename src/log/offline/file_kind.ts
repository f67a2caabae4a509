/**
 * What a file of a data directory is, by nothing but its name; Kafka's names and mq's are the same.
 *
 * `.deleted`, `.cleaned` and `.swap` behind a segment's name say in which state it was left, and
 * `.log.<position>-damaged` is what a repair took out of a segment and kept.
 * Not here: whether the bytes are what the name says.
 */
import { parseSegmentFileName, type SegmentFileKind } from "../format.ts";

/** "metadata-snapshot": `<offset>-<epoch>.checkpoint` of the metadata log, which holds batches too. */
export type DataFileKind =
  | SegmentFileKind
  | "metadata-snapshot"
  | "leader-epochs"
  | "checkpoint"
  | "partition-metadata"
  | "identity"
  | "directory-list"
  | "clean-mark"
  | "quorum-state"
  | "lock";

export type LeftoverState = "deleted" | "cleaned" | "swap" | "damaged";

export interface DataFileName {
  readonly kind: DataFileKind;
  /** In the names of segments and snapshots; else 0. */
  readonly offset: number;
  /** Undefined where the file is in use under this name. */
  readonly state?: LeftoverState;
}

const WHOLE_NAMES: ReadonlyMap<string, DataFileKind> = new Map([
  ["leader-epoch-checkpoint", "leader-epochs"],
  ["recovery-point-offset-checkpoint", "checkpoint"],
  ["log-start-offset-checkpoint", "checkpoint"],
  ["replication-offset-checkpoint", "checkpoint"],
  ["cleaner-offset-checkpoint", "checkpoint"],
  ["partition.metadata", "partition-metadata"],
  ["meta.properties", "identity"],
  ["log-directories", "directory-list"],
  [".cleanshutdown", "clean-mark"],
  [".kafka_cleanshutdown", "clean-mark"],
  ["quorum-state", "quorum-state"],
  ["bootstrap.checkpoint", "metadata-snapshot"],
  [".lock", "lock"],
]);

const LEFTOVER = /^(.+)\.(?:(deleted|cleaned|swap)|\d+-(damaged))$/;
const METADATA_SNAPSHOT = /^(\d{20})-\d{10}\.checkpoint$/;

/** Undefined where the name says nothing. */
export function fileKindOf(name: string): DataFileName | undefined {
  const [, inner, state, damaged] = LEFTOVER.exec(name) ?? [];
  if (inner !== undefined) {
    const found = fileKindOf(inner);
    if (found === undefined || found.state !== undefined) return undefined;
    return { ...found, state: (state ?? damaged) as LeftoverState };
  }
  const whole = WHOLE_NAMES.get(name);
  if (whole !== undefined) return { kind: whole, offset: 0 };
  const snapshot = METADATA_SNAPSHOT.exec(name)?.[1];
  if (snapshot !== undefined) return { kind: "metadata-snapshot", offset: Number(snapshot) };
  return parseSegmentFileName(name);
}
