/**
 * SnapshotFetch (key 0x4003): one piece of a snapshot file, with the CRC-32C of that piece.
 *
 * A snapshot that is not there (any more) is SNAPSHOT_NOT_FOUND; a position behind its end is
 * POSITION_OUT_OF_RANGE. The file's own CRC covers the whole; this one finds damage before it is
 * written.
 */
import { defineOwnApi } from "./own_api.ts";
import { Fields, INT32_MAX } from "./shape.ts";
import { asSnapshotName, type SnapshotName } from "./snapshot_id.ts";

export interface SnapshotFetchRequest {
  readonly snapshot: SnapshotName;
  readonly position: number;
  readonly bytesMax: number;
}

export interface SnapshotFetchResponse {
  readonly errorCode: number;
  readonly bytes: Uint8Array;
  /** Of the whole file. */
  readonly totalBytes: number;
  /** Of `bytes`. */
  readonly crc32c: number;
}

const UINT32_MAX = 0xffff_ffff;

export const snapshotFetch = defineOwnApi<SnapshotFetchRequest, SnapshotFetchResponse>({
  key: 0x4003,
  name: "SnapshotFetch",
  version: 0,
  lane: "poll",
  askedOf: "any",
  asRequest(value): SnapshotFetchRequest | string {
    const fields = new Fields(value, "SnapshotFetch");
    const position = fields.count("position");
    const bytesMax = fields.int("bytesMax", 1, INT32_MAX);
    if (fields.failure !== undefined) return fields.failure;
    const snapshot = asSnapshotName(
      fields.value("snapshot"),
      "SnapshotFetch.snapshot",
    );
    return typeof snapshot === "string" ? snapshot : { snapshot, position, bytesMax };
  },
  asResponse(value): SnapshotFetchResponse | string {
    const fields = new Fields(value, "SnapshotFetch");
    const response = {
      errorCode: fields.errorCode(),
      bytes: fields.bytes("bytes"),
      totalBytes: fields.count("totalBytes"),
      crc32c: fields.int("crc32c", 0, UINT32_MAX),
    };
    return fields.failure ?? response;
  },
});
