/**
 * Files that a crash left in a partition's directory: `.deleted`, `.cleaned`, `.swap`.
 *
 *     NAME.cleaned   a cleaned segment that is being written            goes
 *     NAME.swap      one that takes the place of those it was made of   is put there
 *     NAME.deleted   out of the log                                     goes
 *
 * Whether a cleaning happened is decided by one fact: no `.cleaned` file is left at or below its base
 * (kafka: LogLoader.removeTempFilesAndCollectSwapFiles, minCleanedFileOffset). Each step is durable
 * before the next one begins, so that a crash in the middle of this leaves what this began with, or
 * less. Not here: which files these are called for (`recovery.ts`, fileCases).
 */
import type { Disk, FileInfo } from "../../env/disk.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { BatchBelief } from "./batch_belief.ts";
import { scan } from "../batch_scanner.ts";
import { damageFault } from "./damage_fault.ts";
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LEADER_EPOCH_FILE,
  parseSegmentFileName,
  RELATIVE_OFFSET_MAX,
  type SegmentFileKind,
  SWAP_SUFFIX,
} from "../format.ts";
import { PARTITION_METADATA_FILE } from "../directory/partition_folder.ts";
import { REPAIR_FOLDER } from "../offline/partition_files.ts";
import { fileCases, type FileDecision, type FileFacts, type Stop } from "../recovery.ts";
import type { SegmentContext } from "../segment/segment.ts";

interface NamedFile {
  readonly info: FileInfo;
  readonly name: FileFacts["name"];
  /** -1 for files that are no segment's. */
  readonly baseOffset: number;
  readonly kind: SegmentFileKind | undefined;
}

interface SortedFile extends NamedFile {
  readonly decision: FileDecision;
}

/** Names without a base offset that a partition's directory may hold. */
/** The last is of the metadata log alone: term and vote (`runtime/quorum/quorum_state.ts`). */
const PARTITION_FILES: readonly string[] = [
  LEADER_EPOCH_FILE,
  PARTITION_METADATA_FILE,
  "quorum-state",
];
/** A snapshot of the metadata log. */
const METADATA_SNAPSHOT = /^\d{20}-\d{10}\.checkpoint$/;
const ASIDE_SUFFIX = ".tmp";

/** Brings the directory into order, durably; returns the files that are parts of the log. */
export async function settleLeftovers(
  context: SegmentContext,
  stop: Stop,
): Promise<readonly FileInfo[]> {
  const { disk, directory } = context;
  let files = disk.list(directory);
  let sorted = sortFiles(files, stop);
  tellOfForeign(context, sorted);
  if (sorted.some(({ decision }) => decision === "remove" || decision === "finish")) {
    await removeLeftovers(disk, directory, sorted);
    await finishSwaps(context, sorted);
    files = disk.list(directory);
    sorted = sortFiles(files, stop);
  }
  return sorted.filter(({ decision }) => decision === "use").map(({ info }) => info);
}

function sortFiles(files: readonly FileInfo[], stop: Stop): SortedFile[] {
  const named = files.map(nameFile);
  let minCleaned = Infinity;
  const swapLogs = new Set<number>();
  for (const { name, kind, baseOffset } of named) {
    if (name === "cleaned") minCleaned = Math.min(minCleaned, baseOffset);
    if (name === "swap" && kind === "log") swapLogs.add(baseOffset);
  }
  return named.map((file) => {
    const decision = fileCases.decide({
      stop,
      name: file.name,
      cleanedAtOrBelow: minCleaned <= file.baseOffset ? "yes" : "no",
      swapLog: swapLogs.has(file.baseOffset) ? "yes" : "no",
    });
    return { ...file, decision };
  });
}

function nameFile(info: FileInfo): NamedFile {
  const { name } = info;
  const foreign = { info, name: "foreign" as const, baseOffset: -1, kind: undefined };
  // `mq log repair` keeps there what it took out: known, and not touched.
  if (info.isDirectory) return REPAIR_FOLDER.test(name) ? { ...foreign, name: "aside" } : foreign;
  if (PARTITION_FILES.includes(name) || METADATA_SNAPSHOT.test(name)) {
    return { ...foreign, name: "partition file" };
  }
  if (name.endsWith(ASIDE_SUFFIX)) return { ...foreign, name: "aside" };
  const suffix = [DELETED_SUFFIX, CLEANED_SUFFIX, SWAP_SUFFIX].find((end) => name.endsWith(end));
  const parsed = parseSegmentFileName(name.slice(0, name.length - (suffix?.length ?? 0)));
  if (parsed === undefined) return foreign;
  const named = suffix === undefined ? "segment file" : NAMES[suffix] as FileFacts["name"];
  return { info, name: named, baseOffset: parsed.offset, kind: parsed.kind };
}

const NAMES: Readonly<Record<string, FileFacts["name"]>> = {
  [DELETED_SUFFIX]: "deleted",
  [CLEANED_SUFFIX]: "cleaned",
  [SWAP_SUFFIX]: "swap",
};

function tellOfForeign(context: SegmentContext, files: readonly SortedFile[]): void {
  const foreign = files.filter(({ decision }) => decision === "leave and tell");
  if (foreign.length === 0) return;
  const names = foreign.slice(0, 10).map(({ info }) => info.name).join(" ");
  const fields = { directory: context.directory, files: names };
  context.trace.event("warn", "unknown files are left alone", fields);
}

/**
 * The `.swap` files of a cleaning that did not happen go before its `.cleaned` ones do: those are
 * what tells that it did not.
 */
async function removeLeftovers(
  disk: Disk,
  directory: string,
  files: readonly SortedFile[],
): Promise<void> {
  const gone = files.filter(({ decision }) => decision === "remove");
  const rounds = [
    gone.filter(({ name }) => name !== "cleaned"),
    gone.filter(({ name }) => name === "cleaned"),
  ];
  for (const round of rounds) {
    if (round.length === 0) continue;
    for (const { info } of round) disk.remove(`${directory}/${info.name}`);
    await disk.syncDirectory(directory);
  }
}

/**
 * First what was replaced goes, then the indexes get their names, and the log last of all: while it
 * is called .swap all of this is done again. Source: kafka: LogLoader.load, second and third pass.
 */
async function finishSwaps(context: SegmentContext, files: readonly SortedFile[]): Promise<void> {
  const { disk, directory } = context;
  const swaps = files.filter(({ decision }) => decision === "finish");
  if (swaps.length === 0) return;
  const logs = swaps.filter(({ kind }) => kind === "log");
  const ranges: CleanedRange[] = [];
  const bases = files.flatMap(({ name, kind, baseOffset }) =>
    kind === "log" && name === "segment file" ? [baseOffset] : []
  );
  for (const log of logs) {
    const path = `${directory}/${log.info.name}`;
    context.trace.event("info", "an interrupted cleaning is finished", { path });
    const upTo = await nextOffsetOf(disk, path, { file: log, bases });
    ranges.push({ from: log.baseOffset, upTo });
  }
  const replaced = replacedBy(ranges, files);
  // Indexes before their logs: an index alone would look as if its log were lost.
  for (const isLog of [false, true]) {
    for (const { info, kind } of replaced) {
      if ((kind === "log") === isLog) disk.remove(`${directory}/${info.name}`);
    }
  }
  await disk.syncDirectory(directory);
  for (const isLog of [false, true]) {
    for (const { info, kind } of swaps) {
      const path = `${directory}/${info.name}`;
      if ((kind === "log") === isLog) disk.rename(path, path.slice(0, -SWAP_SUFFIX.length));
    }
    await disk.syncDirectory(directory);
  }
}

/** Offsets that a cleaned segment stands for. */
interface CleanedRange {
  readonly from: number;
  readonly upTo: number;
}

/**
 * Files of the segments that a cleaning replaced. An index with the base of a cleaned log may be the
 * new one already: the old one went before the old log did.
 */
function replacedBy(ranges: readonly CleanedRange[], files: readonly SortedFile[]): SortedFile[] {
  const parts = files.filter(({ name, kind }) => name === "segment file" && kind !== "snapshot");
  const hasLog = (base: number): boolean =>
    parts.some(({ kind, baseOffset }) => kind === "log" && baseOffset === base);
  return parts.filter(({ baseOffset }) =>
    ranges.some(({ from, upTo }) => {
      return baseOffset === from ? hasLog(from) : baseOffset > from && baseOffset < upTo;
    })
  );
}

/**
 * Where a cleaned segment ends: segments below go, so nothing of it is taken on trust. All of it was
 * durable before it got its name. The active segment is never cleaned: one lies behind it, and one
 * begins where it ends if its last batch leaves doubt (`bases`: where segments begin).
 */
async function nextOffsetOf(
  disk: Disk,
  path: string,
  { file: { info, baseOffset }, bases }: {
    readonly file: NamedFile;
    readonly bases: readonly number[];
  },
): Promise<number> {
  const belief = new BatchBelief(baseOffset, {
    onSound: () => undefined,
    fits: (lastOffset) => lastOffset - baseOffset <= RELATIVE_OFFSET_MAX,
    believesLast: ({ baseOffset: first, nextOffset }, floor) =>
      first === floor || bases.includes(nextOffset),
  });
  const visit = (batch: BatchView, position: number): boolean =>
    belief.offer(batch, position, { isChecked: false });
  const file = disk.open(path, "read");
  try {
    const { ending, position } = await scan(
      file,
      { position: 0, end: info.bytes, mode: "header" },
      visit,
    );
    const isWhole = belief.finish();
    const isInLog = bases.some((base) => base >= belief.floor);
    if (ending === "clean" && isWhole && isInLog) return belief.floor;
    throw damageFault(path, `what a cleaning made is damaged at byte ${position} of ${info.bytes}`);
  } finally {
    file.close();
  }
}
