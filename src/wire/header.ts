/**
 * The headers of requests and responses.
 *
 * Request header 1, or 2 where the API is flexible in that version: 2 only adds a tag section, and
 * keeps the client id as a classic string, so that a broker can read the header of an ApiVersions
 * request from the future. Response header 0, or 1 where flexible: 1 only adds a tag section; the
 * response of ApiVersions has header 0 in every version, so that any client can read it.
 */
import { apiVersions } from "../api/api_versions.ts";
import { apiOf, isFlexible } from "../api/registry.ts";
import type { Api } from "../api/schema.ts";
import type { Reader } from "../ground/reader.ts";
import { bytesOf, utf8Bytes } from "../ground/text.ts";
import type { Writer } from "../ground/writer.ts";
import { skipTags } from "./decode.ts";

export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/**
 * Elements of all arrays of one request. Each costs a hundred bytes of memory and half a microsecond,
 * and a frame of 100 MiB has room for fifty million (CVE-2026-111108); no client needs so many.
 */
const REQUEST_ELEMENTS_MAX = 100_000;

/** Reads a header of whatever key and version; whether they are served is the caller's question. */
export function readRequestHeader(reader: Reader): RequestHeader {
  reader.limitElements(REQUEST_ELEMENTS_MAX);
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const clientIdBytes = reader.int16();
  const clientId = clientIdBytes < 0 ? null : reader.text(clientIdBytes);
  // As in bodies: what is not UTF-8 grows, and must still fit where it is written again.
  if (clientId !== null && clientIdBytes > 0x7fff / 3 && utf8Bytes(clientId) > 0x7fff) {
    reader.fail("Cannot read client id: it is not UTF-8");
  }
  const api = apiOf(apiKey);
  if (api !== undefined && isFlexible(api, apiVersion)) skipTags(reader);
  return { apiKey, apiVersion, correlationId, clientId };
}

/** What a sender chooses; the key comes from the API. */
export type RequestHeaderInput = Omit<RequestHeader, "apiKey">;

export function writeRequestHeader(writer: Writer, api: Api, header: RequestHeaderInput): void {
  writer.int16(api.key);
  writer.int16(header.apiVersion);
  writer.int32(header.correlationId);
  if (header.clientId === null) {
    writer.int16(-1);
  } else {
    const clientId = bytesOf(header.clientId).subarray(0, 0x7fff);
    writer.int16(clientId.length);
    writer.raw(clientId);
  }
  if (isFlexible(api, header.apiVersion)) writer.unsignedVarint(0);
}

/** The correlation id at the start of a response, before its API is known; -1 where it is cut off. */
export function correlationIdOf(frame: Uint8Array): number {
  if (frame.length < 4) return -1;
  return new DataView(frame.buffer, frame.byteOffset, 4).getInt32(0);
}

export interface ResponseHeader {
  readonly correlationId: number;
}

export function readResponseHeader(reader: Reader, api: Api, version: number): ResponseHeader {
  const correlationId = reader.int32();
  if (hasResponseTags(api, version)) skipTags(reader);
  return { correlationId };
}

/** Shape: the header of the answer to a request of `api` in `version`. */
export function writeResponseHeader(
  writer: Writer,
  api: Api,
  { apiVersion, correlationId }: { readonly apiVersion: number; readonly correlationId: number },
): void {
  writer.int32(correlationId);
  if (hasResponseTags(api, apiVersion)) writer.unsignedVarint(0);
}

function hasResponseTags(api: Api, version: number): boolean {
  return api.key !== apiVersions.key && isFlexible(api, version);
}
