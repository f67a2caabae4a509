/**
 * Reads one partition of `__consumer_offsets` from its start to its end, record by record, for a shard
 * that is replayed; in slices, between which everybody else has a turn.
 *
 * A record that nobody here can read is left out and told of: a release to come may have written it,
 * and one of them must not take the other groups of the partition down. Damage of the log itself is
 * another matter: it ends the reading with a `LogFault`.
 */
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import type { Trace } from "../../env/trace.ts";
import { type Offset, toOffset } from "../../ground/numbers.ts";
import type { Log } from "../../log/log.ts";
import type { FileSlice } from "../../log/reading/log_slice.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import type { Decompress } from "../../record/compression.ts";
import { RecordCursor } from "../../record/record_cursor.ts";
import { decodeRecord } from "./record_codec.ts";

export interface LoadOptions {
  readonly log: Log;
  readonly decompress: Decompress;
  readonly trace: Trace;
  /** For messages. */
  readonly partition: string;
  replay(offset: Offset, record: GroupRecord): void;
  /** To be awaited between two pieces of work; undefined while there is time left. */
  pause(): Promise<void> | undefined;
  /** Whether what is read is still wanted. */
  isWanted(): boolean;
}

const READ_BYTES = 1024 * 1024;
const INFLATED_BYTES_MAX = 256 * 1024 * 1024;
/** Records between two looks at the clock. */
const STEP_RECORDS = 256;

/** What a load works with, and how many records it has come to. */
interface Load {
  readonly options: LoadOptions;
  readonly cursor: RecordCursor;
  readonly skipped: Skipped;
  count: number;
}

/** Rejects with a `DiskFault` or a `LogFault`; returns how many records there were. */
export async function loadRecords(options: LoadOptions): Promise<number> {
  const { log, decompress } = options;
  const cursor = new RecordCursor({ decompress, inflatedBytesMax: INFLATED_BYTES_MAX });
  const load: Load = { options, cursor, skipped: new Skipped(options), count: 0 };
  let offset = log.logStartOffset;
  // What is appended meanwhile is read too; nobody but the coordinator writes here, and it waits.
  while (offset < log.logEndOffset && options.isWanted()) {
    // deno-lint-ignore no-await-in-loop -- one read after the other: each says where the next begins
    const slice = await log.read(offset, { bytesMax: READ_BYTES, upTo: log.logEndOffset });
    if (slice === undefined) { // its start has moved beyond
      offset = toOffset(Math.max(offset, log.logStartOffset));
      continue;
    }
    if (slice.nextOffset === undefined) break;
    for (const part of slice.parts) {
      // deno-lint-ignore no-await-in-loop -- in the order of the log
      const bytes = part instanceof Uint8Array ? part : await bytesOf(part);
      // deno-lint-ignore no-await-in-loop
      if (!await replayBatches(bytes, load)) return load.count;
    }
    offset = slice.nextOffset;
  }
  load.skipped.tell();
  return load.count;
}

/** False where nobody wants the rest any more. */
async function replayBatches(bytes: Uint8Array, load: Load): Promise<boolean> {
  const { options, cursor, skipped } = load;
  const walk = new BatchWalk(bytes);
  while (walk.next()) {
    if (walk.batch.isControl()) continue;
    cursor.open(walk.batch);
    while (cursor.next()) {
      replayOne(cursor, options, skipped);
      if (++load.count % STEP_RECORDS !== 0) continue;
      const pause = options.pause();
      // deno-lint-ignore no-await-in-loop -- that is what the pause is for
      if (pause !== undefined) await pause;
      if (!options.isWanted()) return false;
    }
    if (cursor.failure !== undefined) skipped.add(walk.batch.baseOffset(), cursor.failure);
  }
  return true;
}

async function bytesOf(slice: FileSlice): Promise<Uint8Array> {
  try {
    return await slice.file.read(slice.position, slice.byteLength);
  } finally {
    slice.release();
  }
}

function replayOne(cursor: RecordCursor, options: LoadOptions, skipped: Skipped): void {
  const record = decodeRecord(cursor.key(), cursor.value());
  if (record === undefined) skipped.add(cursor.offset(), "it cannot be read");
  else if (record.kind === "unknown") skipped.add(cursor.offset(), `its type is ${record.type}`);
  else options.replay(cursor.offset() as Offset, record);
}

/** What was left out; the first is told with its reason. */
class Skipped {
  readonly #options: LoadOptions;
  #count = 0;
  #first: string | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  add(offset: number, reason: string): void {
    this.#count++;
    this.#first ??= `record ${offset}: ${reason}`;
  }

  tell(): void {
    if (this.#count === 0) return;
    const { trace, partition } = this.#options;
    trace.event("warn", "records of groups were left out", {
      partition,
      records: this.#count,
      first: this.#first,
    });
  }
}
