/**
 * Snappy as Kafka's Java client writes it: the framing of xerial's SnappyOutputStream.
 *
 *     stream = header, chunk*           header = 82 "SNAPPY" 00, version int32 = 1, compatible int32 = 1
 *     chunk  = length int32, snappy block of at most 32 KiB of data
 *
 * librdkafka and others write one raw block without framing; both are read, as Kafka's consumers do,
 * and also streams put one behind the other. Written is the framing, which every client reads.
 */
import { compress as compressBlock } from "snappyjs";
import { corrupt, Inflated } from "./inflated.ts";
import { inflateSnappyBlock } from "./snappy_block.ts";

const HEADER = Uint8Array.of(0x82, 83, 78, 65, 80, 80, 89, 0, 0, 0, 0, 1, 0, 0, 0, 1);
const MAGIC_BYTES = 8;
const CHUNK_BYTES = 32 * 1024;

export function compressXerial(bytes: Uint8Array): Uint8Array {
  const blocks: Uint8Array[] = [];
  let total = HEADER.length;
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
    // A plain Uint8Array: the library makes a Buffer out of a Buffer.
    const chunk = plain(bytes, from, Math.min(from + CHUNK_BYTES, bytes.length));
    const block = compressBlock(chunk) as Uint8Array;
    blocks.push(block);
    total += 4 + block.length;
  }
  const stream = new Uint8Array(total);
  const view = new DataView(stream.buffer);
  stream.set(HEADER);
  let at = HEADER.length;
  for (const block of blocks) {
    view.setInt32(at, block.length);
    stream.set(block, at + 4);
    at += 4 + block.length;
  }
  return stream;
}

/** Takes framed and raw snappy. Throws a `CompressionFault`. */
export function inflateXerial(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const target = new Inflated(bytesMax, bytes.length * 3);
  if (!isHeaderAt(bytes, 0)) {
    inflateSnappyBlock(bytes, 0, bytes.length, target);
    return target.finish();
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (isHeaderAt(bytes, at)) {
      at += HEADER.length;
      continue;
    }
    const length = bytes.length - at < 4 ? -1 : view.getInt32(at);
    at += 4;
    if (length < 0 || length > bytes.length - at) {
      throw corrupt("snappy", `chunk length ${length} does not fit`);
    }
    inflateSnappyBlock(bytes, at, at + length, target);
    at += length;
  }
  return target.finish();
}

/** A whole header; its version numbers are not looked at, as in Kafka's other clients. */
function isHeaderAt(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < HEADER.length) return false;
  for (let index = 0; index < MAGIC_BYTES; index++) {
    if (bytes[at + index] !== HEADER[index]) return false;
  }
  return true;
}

function plain(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
}
