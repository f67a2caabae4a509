/**
 * The frames of mq's own APIs: Kafka's framing and request header 1, then one msgpack value.
 *
 *     request = length int32, apiKey int16, apiVersion int16, correlationId int32, -1 int16, msgpack
 *     answer  = length int32, correlationId int32, msgpack
 *
 * Whatever is read was looked through first (`msgpack_check.ts`) and then checked field by field
 * (`api/own/`); nothing here throws at bytes from outside.
 */
import { Packr } from "msgpackr/pack";
import { OWN_KEY_MIN, type OwnApi } from "../api/own/own_api.ts";
import { decodeMessagePack } from "./msgpack.ts";
import { refuseMessagePack } from "./msgpack_check.ts";

export interface OwnHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
}

/** Bytes in front of a request's body, without the length. */
export const OWN_HEADER_BYTES = 10;
const LENGTH_BYTES = 4;
const CORRELATION_BYTES = 4;
/** Above this a copy costs more than a second part. */
const JOIN_BYTES_MAX = 32 * 1024;

/** What is left out travels as nil, since nothing but plain values may. */
const packr = new Packr({ useRecords: false, moreTypes: false, encodeUndefinedAsNil: true });

/** Whether a frame, without its length, is a request of mq's own APIs. */
export function isOwnRequest(frame: Uint8Array): boolean {
  const high = frame[0] ?? 0;
  return high >= OWN_KEY_MIN >> 8 && high < 0x80;
}

/** Undefined where there is no such header. A client id may stand in it, which nobody asks for. */
export function readOwnHeader(frame: Uint8Array): OwnHeader | undefined {
  if (frame.length < OWN_HEADER_BYTES) return undefined;
  const apiKey = int16At(frame, 0);
  const clientIdBytes = int16At(frame, 8);
  if (apiKey < OWN_KEY_MIN || clientIdBytes >= 0) return undefined;
  return { apiKey, apiVersion: int16At(frame, 2), correlationId: int32At(frame, 4) };
}

/** A whole request, ready to be sent. */
export function ownRequestParts<Req, Res>(
  api: OwnApi<Req, Res>,
  correlationId: number,
  request: Req,
): readonly Uint8Array[] {
  const body = packr.pack(api.packRequest === undefined ? request : api.packRequest(request));
  const headBytes = LENGTH_BYTES + OWN_HEADER_BYTES;
  const head = headOf(headBytes, body);
  putInt32(head, 4, (api.key << 16) | api.version);
  putInt32(head, 8, correlationId);
  head[12] = 0xff; // no client id
  head[13] = 0xff;
  return partsOf(head, headBytes, body);
}

/** A whole answer, ready to be sent. */
export function ownResponseParts<Res>(correlationId: number, response: Res): readonly Uint8Array[] {
  const body = packr.pack(response);
  const head = headOf(LENGTH_BYTES + CORRELATION_BYTES, body);
  putInt32(head, 4, correlationId);
  return partsOf(head, LENGTH_BYTES + CORRELATION_BYTES, body);
}

/** The body of a request, given its frame without the length; or why there is none. */
export function readOwnRequest<Req, Res>(
  api: OwnApi<Req, Res>,
  frame: Uint8Array,
): Req | string {
  const refusal = refuseMessagePack(frame, OWN_HEADER_BYTES);
  if (refusal !== undefined) return `${api.name}: ${refusal}`;
  return api.asRequest(decodeMessagePack(frame.subarray(OWN_HEADER_BYTES)));
}

/** The body of an answer, given its frame without the length; or why there is none. */
export function readOwnResponse<Req, Res>(
  api: OwnApi<Req, Res>,
  frame: Uint8Array,
): Res | string {
  const refusal = refuseMessagePack(frame, Math.min(CORRELATION_BYTES, frame.length));
  if (refusal !== undefined) return `${api.name}: ${refusal}`;
  return api.asResponse(decodeMessagePack(frame.subarray(CORRELATION_BYTES)));
}

/** With room for the body where both are to be one part. */
function headOf(headBytes: number, body: Uint8Array): Uint8Array {
  const frameBytes = headBytes + body.length;
  const head = new Uint8Array(frameBytes <= JOIN_BYTES_MAX ? frameBytes : headBytes);
  putInt32(head, 0, frameBytes - LENGTH_BYTES);
  return head;
}

function partsOf(head: Uint8Array, headBytes: number, body: Uint8Array): readonly Uint8Array[] {
  if (head.length === headBytes) return [head, body];
  head.set(body, headBytes);
  return [head];
}

function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function int16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24) >> 16 | (bytes[at + 1] as number);
}

function int32At(bytes: Uint8Array, at: number): number {
  return int16At(bytes, at) << 16 | (int16At(bytes, at + 2) & 0xffff);
}
