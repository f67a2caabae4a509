/** A log on a disk in memory, spoken to in few words: `append`, `readAll`, `crash`, `reopen`. */
import process from "node:process";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { Prng } from "../../src/ground/prng.ts";
import { toMs, toOffset } from "../../src/ground/numbers.ts";
import type { Disk } from "../../src/env/disk.ts";
import type { Trace } from "../../src/env/trace.ts";
import { Log, type LogTools } from "../../src/log/log.ts";
import type { LogSlice } from "../../src/log/reading/log_slice.ts";
import { OpenSegments } from "../../src/log/segment/open_segments.ts";
import type { LogSettings } from "../../src/log/segment/segment_policy.ts";
import { ReadChecks } from "../../src/log/reading/read_checks.ts";
import { TailCache } from "../../src/log/reading/tail_cache.ts";
import { BatchBuilder, type BatchFields } from "../../src/record/batch_builder.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import type { Decompress } from "../../src/record/compression.ts";
import { BatchWalk } from "../../src/record/batch_walk.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { MemoryDisk } from "./memory_disk.ts";

export const DIRECTORY = "/data/orders-0";

export const SETTINGS: LogSettings = {
  segmentBytes: 1 << 30,
  segmentMs: 7 * 86_400_000,
  segmentJitterMs: 0,
  indexIntervalBytes: 4096,
  segmentIndexBytes: 10 << 20,
};

export interface BatchInput extends BatchFields {
  /** One record for each. */
  readonly timestamps?: readonly number[];
  readonly valueBytes?: number;
}

const compress = (_: string, bytes: Uint8Array): Uint8Array => bytes;

/** A batch of records whose values say their offsets. */
export function makeBatch(baseOffset: number, input: BatchInput = {}): Uint8Array {
  const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType: "none" });
  const timestamps = input.timestamps ?? [1000 + baseOffset];
  for (const [index, timestamp] of timestamps.entries()) {
    const value = new Uint8Array(input.valueBytes ?? 20).fill((baseOffset + index) & 255);
    builder.append({ key: null, value, timestamp });
  }
  const fields = { partitionLeaderEpoch: 0, ...input, baseOffset };
  return builder.finish(fields, { crc32c: crc32cTables, compress });
}

export interface MarkerInput {
  readonly producerId: number;
  readonly producerEpoch?: number;
  readonly isAbort?: boolean;
  readonly coordinatorEpoch?: number;
  /** Other than abort (0) and commit (1). */
  readonly controlType?: number;
}

const ATTRIBUTES_AT = 21;
const CRC_AT = 17;
const TRANSACTIONAL_CONTROL = 0x30;

/** The marker that ends a transaction, as Kafka writes it. */
export function makeMarker(offset: number, input: MarkerInput): Uint8Array {
  const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType: "none" });
  const controlType = input.controlType ?? (input.isAbort === true ? 0 : 1);
  const value = new Uint8Array(6);
  new DataView(value.buffer).setInt32(2, input.coordinatorEpoch ?? 0);
  builder.append({ key: Uint8Array.of(0, 0, 0, controlType), value, timestamp: 1000 });
  const { producerId, producerEpoch = 0 } = input;
  const fields = { producerId, producerEpoch, baseSequence: -1, partitionLeaderEpoch: 0 };
  const bytes = builder.finish({ ...fields, baseOffset: offset }, {
    crc32c: crc32cTables,
    compress,
  });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setInt16(ATTRIBUTES_AT, TRANSACTIONAL_CONTROL);
  view.setUint32(CRC_AT, crc32cTables(bytes.subarray(ATTRIBUTES_AT)));
  return bytes;
}

export interface FixtureOptions {
  readonly disk?: Disk;
  readonly directory?: string;
  readonly settings?: Partial<LogSettings>;
  readonly tailBytes?: number;
  readonly openSegments?: number;
  readonly isClean?: boolean;
  readonly recoveryPoint?: number;
  readonly isRecoveryPointWritten?: boolean;
  readonly logStartOffset?: number;
  readonly decompress?: Decompress;
  readonly seed?: number;
  readonly clock?: ManualClock;
  /** How long a check of a batch counts. */
  readonly readVerifyIntervalMs?: number;
}

export class LogFixture {
  readonly log: Log;
  readonly disk: Disk;
  readonly tools: LogTools;
  readonly events: string[];

  private constructor(log: Log, tools: LogTools, events: string[]) {
    this.log = log;
    this.disk = tools.disk;
    this.tools = tools;
    this.events = events;
  }

  /** By default without a tail cache, so that every read goes to the file. */
  static async open(options: FixtureOptions = {}): Promise<LogFixture> {
    const events: string[] = [];
    const trace: Trace = { event: (_, message) => void events.push(message) };
    const tools: LogTools = {
      disk: options.disk ?? new MemoryDisk(),
      crc32c: crc32cTables,
      decompress: options.decompress ?? ((_, bytes) => bytes),
      trace,
      reads: new ReadChecks({
        clock: options.clock ?? new ManualClock(),
        crc32c: crc32cTables,
        trace,
        intervalMs: options.readVerifyIntervalMs ?? 3_600_000,
      }),
      tail: new TailCache({ bytesMax: options.tailBytes ?? 0 }),
      openSegments: new OpenSegments({ countMax: options.openSegments ?? 100 }),
      random: new Prng(options.seed ?? 1),
    };
    const log = await Log.open({
      directory: options.directory ?? DIRECTORY,
      settings: { ...SETTINGS, ...options.settings },
      tools,
      isClean: options.isClean ?? false,
      recoveryPoint: toOffset(options.recoveryPoint ?? 0),
      isRecoveryPointWritten: options.isRecoveryPointWritten ?? false,
      ...(options.logStartOffset === undefined
        ? {}
        : { logStartOffset: toOffset(options.logStartOffset) }),
    });
    return new LogFixture(log, tools, events);
  }

  get memoryDisk(): MemoryDisk {
    return this.disk as MemoryDisk;
  }

  /** Appends a batch at the log's end and returns its bytes. */
  append(input: BatchInput = {}, now = 0): Uint8Array {
    const partitionLeaderEpoch = this.log.epochs.latest()?.leaderEpoch ?? 0; // it never goes back
    const bytes = makeBatch(this.log.logEndOffset, { partitionLeaderEpoch, ...input });
    this.appendBytes(bytes, now);
    return bytes;
  }

  appendBytes(bytes: Uint8Array, now = 0): void {
    const batch = new BatchView(bytes);
    this.log.append(bytes.slice(), {
      lastOffset: toOffset(batch.lastOffset()),
      maxTimestamp: batch.maxTimestamp(),
      leaderEpoch: batch.partitionLeaderEpoch(),
    }, toMs(now));
  }

  appendMany(count: number, input: BatchInput = {}): Uint8Array[] {
    return Array.from({ length: count }, () => this.append(input));
  }

  /** The bytes that a read at `offset` gives. */
  async read(
    offset: number,
    limits: { bytesMax?: number; upTo?: number } = {},
  ): Promise<Uint8Array> {
    const slice = await this.log.read(toOffset(offset), {
      bytesMax: limits.bytesMax ?? 1 << 20,
      upTo: toOffset(limits.upTo ?? this.log.logEndOffset),
    });
    if (slice === undefined) throw new Error(`offset ${offset} is out of range`);
    return bytesOfSlice(slice);
  }

  /** All batches, read one slice behind the other. */
  async readAll(bytesMax = 1 << 20): Promise<Uint8Array[]> {
    const batches: Uint8Array[] = [];
    let offset = this.log.logStartOffset as number;
    while (offset < this.log.logEndOffset) {
      const walk = new BatchWalk(await this.read(offset, { bytesMax }));
      const before = offset;
      while (walk.next()) {
        const { batch } = walk;
        batches.push(
          batch.bytes.slice(batch.position(), batch.position() + batch.sizeInBytes()),
        );
        if (batch.nextOffset() <= offset) throw new Error("a slice ends before it begins");
        offset = batch.nextOffset();
      }
      if (walk.ending() !== "clean") throw new Error(`a slice ends ${walk.ending()}`);
      if (offset === before) break; // a gap up to the end
    }
    return batches;
  }
}

export function bytesOfSlice(slice: LogSlice): Uint8Array {
  const bytes = concat(slice.parts.map((part) => {
    if (part instanceof Uint8Array) return part;
    const read = part.file.readNow(part.position, part.byteLength);
    part.release();
    return read;
  }));
  if (bytes.length !== slice.byteLength) throw new Error("a slice is as long as it says");
  return bytes;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** For `truncateTo` in a test that keeps no checkpoint. */
export const noted = (): Promise<void> => Promise.resolve();

/** The seed of a random test: MQ_SEED, or one that is always the same. */
export function seedOf(test: string): number {
  const seed = Number(process.env["MQ_SEED"] ?? 41);
  console.log(`${test}: MQ_SEED=${seed}`);
  return seed;
}
