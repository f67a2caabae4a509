/**
 * Opening a log: what lies in its directory, checked as far as `recovery.ts` demands.
 *
 * After a clean stop nothing but names and sizes is read, and one snapshot. Otherwise the segments
 * from the recovery point on are walked once, and the walk finds all there is to know: where the log
 * ends, its indexes, its leader epochs and its producers.
 * Not here: what `.swap`, `.cleaned` and `.deleted` files mean; they are left alone.
 */
import type { FileInfo } from "../env/disk.ts";
import type { Crc32c } from "../ground/crc32c.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import type { BatchView } from "../record/batch_view.ts";
import { type BatchVisitor, scan } from "./batch_scanner.ts";
import { LEADER_EPOCH_FILE, parseSegmentFileName } from "./format.ts";
import { LeaderEpochs } from "./leader_epochs.ts";
import { LogFault } from "./log_fault.ts";
import { ProducerStates } from "./producer_state.ts";
import { cleanEnd, decideDamage, decideSegment } from "./recovery.ts";
import { Segment, type SegmentContext } from "./segment.ts";
import { Segments } from "./segments.ts";
import { loadSnapshot, removeSnapshots } from "./snapshot_files.ts";

export interface LoadOptions {
  readonly isClean: boolean;
  readonly recoveryPoint: Offset;
  readonly logStartOffset: Offset;
}

export interface LoadedLog {
  readonly segments: Segments;
  readonly producers: ProducerStates;
  readonly epochs: LeaderEpochs;
  readonly logEndOffset: Offset;
  /** Everything below is durable. */
  readonly recoveryPoint: Offset;
  /** The snapshot that the producers were loaded from. */
  readonly snapshotOffset: Offset | undefined;
  /** False where the end is known by a file's name only. */
  readonly isEndRead: boolean;
}

/** What the files of a directory say by their names. */
interface Found {
  readonly segments: Segments;
  /** Offsets of the producer snapshots, going up. */
  readonly snapshots: readonly Offset[];
}

export async function loadLog(
  context: SegmentContext,
  crc32c: Crc32c,
  options: LoadOptions,
): Promise<LoadedLog> {
  const { segments, snapshots } = findSegments(context, options);
  const loader = new LogLoader(context, crc32c, { segments, snapshots });
  return await loader.load(options);
}

function findSegments(context: SegmentContext, options: LoadOptions): Found {
  const segments = new Segments();
  const snapshots: Offset[] = [];
  const strange: string[] = [];
  for (const file of context.disk.list(context.directory)) {
    const parsed = parseSegmentFileName(file.name);
    if (parsed?.kind === "snapshot") snapshots.push(parsed.offset);
    else if (parsed?.kind === "log") {
      segments.add(new Segment(context, { baseOffset: parsed.offset, sizeInBytes: file.bytes }));
    } else if (parsed === undefined && !isKnown(file)) strange.push(file.name);
  }
  if (strange.length > 0) {
    const fields = { directory: context.directory, files: strange.slice(0, 10).join(" ") };
    context.trace.event("warn", "unknown files are left alone", fields);
  }
  if (segments.count === 0) {
    segments.add(new Segment(context, { baseOffset: options.logStartOffset, sizeInBytes: 0 }));
  }
  return { segments, snapshots };
}

const KNOWN_NAMES: readonly string[] = [LEADER_EPOCH_FILE, "partition.metadata"];

function isKnown(file: FileInfo): boolean {
  return KNOWN_NAMES.includes(file.name) || file.name.endsWith(".tmp");
}

class LogLoader {
  readonly #context: SegmentContext;
  readonly #crc32c: Crc32c;
  readonly #segments: Segments;
  #snapshots: readonly Offset[];
  readonly #producers = new ProducerStates();
  readonly #epochs = new LeaderEpochs();
  #snapshotOffset: Offset | undefined;
  #isEndRead = true;
  /** Batches at or behind this offset are news to the producers; those below are in the snapshot. */
  #producersFrom = 0;
  /** The offset that the batch at the place of the walk must have at least. */
  #nextOffset = 0;

  constructor(context: SegmentContext, crc32c: Crc32c, found: Found) {
    this.#context = context;
    this.#crc32c = crc32c;
    this.#segments = found.segments;
    this.#snapshots = found.snapshots;
  }

  async load(options: LoadOptions): Promise<LoadedLog> {
    const hasEpochs = this.#loadEpochs();
    const end = options.isClean ? await this.#findCleanEnd() : undefined;
    if (end === undefined) return await this.#recover(options.recoveryPoint, hasEpochs);
    await this.#walkTrusted(end, hasEpochs);
    for (const segment of this.#segments.all()) segment.markDurable();
    return this.#loaded(end, end);
  }

  /** Where a cleanly closed log ends; undefined where it is not as a clean close leaves it. */
  async #findCleanEnd(): Promise<number | undefined> {
    const active = this.#segments.active();
    const end = cleanEnd({ newestSnapshot: this.#snapshots.at(-1), lastSegment: active });
    if (end !== undefined) {
      this.#isEndRead = false;
      return end;
    }
    const from = (await active.indexes()).offsets.lookup(Infinity);
    let found: number | undefined;
    const range = { position: from.position, end: active.sizeInBytes, mode: "header" as const };
    const visit = (batch: BatchView): boolean => {
      found = batch.nextOffset();
      return true;
    };
    const { ending } = await active.withFile((file) => scan(file, range, visit));
    return ending === "clean" ? found : undefined;
  }

  /** Scans from the recovery point on and cuts what is torn. */
  async #recover(recoveryPoint: number, hasEpochs: boolean): Promise<LoadedLog> {
    const all = [...this.#segments.all()];
    const firstScanned = all.findIndex((_, index) =>
      decideSegment({
        isClean: false,
        nextBaseOffset: all[index + 1]?.baseOffset,
        recoveryPoint,
      }) ===
        "scan"
    );
    const scanStart = (all[firstScanned] as Segment).baseOffset;
    await this.#walkTrusted(scanStart, hasEpochs);
    this.#epochs.truncateFromEnd(scanStart);
    for (const segment of all.slice(0, firstScanned)) segment.markDurable();
    for (const [at, segment] of all.slice(firstScanned).entries()) {
      this.#nextOffset = Math.max(this.#nextOffset, segment.baseOffset);
      const isWhole = await this.#scanSegment(segment, recoveryPoint);
      if (!isWhole) {
        this.#dropFrom(firstScanned + at + 1);
        break;
      }
    }
    const end = this.#nextOffset;
    removeSnapshots(this.#context, this.#snapshots.filter((offset) => offset > end));
    return this.#loaded(end, Math.min(recoveryPoint, end));
  }

  #loaded(end: number, recoveryPoint: number): LoadedLog {
    const logEndOffset = toOffset(end);
    const bases = new Set(this.#segments.all().map((segment) => segment.baseOffset));
    const stray = this.#snapshots.filter((offset) => offset < end && !bases.has(offset));
    removeSnapshots(this.#context, stray.slice(0, -1)); // the newest may be the only good one
    return {
      segments: this.#segments,
      producers: this.#producers,
      epochs: this.#epochs,
      logEndOffset,
      recoveryPoint: toOffset(recoveryPoint),
      snapshotOffset: this.#snapshotOffset,
      isEndRead: this.#isEndRead,
    };
  }

  /**
   * Restores producers (and epochs where their file is missing) as of `end` from what is trusted: the
   * newest good snapshot at or below it, and the batches from there on.
   */
  async #walkTrusted(end: number, hasEpochs: boolean): Promise<void> {
    const all = this.#segments.all();
    const start = all[0]?.baseOffset ?? 0;
    this.#snapshotOffset = loadSnapshot(this.#context, this.#crc32c, {
      offsets: this.#snapshots.filter((offset) => offset <= end),
      producers: this.#producers,
    });
    this.#producersFrom = Math.max(this.#snapshotOffset ?? start, start);
    this.#nextOffset = start;
    const from = hasEpochs || start >= end ? this.#producersFrom : start;
    const visit: BatchVisitor = (batch) => {
      if (batch.lastOffset() >= end) return false;
      this.#note(batch);
      return true;
    };
    for (let at = this.#segments.floorIndex(from); at < all.length && from < end; at++) {
      const segment = all[at] as Segment;
      if (segment.baseOffset >= end) break;
      const range = { position: 0, end: segment.sizeInBytes, mode: "header" as const };
      const { position, ending } = await segment.withFile((file) => scan(file, range, visit));
      if (ending === "torn" || ending === "corrupt") throw damage(segment, position);
    }
    this.#nextOffset = Math.max(this.#nextOffset, end);
  }

  /** Walks one segment anew: headers up to the recovery point, whole batches behind it. */
  async #scanSegment(segment: Segment, recoveryPoint: number): Promise<boolean> {
    const indexes = segment.startIndexes();
    const note = (batch: BatchView, position: number): void => {
      indexes.onBatch({
        position,
        sizeInBytes: batch.sizeInBytes(),
        lastOffset: batch.lastOffset(),
        maxTimestamp: batch.maxTimestamp(),
      }, this.#context.indexIntervalBytes);
      this.#note(batch);
    };
    const isDurable: BatchVisitor = (batch, position) => {
      if (!this.#isInOrder(batch, segment) || batch.nextOffset() > recoveryPoint) return false;
      note(batch, position);
      return true;
    };
    const isSound: BatchVisitor = (batch, position) => {
      if (!this.#isInOrder(batch, segment) || batch.crc() !== batch.computedCrc(this.#crc32c)) {
        return false;
      }
      note(batch, position);
      return true;
    };
    const end = segment.sizeInBytes;
    const { position, ending } = await segment.withFile(async (file) => {
      const durable = await scan(file, { position: 0, end, mode: "header" }, isDurable);
      if (durable.position === end) return durable;
      return await scan(file, { position: durable.position, end, mode: "whole" }, isSound);
    });
    if (ending === "clean") {
      segment.seal();
      return true;
    }
    if (decideDamage({ nextOffset: this.#nextOffset, recoveryPoint }) === "refuse") {
      throw damage(segment, position);
    }
    this.#traceCut(segment, end - position);
    segment.cut(position);
    segment.seal();
    return false;
  }

  /** Offsets lie outside the CRC: what can be known of them is that they go up, and not too far. */
  #isInOrder(batch: BatchView, segment: Segment): boolean {
    return batch.baseOffset() >= this.#nextOffset && batch.lastOffsetDelta() >= 0 &&
      segment.fits(batch.lastOffset());
  }

  #note(batch: BatchView): void {
    const lastOffset = batch.lastOffset();
    this.#nextOffset = lastOffset + 1;
    this.#epochs.assign(batch.partitionLeaderEpoch(), batch.baseOffset());
    if (lastOffset >= this.#producersFrom) this.#producers.update(batch);
  }

  #dropFrom(index: number): void {
    for (const segment of this.#segments.takeFrom(index)) {
      this.#traceCut(segment, segment.sizeInBytes);
      segment.remove();
    }
  }

  #loadEpochs(): boolean {
    const path = `${this.#context.directory}/${LEADER_EPOCH_FILE}`;
    const bytes = this.#context.disk.readWhole(path);
    const isLoaded = bytes !== undefined && this.#epochs.decode(bytes);
    this.#epochs.isChanged = !isLoaded;
    return isLoaded;
  }

  #traceCut(segment: Segment, bytes: number): void {
    const fields = { segment: segment.path("log"), bytes, logEndOffset: this.#nextOffset };
    this.#context.trace.event("warn", "torn tail cut off", fields);
  }
}

function damage(segment: Segment, position: number): LogFault {
  const path = segment.path("log");
  return new LogFault(
    path,
    `Cannot open ${path}: what was durable is damaged at byte ${position} of ${segment.sizeInBytes}`,
  );
}
