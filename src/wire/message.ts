/**
 * Whole frames ready to be sent: length, header and body, as parts that are not copied together.
 *
 * Record batches inside stay where they are (memory or file), between the parts written here.
 */
import type { Api, RequestInput, ResponseInput } from "../api/schema.ts";
import { type Foreign, Writer } from "../ground/writer.ts";
import { requestWriter, responseWriter } from "./codec.ts";
import { type RequestHeaderInput, writeRequestHeader, writeResponseHeader } from "./header.ts";

/** A request as it goes out. */
export function requestFrame<A extends Api>(
  api: A,
  header: RequestHeaderInput,
  body: RequestInput<A>,
): readonly Foreign[] {
  const writer = new Writer();
  writer.int32(0);
  writeRequestHeader(writer, api, header);
  requestWriter(api, header.apiVersion)(writer, body);
  return framed(writer);
}

/** A response as it goes out; `apiVersion` is the request's. */
export function responseFrame<A extends Api>(
  api: A,
  header: { readonly apiVersion: number; readonly correlationId: number },
  body: ResponseInput<A>,
): readonly Foreign[] {
  const writer = new Writer();
  writer.int32(0);
  writeResponseHeader(writer, api, header);
  responseWriter(api, header.apiVersion)(writer, body);
  return framed(writer);
}

function framed(writer: Writer): readonly Foreign[] {
  writer.patchInt32(0, writer.byteLength - 4);
  return writer.parts();
}
