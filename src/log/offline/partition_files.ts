/** What lies in a partition's folder, sorted by what the names say. Nothing is read. */
import type { Disk, FileInfo } from "../../env/disk.ts";
import { LEADER_EPOCH_FILE } from "../format.ts";
import { PARTITION_METADATA_FILE } from "../directory/partition_folder.ts";
import { type DataFileKind, fileKindOf } from "./file_kind.ts";

/** Folders of this name hold what a repair took out of a partition. */
export const REPAIR_FOLDER = /^repair-\d{8}T\d{6}Z(-\d+)?$/;
/** In such a folder: what was taken out, why, and which offsets went with it. */
export const REPAIR_MANIFEST = "repair.json";

/** Files of one segment, by kind. */
export interface SegmentFiles {
  readonly baseOffset: number;
  /** Undefined where only its other files are there. */
  readonly log: FileInfo | undefined;
  readonly index: FileInfo | undefined;
  readonly timeindex: FileInfo | undefined;
  readonly txnindex: FileInfo | undefined;
}

export interface PartitionFiles {
  /** By base offset, going up; those without a log among them. */
  readonly segments: readonly SegmentFiles[];
  readonly snapshots: readonly { readonly offset: number; readonly name: string }[];
  /** `.deleted`, `.cleaned`, `.swap` and `.tmp` files. */
  readonly leftovers: readonly FileInfo[];
  readonly repairFolders: readonly string[];
  readonly foreign: readonly FileInfo[];
  readonly hasEpochs: boolean;
  readonly hasTopicId: boolean;
}

type Indexed = Extract<DataFileKind, "log" | "index" | "timeindex" | "txnindex">;
const SEGMENT_KINDS: readonly string[] = ["log", "index", "timeindex", "txnindex"];
/** Of the metadata log, and of Kafka's. */
const QUIET_KINDS: readonly string[] = ["metadata-snapshot", "quorum-state"];

export function listPartition(disk: Disk, path: string): PartitionFiles {
  const found = new Map<number, Partial<Record<Indexed, FileInfo>>>();
  const snapshots: { offset: number; name: string }[] = [];
  const [leftovers, foreign]: [FileInfo[], FileInfo[]] = [[], []];
  const repairFolders: string[] = [];
  const names = new Set<string>();
  for (const file of disk.list(path)) {
    names.add(file.name);
    const kind = fileKindOf(file.name);
    if (file.isDirectory) {
      if (REPAIR_FOLDER.test(file.name)) repairFolders.push(file.name);
      else foreign.push(file);
    } else if (kind === undefined) {
      (file.name.endsWith(".tmp") ? leftovers : foreign).push(file);
    } else if (kind.state !== undefined) leftovers.push(file);
    else if (kind.kind === "snapshot") snapshots.push({ offset: kind.offset, name: file.name });
    else if (SEGMENT_KINDS.includes(kind.kind)) {
      const files = found.get(kind.offset) ?? {};
      files[kind.kind as Indexed] = file;
      found.set(kind.offset, files);
    } else if (!QUIET_KINDS.includes(kind.kind) && !isOwn(file.name)) foreign.push(file);
  }
  const segments = [...found].sort(([one], [other]) => one - other).map(([baseOffset, files]) => ({
    baseOffset,
    log: files.log,
    index: files.index,
    timeindex: files.timeindex,
    txnindex: files.txnindex,
  }));
  return {
    segments,
    snapshots,
    leftovers,
    repairFolders,
    foreign,
    hasEpochs: names.has(LEADER_EPOCH_FILE),
    hasTopicId: names.has(PARTITION_METADATA_FILE),
  };
}

function isOwn(name: string): boolean {
  return name === LEADER_EPOCH_FILE || name === PARTITION_METADATA_FILE;
}
