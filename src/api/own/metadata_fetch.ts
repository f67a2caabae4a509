/**
 * MetadataFetch (key 0x4002): committed batches of the metadata log from an offset on, for whoever
 * follows it without a vote. A long poll: it answers when there is something, or `waitMs` later.
 *
 * Any controller answers, with what it knows to be committed. One that has no batches so far back any
 * more names its snapshot instead; one whose log the caller's does not fit says so by an error code.
 */
import { type Offset, toOffset } from "../../ground/numbers.ts";
import type { Uuid } from "../../ground/uuid.ts";
import { defineOwnApi } from "./own_api.ts";
import { Fields, INT32_MAX } from "./shape.ts";
import { asSnapshotName, type SnapshotName, TERM_MAX } from "./snapshot_id.ts";

export interface MetadataFetchRequest {
  /** The first that is wanted. */
  readonly offset: Offset;
  /** Of the batch below `offset`; 0 where there is none. */
  readonly lastTerm: number;
  readonly bytesMax: number;
  readonly waitMs: number;
  readonly nodeId: number;
  readonly incarnationId: Uuid;
}

export interface MetadataFetchResponse {
  readonly errorCode: number;
  readonly leaderId?: number | undefined;
  readonly term: number;
  /** Everything below is committed. */
  readonly commitOffset: Offset;
  /** Whole batches, all committed; left out where there are none. */
  readonly records?: Uint8Array | undefined;
  /** What to fetch instead of batches. */
  readonly snapshot?: SnapshotName | undefined;
}

export const metadataFetch = defineOwnApi<MetadataFetchRequest, MetadataFetchResponse>({
  key: 0x4002,
  name: "MetadataFetch",
  version: 0,
  lane: "poll",
  askedOf: "any",
  asRequest(value): MetadataFetchRequest | string {
    const fields = new Fields(value, "MetadataFetch");
    const request = {
      offset: toOffset(fields.count("offset")),
      lastTerm: fields.int("lastTerm", 0, TERM_MAX),
      bytesMax: fields.int("bytesMax", 1, INT32_MAX),
      waitMs: fields.int("waitMs", 0, INT32_MAX),
      nodeId: fields.id("nodeId"),
      incarnationId: fields.uuid("incarnationId"),
    };
    return fields.failure ?? request;
  },
  asResponse(value): MetadataFetchResponse | string {
    const fields = new Fields(value, "MetadataFetch");
    const response = {
      errorCode: fields.errorCode(),
      term: fields.int("term", 0, TERM_MAX),
      commitOffset: toOffset(fields.count("commitOffset")),
      ...(fields.has("leaderId") ? { leaderId: fields.id("leaderId") } : {}),
      ...(fields.has("records") ? { records: fields.bytes("records") } : {}),
    };
    if (!fields.has("snapshot")) return fields.failure ?? response;
    const snapshot = asSnapshotName(
      fields.value("snapshot"),
      "MetadataFetch.snapshot",
    );
    if (typeof snapshot === "string") return snapshot;
    return fields.failure ?? { ...response, snapshot };
  },
});
