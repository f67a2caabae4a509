/**
 * A log that is compacted, and what a simple model expects of it: every record that was ever appended,
 * what became of its transaction, and when each tombstone was first seen by a compaction.
 *
 *     const log = await CompactedLog.open();
 *     log.append([["a", "1"], ["b", null]]); log.roll(); await log.compact(); await log.check();
 *
 * Values are told by text; null is a tombstone. The clock stands until it is moved. Longer than most,
 * because all that the model complains about follows from the one history that it keeps.
 */
import { DiskFault } from "../../../src/env/disk.ts";
import { toMs, toOffset } from "../../../src/ground/numbers.ts";
import {
  type CompactionResult,
  type CompactionTools,
  compactLog,
} from "../../../src/log/compaction/compaction.ts";
import { CompactionWork } from "../../../src/log/compaction/compaction_work.ts";
import { measureLog } from "../../../src/log/compaction/dirty_log.ts";
import type { LogSettings } from "../../../src/log/segment/segment_policy.ts";
import { BatchView } from "../../../src/record/batch_view.ts";
import type { CompressionType } from "../../../src/record/compression.ts";
import { ATTRIBUTES_AT } from "../../../src/record/format.ts";
import { batchOf, bytesOfText, cursorOver, tools, withField } from "../../record/batches.ts";
import { DIRECTORY, LogFixture } from "../log_fixture.ts";
import { MemoryDisk } from "../memory_disk.ts";

export const DELETE_RETENTION_MS = 1000;

export type KeyAndValue = readonly [key: string | null, value: string | null];

export interface AppendOptions {
  readonly codec?: CompressionType;
  readonly producerId?: number;
  readonly isTransactional?: boolean;
  /** Offsets that are left out before the batch, as Kafka's cleaner leaves them out. */
  readonly gap?: number;
}

/** A record as it was appended. */
interface Written {
  readonly offset: number;
  readonly line: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly producerId: number;
  readonly isTransactional: boolean;
  /** The last offset of its batch. */
  readonly lastOfBatch: number;
  state: "committed" | "aborted" | "open";
  /** When a compaction may first have set its delete horizon, and when one certainly had. */
  seenMs: number;
  certainMs: number;
}

/** The end of a transaction. */
interface Ended {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly offset: number;
  seenMs: number;
}

interface Sent {
  readonly baseOffset: number;
  readonly bytes: Uint8Array;
}

/** A disk that fails for good at a chosen call, as if the machine had stopped there. */
export class StoppingDisk extends MemoryDisk {
  callCount = 0;
  stopAt = Infinity;

  static over(disk: MemoryDisk): StoppingDisk {
    const stopping = new StoppingDisk();
    for (const [path, node] of disk.files) stopping.files.set(path, node);
    for (const [path, node] of disk.durableFiles) stopping.durableFiles.set(path, node);
    for (const path of disk.directories) stopping.directories.add(path);
    for (const path of disk.durableDirectories) stopping.durableDirectories.add(path);
    return stopping;
  }

  override note(call: Parameters<MemoryDisk["note"]>[0], path: string): void {
    this.callCount++;
    if (this.callCount >= this.stopAt) {
      throw new DiskFault("io", path, `Cannot ${call} ${path}: the machine has stopped`);
    }
    super.note(call, path);
  }
}

export class CompactedLog {
  fixture: LogFixture;
  nowMs = 1_700_000_000_000;
  cleanedUpTo = 0;
  /** What happens, once, when a compaction next reads or writes. */
  meanwhile: (() => void) | undefined;
  readonly written: Written[] = [];
  readonly #settings: Partial<LogSettings>;
  readonly #ended: Ended[] = [];
  readonly #lastSent = new Map<number, Sent>();
  readonly #sequences = new Map<number, number>();
  #disk: StoppingDisk;

  private constructor(fixture: LogFixture, disk: StoppingDisk, settings: Partial<LogSettings>) {
    this.fixture = fixture;
    this.#disk = disk;
    this.#settings = settings;
  }

  static async open(settings: Partial<LogSettings> = {}): Promise<CompactedLog> {
    const disk = new StoppingDisk();
    return new CompactedLog(await openFixture(disk, settings), disk, settings);
  }

  get disk(): StoppingDisk {
    return this.#disk;
  }

  append(records: readonly KeyAndValue[], options: AppendOptions = {}): void {
    const { producerId = -1, isTransactional = false, codec = "none", gap = 0 } = options;
    const baseOffset = toOffset(this.fixture.log.logEndOffset + gap);
    const baseSequence = producerId < 0 ? -1 : this.#sequences.get(producerId) ?? 0;
    const inputs = records.map(([key, value], index) => ({
      key: key === null ? null : bytesOfText(key),
      value: value === null ? null : bytesOfText(value),
      timestamp: this.nowMs + index * 7 - 3,
      headers: index % 3 === 1 ? [["h", bytesOfText("v")]] as const : undefined,
    }));
    const bytes = batchOf(inputs, {
      baseOffset,
      partitionLeaderEpoch: 3,
      isTransactional,
      ...(producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence }),
    }, codec);
    this.#appendBytes(bytes);
    if (producerId >= 0) {
      this.#sequences.set(producerId, baseSequence + records.length);
      this.#lastSent.set(producerId, { baseOffset, bytes });
    }
    const lastOfBatch = baseOffset + records.length - 1;
    const state = isTransactional ? "open" : "committed";
    const lines = linesOf(bytes);
    for (const [index, [key, value]] of records.entries()) {
      const [offset, line] = [baseOffset + index, lines[index]?.line ?? ""];
      const what = { offset, line, key, value, producerId, isTransactional, lastOfBatch };
      this.written.push({ ...what, state, seenMs: Infinity, certainMs: Infinity });
    }
  }

  /** Ends the producer's transaction with a marker. */
  end(producerId: number, isCommit: boolean): void {
    const offset = this.fixture.log.logEndOffset;
    const mine = this.written.filter((each) =>
      each.state === "open" && each.producerId === producerId
    );
    const firstOffset = mine[0]?.offset ?? offset;
    this.#ended.push({ producerId, firstOffset, offset, seenMs: Infinity });
    for (const record of mine) record.state = isCommit ? "committed" : "aborted";
    const key = Uint8Array.of(0, 0, 0, isCommit ? 1 : 0);
    const marker = batchOf([{ key, value: new Uint8Array(6), timestamp: this.nowMs }], {
      baseOffset: offset,
      partitionLeaderEpoch: 3,
      producerId,
      producerEpoch: 0,
    });
    this.#appendBytes(withField(marker, ATTRIBUTES_AT, 2, 0x30));
  }

  hasOpen(producerId: number): boolean {
    return this.written.some((each) => each.state === "open" && each.producerId === producerId);
  }

  roll(): void {
    this.fixture.log.roll();
  }

  pass(byMs: number): void {
    this.nowMs += byMs;
  }

  /** One compaction, as far as the memory for keys goes; undefined where nothing is dirty. */
  async compact(mapBytesMax = 1 << 20): Promise<CompactionResult | undefined> {
    const { log } = this.fixture;
    const known = { highWatermark: log.logEndOffset, checkpoint: toOffset(this.cleanedUpTo) };
    const lags = { minCleanableDirtyRatio: 0, minCompactionLagMs: 0, maxCompactionLagMs: 2 ** 53 };
    const dirty = await measureLog(log, known, lags, this.nowMs);
    if (dirty === undefined || dirty.dirt.cleanableBytes === 0) return undefined;
    const { firstDirty, firstUncleanable } = dirty;
    this.#noteSeen(firstUncleanable);
    const result = await compactLog(log, {
      firstDirty,
      firstUncleanable,
      now: this.nowMs,
      horizonMs: this.nowMs + DELETE_RETENTION_MS,
      segmentBytes: this.#settings.segmentBytes ?? 1 << 20,
      segmentIndexBytes: 1 << 20,
      indexIntervalBytes: this.#settings.indexIntervalBytes ?? 4096,
      mapBytesMax,
      secret: new Uint8Array(16).fill(7),
    }, this.tools());
    this.#noteCertain(result.cleanedUpTo);
    this.cleanedUpTo = result.cleanedUpTo;
    return result;
  }

  tools(): CompactionTools {
    return {
      ...tools,
      disk: this.#disk,
      inflatedBytesMax: 1 << 24,
      work: new CompactionWork({
        clock: {
          monotonicMs: () => 0,
          wallMs: () => toMs(this.nowMs),
          after: () => ({ cancel: () => {} }),
        },
        pace: {
          take: () => {
            const act = this.meanwhile;
            this.meanwhile = undefined;
            act?.();
            return undefined;
          },
        },
        isWanted: () => this.fixture.log.isUsable,
      }),
      onReplaced: (paths) => paths.forEach((path) => this.#disk.remove(path)),
    };
  }

  /**
   * Power loss, or the process dies; what was appended before is durable. With "loss" all that can be
   * found anew in the batches is lost as well.
   */
  async reopenAfter(stop: "crash" | "loss" | "kill" | "close"): Promise<void> {
    const { log } = this.fixture;
    if (stop === "close") await log.close();
    else if (log.isUsable) await log.sync();
    if (stop !== "close") log.closeNow();
    // The page cache outlives a process: a file that was renamed keeps what was durable of it.
    const isPowerLoss = stop === "crash" || stop === "loss";
    this.#disk = StoppingDisk.over(isPowerLoss ? this.#disk.crash() : this.#disk);
    const recoveryPoint = stop === "loss" ? 0 : log.logEndOffset;
    if (stop === "loss") {
      for (const { name } of this.#disk.list(DIRECTORY)) {
        if (/\.(snapshot|index|timeindex)$/.test(name)) this.#disk.remove(`${DIRECTORY}/${name}`);
      }
    }
    const isClean = stop === "close";
    this.fixture = await openFixture(this.#disk, this.#settings, { isClean, recoveryPoint });
  }

  async batches(): Promise<Uint8Array[]> {
    return await this.fixture.readAll();
  }

  /** The records that are there, markers left out: offset to what it is. */
  async present(): Promise<Map<number, { readonly line: string; readonly producerId: number }>> {
    const found = new Map<number, { readonly line: string; readonly producerId: number }>();
    for (const bytes of await this.batches()) {
      const batch = new BatchView(bytes);
      if (batch.isControl()) continue;
      for (const { offset, line } of linesOf(bytes)) {
        found.set(offset, { line, producerId: batch.producerId() });
      }
    }
    return found;
  }

  /** "0 a=1" for each record that is there. */
  async told(): Promise<string[]> {
    const present = await this.present();
    return this.written.filter(({ offset }) => present.has(offset))
      .map(({ offset, key, value }) => `${offset} ${key}=${value === null ? "-" : value}`);
  }

  /** What is wrong with the log, in words; empty where it is as the model wants it. */
  async complaints(): Promise<string[]> {
    const present = await this.present();
    const complaints = [
      ...this.#wrongRecords(present),
      ...this.#wrongKeys(present),
      ...await this.#wrongTransactions(present),
      ...await this.#wrongMarkers(),
      ...await this.#wrongOrder(),
      ...this.#wrongProducers(),
    ];
    const left = this.#disk.list(DIRECTORY).filter(({ name }) => /\.(cleaned|swap)$/.test(name));
    for (const { name } of left) complaints.push(`${name} is left behind`);
    return complaints;
  }

  #wrongRecords(present: ReadonlyMap<number, { readonly line: string }>): string[] {
    const complaints: string[] = [];
    const byOffset = new Map(this.written.map((each) => [each.offset, each]));
    for (const [offset, { line }] of present) {
      const was = byOffset.get(offset);
      if (was?.line !== line) complaints.push(`${offset} was ${was?.line} and is ${line}`);
    }
    return complaints;
  }

  #wrongKeys(present: ReadonlyMap<number, unknown>): string[] {
    const complaints: string[] = [];
    const last = new Map<string, Written>();
    const lastClean = new Map<string, Written>();
    for (const record of this.written) {
      if (record.state !== "committed" || record.key === null) continue;
      last.set(record.key, record);
      if (record.offset < this.cleanedUpTo) lastClean.set(record.key, record);
    }
    for (const record of this.written) {
      const { key, offset } = record;
      const isThere = present.has(offset);
      if (record.state !== "committed") complaints.push(...this.#wrongData(record, isThere));
      else if (key !== null) {
        const clean = lastClean.get(key);
        if (isThere && clean !== undefined && offset < clean.offset) {
          complaints.push(`${offset} is there, and ${clean.offset} has the same key`);
        }
      }
    }
    for (const [key, record] of last) complaints.push(...this.#wrongLast(key, record, present));
    return complaints;
  }

  /** Of a transaction that was not committed. */
  #wrongData({ offset, state, lastOfBatch }: Written, isThere: boolean): string[] {
    if (state === "open") return isThere ? [] : [`${offset} is undecided and gone`];
    const isOver = lastOfBatch < this.cleanedUpTo;
    return isThere && isOver ? [`${offset} was aborted and is there`] : [];
  }

  /** Of the last committed record of a key. */
  #wrongLast(key: string, record: Written, present: ReadonlyMap<number, unknown>): string[] {
    const { offset, value, seenMs, certainMs } = record;
    if (present.has(offset)) {
      return certainMs < 0 ? [`${offset} is a tombstone past its time`] : [];
    }
    if (value !== null || this.nowMs < seenMs) return [`${offset} is the last of its key and gone`];
    // A tombstone that has gone leaves nothing that it had deleted.
    const older = this.written.find((each) =>
      each.key === key && each.state === "committed" && present.has(each.offset)
    );
    return older === undefined ? [] : [`${older.offset} has come back`];
  }

  async #wrongTransactions(present: ReadonlyMap<number, unknown>): Promise<string[]> {
    const { log } = this.fixture;
    const aborted = await log.abortedTransactions(log.logStartOffset, log.logEndOffset);
    return this.written.filter((record) => present.has(record.offset) && record.isTransactional)
      .filter((record) => {
        const isHidden = aborted.some((each) =>
          each.producerId === record.producerId && each.firstOffset <= record.offset &&
          record.offset <= each.lastOffset
        );
        return isHidden !== (record.state === "aborted");
      })
      .map(({ offset, state }) => `${offset} is ${state}, and the transaction index differs`);
  }

  /** A marker stays while a batch of its transaction does, and until its horizon in any case. */
  async #wrongMarkers(): Promise<string[]> {
    const markers = new Set<number>();
    const data: { readonly producerId: number; readonly offset: number }[] = [];
    for (const bytes of await this.batches()) {
      const batch = new BatchView(bytes);
      if (batch.isControl()) markers.add(batch.baseOffset());
      else if (batch.isTransactional()) {
        data.push({ producerId: batch.producerId(), offset: batch.lastOffset() });
      }
    }
    return this.#ended.filter(({ producerId, firstOffset, offset, seenMs }) => {
      const hasData = data.some((each) =>
        each.producerId === producerId && each.offset >= firstOffset && each.offset < offset
      );
      return !markers.has(offset) && (hasData || this.nowMs < seenMs);
    }).map(({ offset }) => `the marker at ${offset} is gone`);
  }

  async #wrongOrder(): Promise<string[]> {
    const complaints: string[] = [];
    let nextOffset = 0;
    for (const bytes of await this.batches()) {
      const batch = new BatchView(bytes);
      if (batch.baseOffset() < nextOffset) complaints.push(`${batch.baseOffset()} goes back`);
      if (batch.computedCrc(tools.crc32c) !== batch.crc()) complaints.push("a CRC is wrong");
      nextOffset = batch.nextOffset();
    }
    const { logEndOffset } = this.fixture.log;
    if (nextOffset > logEndOffset) complaints.push(`${nextOffset} is behind the end`);
    return complaints;
  }

  /** The last batch of each producer, sent again, is still known to be the one that is there. */
  #wrongProducers(): string[] {
    const complaints: string[] = [];
    for (const [producerId, { baseOffset, bytes }] of this.#lastSent) {
      const batch = new BatchView(bytes);
      const verdict = this.fixture.log.producers.check({
        producerId,
        producerEpoch: batch.producerEpoch(),
        baseSequence: batch.baseSequence(),
        lastSequence: batch.lastSequence(),
      });
      if (verdict.kind === "duplicate" && verdict.baseOffset === baseOffset) continue;
      complaints.push(`producer ${producerId} is forgotten: ${verdict.kind}`);
    }
    return complaints;
  }

  #appendBytes(bytes: Uint8Array): void {
    this.fixture.appendBytes(bytes, this.nowMs);
  }

  #noteSeen(firstUncleanable: number): void {
    for (const marker of this.#ended) {
      if (marker.offset >= firstUncleanable) continue;
      marker.seenMs = Math.min(marker.seenMs, this.nowMs + DELETE_RETENTION_MS);
    }
    for (const record of this.written) {
      if (record.value !== null || record.lastOfBatch >= firstUncleanable) continue;
      record.seenMs = Math.min(record.seenMs, this.nowMs + DELETE_RETENTION_MS);
    }
  }

  /** `certainMs` is the latest that a horizon can be; below zero once it has passed in a whole run. */
  #noteCertain(cleanedUpTo: number): void {
    for (const record of this.written) {
      if (record.value !== null || record.lastOfBatch >= cleanedUpTo) continue;
      if (record.certainMs <= this.nowMs) record.certainMs = -1;
      else record.certainMs = Math.min(record.certainMs, this.nowMs + DELETE_RETENTION_MS);
    }
  }
}

function openFixture(
  disk: StoppingDisk,
  settings: Partial<LogSettings>,
  hints: { readonly isClean?: boolean; readonly recoveryPoint?: number } = {},
): Promise<LogFixture> {
  return LogFixture.open({ disk, settings, decompress: tools.decompress, ...hints });
}

/** What each record of a batch says, its time and headers too. */
function linesOf(bytes: Uint8Array): readonly { readonly offset: number; readonly line: string }[] {
  const cursor = cursorOver(bytes);
  const lines: { offset: number; line: string }[] = [];
  while (cursor.next()) {
    const headers = cursor.headers().map(([key, value]) => `${key}=${textOf(value)}`).join(",");
    const [key, value] = [textOf(cursor.key()), textOf(cursor.value())];
    const line = `${cursor.timestamp()} ${key}=${value} ${headers}`;
    lines.push({ offset: cursor.offset(), line });
  }
  if (cursor.failure !== undefined) throw new Error(cursor.failure);
  return lines;
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? "-" : `'${new TextDecoder().decode(bytes)}'`;
}
