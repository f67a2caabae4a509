/**
 * When the first record behind a committed offset was written: what lag in seconds is counted from.
 *
 * It is read from the log once for each committed offset and remembered while that stays. Of a
 * compressed batch its first record's time is told for all of them: nothing is inflated for a number
 * that is looked at once in a while. Bounded: what does not fit into one look is told by a later one.
 */
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { DiskFault } from "../../env/disk.ts";
import type { Clock } from "../../env/clock.ts";
import { LogFault } from "../../log/log_fault.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import { RecordCursor } from "../../record/record_cursor.ts";
import { atMost } from "../at_most.ts";
import type { Partition } from "../partition.ts";

/** A committed offset with unread records behind it. */
export interface Unread {
  /** Of group, topic and partition. */
  readonly key: string;
  readonly offset: number;
  readonly partition: Partition;
}

interface Known {
  readonly offset: number;
  readonly timestamp: number;
}

const READS_MAX = 2000;
const READS_AT_ONCE = 8;
const LOOK_MS_MAX = 1000;

export class UnreadTimes {
  readonly #clock: Clock;
  #known = new Map<string, Known>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since 1970; undefined where that is not known yet, or cannot be. */
  get({ key, offset }: Unread): number | undefined {
    const known = this.#known.get(key);
    return known?.offset === offset ? known.timestamp : undefined;
  }

  /** Of all that are asked for, and forgets the others. */
  async look(all: readonly Unread[]): Promise<void> {
    const before = this.#known;
    this.#known = new Map();
    const endMs = this.#clock.monotonicMs() + LOOK_MS_MAX;
    const wanted: Unread[] = [];
    for (const one of all) {
      const known = before.get(one.key);
      if (known?.offset === one.offset) this.#known.set(one.key, known);
      else if (wanted.length < READS_MAX) wanted.push(one);
    }
    await atMost(READS_AT_ONCE, wanted, async (one) => {
      if (this.#clock.monotonicMs() > endMs) return;
      const timestamp = await firstUnread(one);
      if (timestamp === undefined) return;
      this.#known.set(one.key, { offset: one.offset, timestamp });
    });
  }
}

async function firstUnread({ offset, partition }: Unread): Promise<number | undefined> {
  const { log, highWatermark } = partition;
  const from = toOffset(Math.max(offset, log.logStartOffset));
  try {
    const slice = await log.read(from, { bytesMax: 1, upTo: highWatermark });
    const [part] = slice?.parts ?? [];
    if (part === undefined) return undefined;
    if (part instanceof Uint8Array) return timeOf(part, from);
    try {
      return timeOf(await part.file.read(part.position, part.byteLength), from);
    } finally {
      part.release();
    }
  } catch (error) {
    // Whoever reads the records hears of it; the number is not there.
    if (error instanceof DiskFault || error instanceof LogFault) return undefined;
    throw error;
  }
}

function timeOf(bytes: Uint8Array, offset: Offset): number | undefined {
  const walk = new BatchWalk(bytes);
  if (!walk.next()) return undefined;
  const { batch } = walk;
  if (batch.timestampType() === "append") return batch.maxTimestamp();
  if (batch.compressionType() !== "none") return batch.baseTimestamp();
  const cursor = new RecordCursor({ decompress: (_, section) => section, inflatedBytesMax: 0 });
  cursor.open(batch);
  while (cursor.next()) if (cursor.offset() >= offset) return cursor.timestamp();
  return batch.baseTimestamp();
}
