/**
 * The metadata log with a single voter: decide, append, make durable, replay, reply.
 *
 * One decision after the other: each sees the image with all earlier ones in it, and nothing is
 * replayed before it is durable. Several voters take the same contract later; callers will not notice.
 */
import type { Clock } from "../env/clock.ts";
import { DiskFault, isPassing } from "../env/disk.ts";
import type { Crc32c } from "../ground/crc32c.ts";
import { type Offset, toLeaderEpoch, toOffset } from "../ground/numbers.ts";
import type { Log } from "../log/log.ts";
import type { Decision } from "../metadata/decision.ts";
import { ClusterImage } from "../metadata/image.ts";
import { asMetadataRecord, type MetadataRecord } from "../metadata/record.ts";
import { BatchBuilder } from "../record/batch_builder.ts";
import { BatchWalk } from "../record/batch_walk.ts";
import type { Decompress } from "../record/compression.ts";
import { RecordCursor } from "../record/record_cursor.ts";
import { atMost } from "./at_most.ts";
import { decodeMessagePack, encodeMessagePack } from "../wire/msgpack.ts";

export interface QuorumTools {
  readonly clock: Clock;
  readonly crc32c: Crc32c;
  readonly decompress: Decompress;
  /** A disk that is not merely full: its owner takes it offline. */
  readonly onDiskFault: (fault: DiskFault) => void;
}

/** A record that this version does not understand: the node does not start. */
export class MetadataCorrupt extends Error {
  override readonly name = "MetadataCorrupt";
}

const INFLATED_BYTES_MAX = 1024 * 1024 * 1024; // nothing here is compressed
const SYNC_AGAIN_MS = 100;
/** Consequences of one decision that are under way at once: each may hold a file open. */
const CONCURRENT_MAX = 16;
const READ_BYTES = 1024 * 1024;
const NO_BYTES = new Uint8Array(0);
const LEADER_EPOCH = toLeaderEpoch(0);

export class MetadataQuorum {
  readonly image: ClusterImage;
  readonly #log: Log;
  readonly #tools: QuorumTools;
  #last: Promise<unknown> = Promise.resolve();
  #isEnding = false;
  #onEnding: () => void = () => undefined;
  #onReplayed: (record: MetadataRecord) => Promise<void> | void = () => undefined;

  private constructor(log: Log, image: ClusterImage, tools: QuorumTools) {
    this.#log = log;
    this.image = image;
    this.#tools = tools;
  }

  /** Reads the whole log. Throws `MetadataCorrupt`, naming the record, or a `DiskFault`. */
  static async open(log: Log, tools: QuorumTools): Promise<MetadataQuorum> {
    const image = new ClusterImage();
    let offset = log.logStartOffset;
    while (offset < log.logEndOffset) {
      // deno-lint-ignore no-await-in-loop -- each read starts where the last one ended
      offset = await replayFrom(log, offset, image, tools);
    }
    return new MetadataQuorum(log, image, tools);
  }

  /** Hears of every record after the image has it and before the reply leaves. */
  onReplayed(listener: (record: MetadataRecord) => Promise<void> | void): void {
    this.#onReplayed = listener;
  }

  /**
   * Runs a decision when all earlier ones are in the image; resolves when its own records are.
   * Rejects with a `DiskFault` where they could not be written: nothing was decided then.
   */
  propose<Reply>(decide: (image: ClusterImage) => Decision<Reply>): Promise<Reply> {
    const turn = this.#last.then(() => this.#commit(decide(this.image)));
    this.#last = turn.catch(() => undefined); // the proposer hears of it; the next decision goes on
    return turn;
  }

  /**
   * Waits for decisions under way, then closes the log cleanly. One that waits for room is not waited
   * for: its proposer hears that it could not be made durable, and the next start decides.
   */
  async close(): Promise<void> {
    this.#end();
    await this.#last;
    await this.#log.close();
  }

  /** Lets go of the log as it is. */
  abandon(): void {
    this.#end();
    this.#log.closeNow();
  }

  #end(): void {
    this.#isEnding = true;
    this.#onEnding();
  }

  async #commit<Reply>({ records, reply }: Decision<Reply>): Promise<Reply> {
    if (records.length === 0) return reply;
    const firstOffset = await this.#write(records);
    for (const [index, record] of records.entries()) {
      this.image.replay(toOffset(firstOffset + index), record);
    }
    await atMost(CONCURRENT_MAX, records, async (record) => await this.#onReplayed(record));
    return reply;
  }

  /**
   * Appends a decision and makes it durable. Only the append may be refused, and then nothing of it is
   * there: what was appended will be replayed at the next start, so it is waited for until it is durable.
   */
  async #write(records: readonly MetadataRecord[]): Promise<Offset> {
    try {
      const firstOffset = this.#append(records);
      while (!(await this.#isSynced())) await this.#pause();
      return firstOffset;
    } catch (error) {
      if (error instanceof DiskFault && !isPassing(error)) this.#tools.onDiskFault(error);
      throw error;
    }
  }

  /** False where there was no room for what the sync needed: it may be asked again, until the stop. */
  async #isSynced(): Promise<boolean> {
    try {
      await this.#log.sync();
      return true;
    } catch (error) {
      if (!this.#isEnding && error instanceof DiskFault && isPassing(error)) return false;
      throw error;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEnding = resolve;
      this.#tools.clock.after(SYNC_AGAIN_MS, resolve);
    });
  }

  /** One batch for one decision: it is in the log whole or not at all. */
  #append(records: readonly MetadataRecord[]): Offset {
    const baseOffset = this.#log.logEndOffset;
    const lastOffset = toOffset(baseOffset + records.length - 1);
    const now = this.#tools.clock.wallMs();
    const builder = new BatchBuilder({
      bytesMax: Number.MAX_SAFE_INTEGER,
      compressionType: "none",
    });
    for (const record of records) {
      builder.append({ key: null, value: encodeMessagePack(record), timestamp: now });
    }
    const batch = builder.finish(
      { baseOffset, partitionLeaderEpoch: LEADER_EPOCH },
      { crc32c: this.#tools.crc32c, compress: (_type, bytes) => bytes },
    );
    this.#log.append(batch, { lastOffset, maxTimestamp: now, leaderEpoch: LEADER_EPOCH }, now);
    return baseOffset;
  }
}

async function replayFrom(
  log: Log,
  offset: Offset,
  image: ClusterImage,
  tools: QuorumTools,
): Promise<Offset> {
  const slice = await log.read(offset, { bytesMax: READ_BYTES, upTo: log.logEndOffset });
  if (slice === undefined) throw new MetadataCorrupt(`Cannot read metadata at offset ${offset}`);
  let next = offset;
  for (const part of slice.parts) {
    const bytes = part instanceof Uint8Array
      ? part
      // deno-lint-ignore no-await-in-loop -- in the order of the log
      : await part.file.read(part.position, part.byteLength);
    if (!(part instanceof Uint8Array)) part.release();
    next = replayBatches(bytes, next, image, tools);
  }
  if (next === offset) {
    throw new MetadataCorrupt(`Cannot read a batch of metadata at offset ${offset}`);
  }
  return next;
}

function replayBatches(
  bytes: Uint8Array,
  from: Offset,
  image: ClusterImage,
  tools: QuorumTools,
): Offset {
  let next = from;
  const walk = new BatchWalk(bytes);
  const cursor = new RecordCursor({
    decompress: tools.decompress,
    inflatedBytesMax: INFLATED_BYTES_MAX,
  });
  while (walk.next()) {
    cursor.open(walk.batch);
    while (cursor.next()) {
      const offset = toOffset(cursor.offset());
      if (offset < from) continue;
      const record = asMetadataRecord(decodeMessagePack(cursor.value() ?? NO_BYTES));
      if (typeof record === "string") {
        throw new MetadataCorrupt(`Cannot replay metadata offset ${offset}: ${record}`);
      }
      image.replay(offset, record);
    }
    if (cursor.failure !== undefined) {
      throw new MetadataCorrupt(`Cannot replay metadata offset ${next}: ${cursor.failure}`);
    }
    next = toOffset(walk.batch.nextOffset());
  }
  return next;
}
