/**
 * Descriptors of the batches that a leader sent, made from the batches themselves.
 *
 * The machine of `raft/` reasons about descriptors and never sees a payload; if the sender's descriptors
 * were believed, it would vouch for bytes that it has not got. So the bytes are walked, and what does
 * not follow without a hole, is not whole, or is not what its CRC-32C says is refused as one: of a
 * message with holes nothing is used.
 */
import type { Crc32c } from "../../ground/crc32c.ts";
import type { Offset } from "../../ground/numbers.ts";
import type { Entry } from "../../raft/entry.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import { MAGIC } from "../../record/format.ts";
import type { RecordCursor } from "../../record/record_cursor.ts";
import { refuseMessagePack } from "../../wire/msgpack_check.ts";
import { MetadataCorrupt } from "../quorum/not_controller.ts";
import { CONFIGURATION_TYPE, controlsOf, entryOf, newCursor } from "../quorum/quorum_batches.ts";

/** Where the batches are to begin, and the terms between which theirs must be. */
export interface ReceivedPlace {
  readonly prevOffset: Offset;
  readonly prevTerm: number;
  /** Of the message: no batch of a later term can be in it. */
  readonly term: number;
}

export interface BatchRefusal {
  readonly reason: "holes" | "corrupt";
  readonly detail: string;
}

/** One descriptor for each batch, or why the bytes are not batches that follow `place`. */
export function entriesOf(
  records: Uint8Array,
  place: ReceivedPlace,
  crc32c: Crc32c,
): readonly Entry[] | BatchRefusal {
  if (records.length === 0) return NO_ENTRIES;
  const entries: Entry[] = [];
  const walk = new BatchWalk(records);
  const cursor = newCursor();
  let next = place.prevOffset;
  let term = place.prevTerm;
  while (walk.next()) {
    const { batch } = walk;
    const refusal = refuseBatch(batch, next, crc32c);
    if (refusal !== undefined) return refusal;
    const batchTerm = batch.partitionLeaderEpoch();
    if (batchTerm < term || batchTerm > place.term) {
      return holes(`a batch of term ${batchTerm} between terms ${term} and ${place.term}`);
    }
    const entry = readEntry(batch, cursor);
    if ("reason" in entry) return entry;
    entries.push(entry);
    term = batchTerm;
    next = entry.nextOffset;
  }
  const ending = walk.ending();
  if (ending === "corrupt") return corrupt("a length that no batch has");
  return ending === "clean" ? entries : holes("the last batch is not whole");
}

const NO_ENTRIES: readonly Entry[] = [];

function refuseBatch(batch: BatchView, next: Offset, crc32c: Crc32c): BatchRefusal | undefined {
  if (batch.magic() !== MAGIC) return corrupt(`a batch of magic ${batch.magic()}`);
  if (batch.computedCrc(crc32c) !== batch.crc()) {
    return corrupt(`the CRC of the batch at offset ${batch.baseOffset()}`);
  }
  if (batch.compressionType() !== "none") return corrupt("a compressed batch of metadata");
  return batch.baseOffset() === next
    ? undefined
    : holes(`a batch at offset ${batch.baseOffset()} where ${next} should follow`);
}

/** The descriptor, once every offset of the batch has its record. */
function readEntry(batch: BatchView, cursor: RecordCursor): Entry | BatchRefusal {
  let next = batch.baseOffset();
  cursor.open(batch);
  while (cursor.next()) {
    if (cursor.offset() !== next) return holes(`no record at offset ${next}`);
    next++;
  }
  if (cursor.failure !== undefined) return corrupt(cursor.failure);
  if (next === batch.baseOffset() || next !== batch.nextOffset()) {
    return holes(`the records of a batch end at ${next} in place of ${batch.nextOffset()}`);
  }
  try {
    if (batch.isControl()) {
      for (const { controlType, value } of controlsOf(batch, cursor)) {
        const refusal = controlType === CONFIGURATION_TYPE ? refuseMessagePack(value) : undefined;
        if (refusal !== undefined) return corrupt(`a configuration: ${refusal}`);
      }
    }
    return entryOf(batch, cursor);
  } catch (thrown) {
    if (thrown instanceof MetadataCorrupt) return corrupt(thrown.message);
    throw thrown;
  }
}

function holes(detail: string): BatchRefusal {
  return { reason: "holes", detail };
}

function corrupt(detail: string): BatchRefusal {
  return { reason: "corrupt", detail };
}
