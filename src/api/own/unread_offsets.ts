/**
 * UnreadOffsets (key 0x4009): whoever coordinates groups asks the leader of partitions what lies behind
 * committed offsets, for its metrics: the high watermark, and when the first unread record was written.
 *
 * Kafka's ListOffsets knows the one and not the other. Answers come in the order of the question; a
 * partition that the node does not lead, or cannot read, has a high watermark of -1.
 */
import type { Uuid } from "../../ground/uuid.ts";
import { defineOwnApi } from "./own_api.ts";
import { Fields } from "./shape.ts";

export interface CommittedPlace {
  readonly topicId: Uuid;
  readonly partitionId: number;
  /** The first that was not read. */
  readonly offset: number;
}

export interface UnreadOffsetsRequest {
  readonly places: readonly CommittedPlace[];
}

export interface UnreadEnd {
  /** -1 = not known here. */
  readonly highWatermark: number;
  /** When the record at the offset was written; -1 = there is none, or it is not known. */
  readonly writtenMs: number;
}

export interface UnreadOffsetsResponse {
  readonly errorCode: number;
  readonly ends: readonly UnreadEnd[];
}

/** As many as a page of metrics has. */
export const UNREAD_PLACES_MAX = 10_000;

export const unreadOffsets = defineOwnApi<UnreadOffsetsRequest, UnreadOffsetsResponse>({
  key: 0x4009,
  name: "UnreadOffsets",
  version: 0,
  lane: "look",
  asRequest(value): UnreadOffsetsRequest | string {
    const fields = new Fields(value, "UnreadOffsets");
    const request = { places: fields.list("places", UNREAD_PLACES_MAX, asPlace) };
    return fields.failure ?? request;
  },
  asResponse(value): UnreadOffsetsResponse | string {
    const fields = new Fields(value, "UnreadOffsets");
    const response = {
      errorCode: fields.errorCode(),
      ends: fields.list("ends", UNREAD_PLACES_MAX, asEnd),
    };
    return fields.failure ?? response;
  },
});

function asPlace(value: unknown, path: string): CommittedPlace | string {
  const fields = new Fields(value, path);
  const place = {
    topicId: fields.uuid("topicId"),
    partitionId: fields.id("partitionId"),
    offset: fields.count("offset"),
  };
  return fields.failure ?? place;
}

function asEnd(value: unknown, path: string): UnreadEnd | string {
  const fields = new Fields(value, path);
  const end = {
    highWatermark: fields.int("highWatermark", -1, Number.MAX_SAFE_INTEGER),
    writtenMs: fields.int("writtenMs", -1, Number.MAX_SAFE_INTEGER),
  };
  return fields.failure ?? end;
}
