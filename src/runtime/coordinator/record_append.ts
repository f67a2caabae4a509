/**
 * Records of a decision on their way into the log: one batch, all of them or none.
 *
 * They are the broker's own, so nothing of them is validated and nothing compressed. Their batch may be
 * larger than what clients may produce: what a group has to write at once grows with its members, and
 * readers are given a first batch whole whatever its size.
 */
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { Offset } from "../../ground/numbers.ts";
import { toOffset } from "../../ground/numbers.ts";
import { BatchBuilder } from "../../record/batch_builder.ts";
import type { Partition } from "../partition.ts";
import type { AppendTools } from "../partition_append.ts";
import { encodeRecord } from "./record_codec.ts";

export type GroupAppend =
  | { readonly kind: "appended"; readonly baseOffset: Offset }
  | { readonly kind: "refused"; readonly errorCode: ErrorCode; readonly reason: string };

/** Kafka holds a decision to the topic's max.message.bytes (1 MiB), which large groups break. */
export const GROUP_BATCH_BYTES_MAX = 32 * 1024 * 1024;

export class RecordAppender {
  readonly #partition: Partition;
  readonly #tools: Pick<AppendTools, "clock" | "crc32c" | "compress">;
  /** Kept, because it knows by its last batch how much room the next one may need. */
  readonly #builder = new BatchBuilder({
    bytesMax: GROUP_BATCH_BYTES_MAX,
    compressionType: "none",
  });

  constructor(
    partition: Partition,
    tools: Pick<AppendTools, "clock" | "crc32c" | "compress">,
  ) {
    this.#partition = partition;
    this.#tools = tools;
  }

  append(records: readonly GroupRecord[]): GroupAppend {
    const partition = this.#partition;
    if (partition.isClosed) return refused(ErrorCode.NotCoordinator, "the partition is gone");
    if (!partition.isLeader) return refused(ErrorCode.NotCoordinator, "another broker leads it");
    if (!partition.isOnline) {
      return refused(ErrorCode.CoordinatorNotAvailable, partition.refusal ?? "its disk is offline");
    }
    const { log, leaderEpoch } = partition;
    const timestamp = this.#tools.clock.wallMs();
    const builder = this.#builder;
    builder.reset();
    for (const record of records) {
      if (!builder.append({ ...encodeRecord(record), timestamp })) return tooLarge(records.length);
    }
    if (builder.sizeInBytes > GROUP_BATCH_BYTES_MAX) return tooLarge(records.length);
    const noRoom = partition.admit(builder.sizeInBytes);
    if (noRoom !== undefined) return refused(ErrorCode.CoordinatorNotAvailable, noRoom);
    const baseOffset = log.logEndOffset;
    const batch = builder.finish({ baseOffset, partitionLeaderEpoch: leaderEpoch }, this.#tools);
    try {
      const lastOffset = toOffset(baseOffset + records.length - 1);
      log.append(batch, { lastOffset, maxTimestamp: timestamp, leaderEpoch }, timestamp);
    } catch (error) {
      return refused(ErrorCode.CoordinatorNotAvailable, partition.onFault(error));
    }
    partition.onAppended();
    return { kind: "appended", baseOffset };
  }
}

/** As Kafka answers what is larger than its log takes. */
function tooLarge(recordCount: number): GroupAppend {
  const reason = `${recordCount} records take more than ${GROUP_BATCH_BYTES_MAX} bytes`;
  return refused(ErrorCode.UnknownServerError, reason);
}

function refused(errorCode: ErrorCode, reason: string): GroupAppend {
  return { kind: "refused", errorCode, reason };
}
