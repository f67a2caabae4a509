/**
 * A walk over the batches of a file that trusts nothing it reads: lengths, magic, CRC, order, epoch.
 *
 * Base offset, length, leader epoch and magic lie outside the CRC. What can be known of them:
 *
 *     batches of a log lie one behind the other,      P: 10…19   A: 20…24   B: 25…25
 *     without a gap unless compaction made one
 *
 * An A that was moved up reaches into B, an A that was moved down reaches into P: so each batch is
 * believed when the header behind it was seen, and where two overlap, the one that begins exactly
 * where its predecessor ended is the sound one. Beside a gap that compaction left, a base offset that
 * moved within the gap is not found, unless the index has an entry for that batch.
 * A wrong length leads to where no batch is. A leader epoch must be the one that the log has for these
 * offsets; and since epochs never go back, one that stands out between two equal ones is wrong.
 *
 * Large batches are checked in pieces: never more than one chunk is in memory. Not here: what to do
 * about damage (`checked_reads.ts`, `runtime/scrubber.ts`).
 */
import type { DiskFile } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import { BatchView } from "../../record/batch_view.ts";
import { ATTRIBUTES_AT, BATCH_HEADER_BYTES, BATCH_LENGTH_MIN, MAGIC } from "../../record/format.ts";
import type { LeaderEpochs } from "../leader_epochs.ts";

/** About a tenth of a millisecond of native CRC. */
export const CHECK_CHUNK_BYTES = 256 * 1024;

export interface CheckRange {
  /** Where a batch begins. */
  readonly position: number;
  /** Behind the last batch that there is, so that nothing is looked at there. */
  readonly end: number;
  /** The first batch has no offset below; of one that the index knows, its last offset. */
  readonly floor: number;
  /** Whether it may begin above without there being a gap: what lies before it is damaged. */
  readonly isFloorLoose?: boolean;
  /** The last offset of the first batch, where an index entry says so. */
  readonly lastOffset?: number | undefined;
  /** No batch reaches this offset. */
  readonly ceiling: number;
  readonly chunkBytes?: number;
}

export interface CheckedBatch {
  readonly position: number;
  readonly sizeInBytes: number;
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly maxTimestamp: number;
  /** Begins where its predecessor ended, or has the last offset that the index has for it. */
  readonly isExact: boolean;
  readonly leaderEpoch: number;
}

/** Where a check ended. */
export type CheckResult =
  | { readonly kind: "end" }
  /** Before the batch that `wants` refused; its header was not checked beyond its order. */
  | { readonly kind: "stopped"; readonly position: number; readonly header: CheckedBatch }
  /** The index led to where its batch is not; nothing was checked. */
  | { readonly kind: "astray" }
  | {
    readonly kind: "damaged";
    readonly position: number;
    /** The damaged batch holds no offset below. */
    readonly floor: number;
    readonly reason: string;
    /** Where the next batch is, if the length can be believed. */
    readonly skipTo: number | undefined;
    /** All that is wrong is the leader epoch, and that only if the log's epochs are right. */
    readonly isEpoch: boolean;
  };

export type Damage = Extract<CheckResult, { readonly kind: "damaged" }>;

export interface CheckTools {
  readonly crc32c: Crc32c;
  /** Where undefined, leader epochs are not looked at. */
  readonly epochs: LeaderEpochs | undefined;
  /** Whether to go on with the batch of this header; what stands in it is not checked yet. */
  readonly wants?: (header: CheckedBatch) => boolean;
  readonly onSound: (batch: CheckedBatch) => void;
  /** Before so many bytes are read. */
  readonly pace?: (bytes: number) => Promise<void> | undefined;
}

export function checkBatches(
  file: DiskFile,
  range: CheckRange,
  tools: CheckTools,
): Promise<CheckResult> {
  return new BatchCheck(file, range, tools).run();
}

interface Pending {
  readonly batch: CheckedBatch;
  readonly floor: number;
}

/** What says nothing of the batch before it. */
const NO_BATCH = { baseOffset: Infinity, leaderEpoch: -1 };

class BatchCheck {
  readonly #file: DiskFile;
  readonly #range: CheckRange;
  readonly #tools: CheckTools;
  /** The chunk in memory, and where in the file it begins. */
  #view = new BatchView(new Uint8Array(0));
  #chunkAt = 0;
  #position: number;
  #floor: number;
  /** Whether `#floor` is where the next batch begins, if there is no gap. */
  #isFloorExact: boolean;
  /** Checked, and to be believed when the next header was seen. */
  #pending: Pending | undefined;

  #epochBefore: number | undefined;

  constructor(file: DiskFile, range: CheckRange, tools: CheckTools) {
    this.#file = file;
    this.#range = range;
    this.#tools = tools;
    this.#position = range.position;
    this.#floor = range.floor;
    this.#isFloorExact = range.isFloorLoose !== true;
  }

  async run(): Promise<CheckResult> {
    const { end } = this.#range;
    while (this.#position < end) {
      if (this.#inMemory(this.#position) < Math.min(BATCH_HEADER_BYTES, end - this.#position)) {
        // deno-lint-ignore no-await-in-loop -- one chunk after the other
        await this.#readAt(this.#position);
      }
      const opened = this.#open();
      if ("kind" in opened) return opened;
      const { header, floor } = opened;
      const computed = this.#crcInMemory(header) ??
        // deno-lint-ignore no-await-in-loop
        await this.#crcInPieces(header);
      if (computed !== opened.crc) return this.#damaged(header, floor, "its CRC is wrong");
      const known = this.#tools.epochs?.epochFor(header.nextOffset - 1);
      if (isWrongEpoch(header.leaderEpoch, known)) {
        const reason = `its leader epoch is ${header.leaderEpoch}, expected ${known}`;
        return { ...this.#damaged(header, floor, reason), isEpoch: true };
      }
      this.#pending = { batch: header, floor };
      this.#position = header.position + header.sizeInBytes;
      this.#floor = header.nextOffset;
      this.#isFloorExact = true;
    }
    return this.#believe({ ...NO_BATCH, baseOffset: this.#range.ceiling }) ?? { kind: "end" };
  }

  /** Looks at the header at the walk's position, and believes the batch before it, or not. */
  #open(): CheckResult | (Pending & { readonly header: CheckedBatch; readonly crc: number }) {
    const position = this.#position;
    const isFirst = position === this.#range.position;
    const isWhole = this.#inMemory(position) >= BATCH_HEADER_BYTES;
    if (isWhole) this.#view.moveTo(position - this.#chunkAt);
    const flaw = isWhole ? this.#flawOfHeader() : "less than a header is left";
    if (flaw !== undefined) {
      if (isFirst && this.#range.lastOffset !== undefined) return { kind: "astray" };
      return this.#believe(NO_BATCH) ?? this.#nowhere(flaw);
    }
    const named = isFirst ? this.#range.lastOffset : undefined;
    if (named !== undefined && this.#view.lastOffset() !== named) return { kind: "astray" };
    const header = this.#header(named !== undefined);
    const doubt = this.#believe(header);
    if (doubt !== undefined) return doubt;
    const floor = this.#floor;
    if (header.baseOffset < floor && named === undefined) {
      const reason = `it begins at offset ${header.baseOffset}, expected at least ${floor}`;
      return this.#damaged(header, floor, reason);
    }
    if (this.#tools.wants?.(header) === false) return { kind: "stopped", position, header };
    return { batch: header, header, floor, crc: this.#view.crc() };
  }

  #header(isNamed: boolean): CheckedBatch {
    const batch = this.#view;
    const baseOffset = batch.baseOffset();
    return {
      position: this.#position,
      sizeInBytes: batch.sizeInBytes(),
      baseOffset,
      nextOffset: batch.nextOffset(),
      maxTimestamp: batch.maxTimestamp(),
      leaderEpoch: batch.partitionLeaderEpoch(),
      isExact: isNamed || this.#isFloorExact && baseOffset === this.#floor,
    };
  }

  /** Hands the batch before out, or says that it is the damaged one; content where there is none. */
  #believe(next: Pick<CheckedBatch, "baseOffset" | "leaderEpoch">): Damage | undefined {
    const pending = this.#pending;
    if (pending === undefined) return undefined;
    this.#pending = undefined;
    const { batch, floor } = pending;
    if (next.baseOffset < batch.nextOffset && !batch.isExact) {
      const reason = `it ends at offset ${batch.nextOffset - 1}, behind the next batch's first`;
      return this.#damaged(batch, floor, reason);
    }
    const isPeak = next.leaderEpoch < batch.leaderEpoch &&
      next.leaderEpoch === (this.#epochBefore ?? next.leaderEpoch);
    if (isPeak && next.leaderEpoch !== -1) {
      const reason = `its leader epoch is ${batch.leaderEpoch}, the next one's ${next.leaderEpoch}`;
      return this.#damaged(batch, floor, reason);
    }
    this.#epochBefore = batch.leaderEpoch;
    this.#tools.onSound(batch);
    return undefined;
  }

  #flawOfHeader(): string | undefined {
    const batch = this.#view;
    if (batch.batchLength() < BATCH_LENGTH_MIN) return `its length is ${batch.batchLength()}`;
    const room = this.#range.end - this.#position;
    if (batch.sizeInBytes() > room) return `its length is ${batch.batchLength()}, beyond the file`;
    if (batch.magic() !== MAGIC) return `its magic is ${batch.magic()}`;
    return batch.lastOffsetDelta() < 0 ? "its last offset is below its first" : undefined;
  }

  #damaged(
    { position, sizeInBytes }: { readonly position: number; readonly sizeInBytes: number },
    floor: number,
    reason: string,
  ): Damage {
    const skipTo = position + sizeInBytes;
    return { kind: "damaged", position, floor, reason, skipTo, isEpoch: false };
  }

  /** Damage with a length that leads nowhere, or to where a magic alone was hurt. */
  #nowhere(reason: string): Damage {
    const position = this.#position;
    const isLengthGood = reason.startsWith("its magic");
    const skipTo = isLengthGood ? position + this.#view.sizeInBytes() : undefined;
    return { kind: "damaged", position, floor: this.#floor, reason, skipTo, isEpoch: false };
  }

  #inMemory(position: number): number {
    const ahead = this.#chunkAt + this.#view.bytes.length - position;
    return position < this.#chunkAt ? 0 : Math.max(0, ahead);
  }

  async #readAt(position: number): Promise<void> {
    const { chunkBytes = CHECK_CHUNK_BYTES, end } = this.#range;
    const bytes = Math.min(chunkBytes, end - position);
    await this.#tools.pace?.(bytes);
    const chunk = await this.#file.read(position, bytes);
    this.#view = new BatchView(chunk);
    this.#chunkAt = position;
  }

  /** Undefined where the batch is not in memory as a whole. */
  #crcInMemory({ position, sizeInBytes }: CheckedBatch): number | undefined {
    if (this.#inMemory(position) < sizeInBytes) return undefined;
    const at = position - this.#chunkAt;
    return this.#tools.crc32c(this.#view.bytes.subarray(at + ATTRIBUTES_AT, at + sizeInBytes));
  }

  async #crcInPieces({ position, sizeInBytes }: CheckedBatch): Promise<number> {
    const { crc32c } = this.#tools;
    const end = position + sizeInBytes;
    let done = position + ATTRIBUTES_AT;
    let crc = 0;
    while (done < end) {
      // deno-lint-ignore no-await-in-loop -- one chunk after the other
      if (this.#inMemory(done) === 0) await this.#readAt(done);
      const from = done - this.#chunkAt;
      const piece = this.#view.bytes.subarray(from, Math.min(end - this.#chunkAt, from + 2 ** 30));
      if (piece.length === 0) return -1; // the file ends before it should
      crc = crc32c(piece, crc);
      done += piece.length;
    }
    return crc;
  }
}

/** -1 is no epoch, of a batch that is older than they are. */
export function isWrongEpoch(leaderEpoch: number, known: number | undefined): boolean {
  return leaderEpoch < -1 || known !== undefined && leaderEpoch !== -1 && leaderEpoch !== known;
}
