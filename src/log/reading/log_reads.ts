/**
 * What is asked of a log that does not change it: batches by offset, offsets by time, single segments.
 *
 * Not here: how a read finds its batches (`log_reader.ts`) and a search its time (`time_search.ts`).
 */
import type { DiskFile } from "../../env/disk.ts";
import type { Offset } from "../../ground/numbers.ts";
import { findAborted } from "./aborted_search.ts";
import { type ReadableLog, type ReadLimits, readLog } from "./log_reader.ts";
import { EMPTY_SLICE, type LogSlice } from "./log_slice.ts";
import type { LogTools } from "../log_options.ts";
import type { LogRoller } from "../log_roller.ts";
import { searchAgain } from "../segment/segments.ts";
import { checkedMaxTimestamp, findLatestTime, findTime, type TimedOffset } from "./time_search.ts";
import type { AbortedTransaction } from "../index/transaction_index.ts";

export interface LogReadsParts extends ReadableLog {
  readonly decompress: LogTools["decompress"];
  readonly roller: LogRoller;
}

/** Records that are there: at or behind `from` and below `upTo`. */
export interface OffsetRange {
  readonly from: Offset;
  readonly upTo: Offset;
}

export class LogReads {
  /** Whether the log's end is where its name says; a clean start does not look. */
  isEndChecked: boolean;
  readonly #log: LogReadsParts;

  constructor(log: LogReadsParts, isEndChecked: boolean) {
    this.#log = log;
    this.isEndChecked = isEndChecked;
  }

  /** `offset` is one of the log's, or its end. */
  read(offset: Offset, limits: ReadLimits): LogSlice | Promise<LogSlice> {
    if (offset >= limits.upTo) return EMPTY_SLICE;
    if (!this.isEndChecked && offset >= this.#log.segments.active().baseOffset) {
      const fault = this.#log.roller.endFault(limits.logEndOffset);
      if (fault !== undefined) return Promise.reject(fault);
      this.isEndChecked = true;
    }
    return readLog(this.#log, offset, limits);
  }

  maxTimestampOf(baseOffset: Offset): Promise<number> {
    const { segments } = this.#log;
    return searchAgain(segments, async () => {
      const index = segments.indexOf(baseOffset);
      return index < 0 ? -1 : await checkedMaxTimestamp(this.#log, segments.at(index));
    });
  }

  async withSegment<Result>(
    baseOffset: Offset,
    action: (file: DiskFile, sizeInBytes: number) => Promise<Result>,
  ): Promise<Result | undefined> {
    const { segments } = this.#log;
    const index = segments.indexOf(baseOffset);
    if (index < 0) return undefined;
    const segment = segments.at(index);
    const { sizeInBytes } = segment;
    return await segment.withFile((file) => action(file, sizeInBytes));
  }

  offsetForTimestamp(timestamp: number, range: OffsetRange): Promise<TimedOffset | undefined> {
    return findTime(this.#log, this.#log.decompress, { ...range, timestamp });
  }

  maxTimestampOffset(range: OffsetRange): Promise<TimedOffset | undefined> {
    return findLatestTime(this.#log, this.#log.decompress, range);
  }

  abortedTransactions({ from, upTo }: OffsetRange): Promise<readonly AbortedTransaction[]> {
    return Promise.resolve().then(() => findAborted(this.#log.segments, from, upTo));
  }
}
