/**
 * Control batches: what a broker or the quorum writes between a topic's records, and no consumer sees.
 *
 * The key says what it is: version int16, type int16. For the end of a transaction the value holds
 * version int16 and coordinator epoch int32. Values of the quorum's own records stay unread here.
 *
 * Source: KIP-98, KIP-595; kafka: ControlRecordType, EndTransactionMarker.
 */
import { Reader } from "../ground/reader.ts";

/** In the order of their numbers; kafka: ControlRecordType. */
const controlTypes = [
  "abort",
  "commit",
  "leader-change",
  "snapshot-header",
  "snapshot-footer",
  "kraft-version",
  "kraft-voters",
] as const;

/** "unknown": a type of a later version, which is skipped like any other. */
export type ControlType = (typeof controlTypes)[number] | "unknown";

export interface ControlKey {
  readonly version: number;
  readonly controlType: ControlType;
}

/** Undefined where `key` is not the key of a control record. */
export function controlKeyOf(key: Uint8Array | null): ControlKey | undefined {
  if (key === null) return undefined;
  const reader = new Reader(key);
  const version = reader.int16();
  const controlType = controlTypes[reader.int16()] ?? "unknown";
  if (reader.failure !== undefined || version < 0) return undefined;
  return { version, controlType };
}

/** The epoch of the coordinator that ended the transaction; undefined where `value` says none. */
export function coordinatorEpochOf(value: Uint8Array | null): number | undefined {
  if (value === null) return undefined;
  const reader = new Reader(value);
  const version = reader.int16();
  const coordinatorEpoch = reader.int32();
  return reader.failure !== undefined || version < 0 ? undefined : coordinatorEpoch;
}
