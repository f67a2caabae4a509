/**
 * The end of a transaction, as the control batch says that a coordinator writes into every partition
 * that the transaction has touched.
 *
 * Source: KIP-98; kafka: EndTransactionMarker, ProducerAppendInfo.append.
 */
import type { BatchView } from "../../record/batch_view.ts";
import { controlKeyOf, coordinatorEpochOf } from "../../record/control_record.ts";
import { RecordCursor } from "../../record/record_cursor.ts";

export interface TransactionMarker {
  readonly isAbort: boolean;
  /** -1 where the marker says none. */
  readonly coordinatorEpoch: number;
}

/** A marker takes less than a hundred bytes; nobody compresses it. */
const OPTIONS = { decompress: (_: string, bytes: Uint8Array) => bytes, inflatedBytesMax: 4096 };

/**
 * What the control batch says; undefined where it ends no transaction: it is another kind of control
 * batch, or compaction has emptied it, because nothing is left of its transaction.
 */
export function markerOf(batch: BatchView): TransactionMarker | undefined {
  const cursor = new RecordCursor(OPTIONS);
  cursor.open(batch);
  if (!cursor.next()) return undefined;
  const controlType = controlKeyOf(cursor.key())?.controlType;
  if (controlType !== "abort" && controlType !== "commit") return undefined;
  const coordinatorEpoch = coordinatorEpochOf(cursor.value()) ?? -1;
  return { isAbort: controlType === "abort", coordinatorEpoch };
}
