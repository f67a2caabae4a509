/** One partition of a Fetch: what was asked of it, and how it is read. */
import { ErrorCode } from "../../api/error_code.ts";
import type { fetch } from "../../api/fetch.ts";
import type { RequestOf, ResponseInput } from "../../api/schema.ts";
import { DiskFault } from "../../env/disk.ts";
import type { FileSlice } from "../../log/reading/log_slice.ts";
import { LogFault } from "../../log/log_fault.ts";
import type { Partition, ReadResult } from "../../runtime/partition.ts";

type Asked = RequestOf<typeof fetch>["topics"][number]["partitions"][number];

export type FetchedPartition = ResponseInput<
  typeof fetch
>["responses"][number]["partitions"][number];

const NO_RECORDS = new Uint8Array(0);

export class FetchTarget {
  /** Undefined where the id is of no topic. */
  readonly topic: string | undefined;
  readonly asked: Asked;
  readonly partition: Partition | undefined;
  /** Behind the last batch that was read: what the client has read when it has the answer. */
  nextOffset = 0;
  readonly #errorIfNone: ErrorCode;

  constructor(topic: string | undefined, asked: Asked, found: Partition | ErrorCode) {
    this.topic = topic;
    this.asked = asked;
    this.partition = typeof found === "number" ? undefined : found;
    this.#errorIfNone = typeof found === "number" ? found : ErrorCode.None;
  }

  read(bytesLeft: number): FetchedPartition | Promise<FetchedPartition> {
    const { partition, asked } = this;
    if (partition === undefined) return this.#failed(this.#errorIfNone);
    const refusal = refuse(partition, asked);
    if (refusal !== undefined) return this.#failed(refusal);
    const bytesMax = Math.max(Math.min(asked.partitionMaxBytes, bytesLeft), 0);
    try {
      const read = partition.read(asked.fetchOffset, bytesMax);
      return read instanceof Promise ? this.#readLater(read) : this.#fetched(read);
    } catch (error) {
      return this.#onFault(error);
    }
  }

  /** The partition's offsets, and no records: there was no room for them. */
  withoutRecords(): FetchedPartition {
    const { partition, asked } = this;
    if (partition === undefined) return this.#failed(this.#errorIfNone);
    const refusal = refuse(partition, asked);
    return refusal === undefined ? this.#fetched({ kind: "empty" }) : this.#failed(refusal);
  }

  async #readLater(read: Promise<ReadResult>): Promise<FetchedPartition> {
    try {
      return this.#fetched(await read);
    } catch (error) {
      return this.#onFault(error);
    }
  }

  #fetched(read: ReadResult): FetchedPartition {
    const { partition, asked } = this;
    if (read.kind === "out-of-range" || partition === undefined) {
      return this.#failed(ErrorCode.OffsetOutOfRange);
    }
    this.nextOffset = (read.kind === "slice" ? read.slice.nextOffset : undefined) ??
      asked.fetchOffset;
    return {
      partitionIndex: asked.partition,
      errorCode: ErrorCode.None,
      highWatermark: partition.highWatermark,
      lastStableOffset: partition.highWatermark,
      logStartOffset: partition.log.logStartOffset,
      abortedTransactions: null,
      records: read.kind === "slice" ? read.slice.parts : NO_RECORDS,
    };
  }

  #onFault(error: unknown): FetchedPartition {
    if (error instanceof LogFault) return this.#failed(ErrorCode.CorruptMessage);
    if (!(error instanceof DiskFault)) throw error;
    return this.#failed(ErrorCode.KafkaStorageError);
  }

  #failed(errorCode: ErrorCode): FetchedPartition {
    return {
      partitionIndex: this.asked.partition,
      errorCode,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      abortedTransactions: null,
      records: NO_RECORDS,
    };
  }
}

/** Gives back the files that a partition's records hold. */
export function releaseFetched({ records }: FetchedPartition): void {
  if (records === null || records instanceof Uint8Array) return;
  for (const part of records) if (!(part instanceof Uint8Array)) (part as FileSlice).release();
}

function refuse(partition: Partition, asked: Asked): ErrorCode | undefined {
  if (partition.isClosed) return ErrorCode.UnknownTopicOrPartition; // deleted while it was waited for
  if (!partition.isOnline) return ErrorCode.KafkaStorageError;
  if (!partition.isLeader) return ErrorCode.NotLeaderOrFollower;
  if (asked.currentLeaderEpoch < 0 || asked.currentLeaderEpoch === partition.leaderEpoch) {
    return undefined;
  }
  return asked.currentLeaderEpoch < partition.leaderEpoch
    ? ErrorCode.FencedLeaderEpoch
    : ErrorCode.UnknownLeaderEpoch;
}
