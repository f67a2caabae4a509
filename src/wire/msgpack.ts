/**
 * msgpack for what is mq's own: bodies of APIs from 0x4000 up and records of the metadata log.
 *
 * The decoder knows no supply of fuel, so callers bound the bytes first and check the shape of what
 * comes out before they use it.
 */
import { Packr } from "msgpackr/pack";

const packr = new Packr({ useRecords: false, int64AsType: "number", moreTypes: false });

export function encodeMessagePack(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** The decoded value, or undefined where the bytes are no msgpack. */
export function decodeMessagePack(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes);
  } catch {
    return undefined; // the library's way to refuse
  }
}
