/**
 * What a file of a data directory holds, one item after the other, in the order of its bytes.
 *
 * Log files are streamed: a chunk is in memory, whatever the size. Index files are small and read whole.
 * Not here: how an item is written (text, JSON), and what records mean (`onRecords` gets a cursor).
 */
import type { Disk, DiskFile } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { BatchView } from "../../record/batch_view.ts";
import type { Decompress } from "../../record/compression.ts";
import { controlKeyOf, coordinatorEpochOf } from "../../record/control_record.ts";
import { RecordCursor } from "../../record/record_cursor.ts";
import { OFFSET_ENTRY_BYTES } from "../format.ts";
import { type DumpedEntry, entriesOf } from "./dump_entries.ts";
import { type DataFileKind, fileKindOf, type LeftoverState } from "./file_kind.ts";
import { entrySpan, offsetEntryAt } from "./index_files.ts";
import { type DamagedPlace, walkLog } from "./log_walk.ts";

export interface DumpedFile {
  readonly path: string;
  readonly kind: DataFileKind;
  readonly state: LeftoverState | undefined;
  readonly baseOffset: number;
  readonly bytes: number;
}

export interface DumpedControl {
  readonly offset: number;
  readonly timestamp: number;
  readonly controlType: string;
  readonly coordinatorEpoch: number | undefined;
}

export interface DumpVisitor {
  /** The view is of use during the call only. */
  onBatch(batch: BatchView, position: number): void;
  /** Where records are wanted: a cursor before the first record of the batch. */
  onRecords(records: RecordCursor): void;
  onControl(control: DumpedControl): void;
  onDamage(place: DamagedPlace): void;
  onEntry(entry: DumpedEntry): void;
  /** Waits for whoever reads the output. */
  onPause(): Promise<void> | void;
  /** True = no more is wanted. */
  isEnough(): boolean;
}

export interface DumpTask {
  readonly disk: Disk;
  readonly crc32c: Crc32c;
  readonly decompress: Decompress;
  readonly path: string;
  readonly wantsRecords: boolean;
  /** Batches that end below, and index entries below, are left out. */
  readonly fromOffset: number;
}

const INFLATED_BYTES_MAX = 1024 * 1024 * 1024;

/** What the file is; undefined where its name says nothing, or nothing is there. */
export function openDump(disk: Disk, path: string): DumpedFile | undefined {
  const info = disk.info(path);
  const found = fileKindOf(path.slice(path.lastIndexOf("/") + 1));
  if (info === undefined || info.isDirectory || found === undefined) return undefined;
  const { kind, offset, state } = found;
  return { path, kind, state, baseOffset: offset, bytes: info.bytes };
}

/** Throws a `DiskFault`. */
export async function dumpFile(
  task: DumpTask,
  file: DumpedFile,
  visitor: DumpVisitor,
): Promise<void> {
  if (file.kind === "log" || file.kind === "metadata-snapshot") {
    const opened = task.disk.open(task.path, "read");
    try {
      await dumpLog(task, { file, opened }, visitor);
    } finally {
      opened.close();
    }
    return;
  }
  const bytes = task.disk.readWhole(task.path) ?? new Uint8Array(0);
  const onFlaw = (position: number, reason: string): void =>
    visitor.onDamage({ position, sizeInBytes: 0, reason, isTorn: false });
  for (const entry of entriesOf({ ...task, ...file, bytes }, onFlaw)) {
    if (visitor.isEnough()) return;
    visitor.onEntry(entry);
    // deno-lint-ignore no-await-in-loop -- mostly nothing to wait for
    await visitor.onPause();
  }
}

async function dumpLog(
  task: DumpTask,
  { file, opened }: { readonly file: DumpedFile; readonly opened: DiskFile },
  visitor: DumpVisitor,
): Promise<void> {
  const { crc32c, decompress, wantsRecords, fromOffset } = task;
  const cursor = new RecordCursor({ decompress, inflatedBytesMax: INFLATED_BYTES_MAX });
  const position = startPosition(task, file);
  await walkLog(opened, { crc32c, end: file.bytes, position }, {
    onBatch(batch, at): boolean {
      if (batch.lastOffset() < fromOffset) return true;
      visitor.onBatch(batch, at);
      if (wantsRecords) {
        cursor.open(batch);
        if (batch.isControl()) tellControls(cursor, visitor);
        else visitor.onRecords(cursor);
        if (cursor.failure !== undefined) {
          const reason = cursor.failure;
          visitor.onDamage({
            position: at,
            sizeInBytes: batch.sizeInBytes(),
            reason,
            isTorn: false,
          });
        }
      }
      return !visitor.isEnough();
    },
    onDamage: (place) => visitor.onDamage(place),
    onPause: () => visitor.onPause(),
  });
}

function tellControls(cursor: RecordCursor, visitor: DumpVisitor): void {
  while (cursor.next()) {
    const controlType = controlKeyOf(cursor.key())?.controlType ?? "unknown";
    const isMarker = controlType === "abort" || controlType === "commit";
    visitor.onControl({
      offset: cursor.offset(),
      timestamp: cursor.timestamp(),
      controlType,
      coordinatorEpoch: isMarker ? coordinatorEpochOf(cursor.value()) : undefined,
    });
  }
}

/** Near `fromOffset`, by the offset index that lies beside, where that can be believed. */
function startPosition({ disk, fromOffset, path }: DumpTask, file: DumpedFile): number {
  const isPlain = file.kind === "log" && file.state === undefined;
  if (fromOffset <= file.baseOffset || !isPlain) return 0;
  const bytes = disk.readWhole(path.replace(/\.log$/, ".index"));
  if (bytes === undefined) return 0;
  let position = 0;
  const { count } = entrySpan(bytes, OFFSET_ENTRY_BYTES);
  for (let index = 0; index < count; index++) {
    const entry = offsetEntryAt(bytes, file.baseOffset, index);
    if (entry.offset > fromOffset) break;
    if (entry.position <= position || entry.position >= file.bytes) continue;
    position = entry.position;
  }
  return position;
}
