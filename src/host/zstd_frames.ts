/**
 * Finds the zstd frames in a stream by their headers, without inflating them.
 *
 * The runtimes' inflaters take one frame (Deno) or all (Bun), pass over what follows, and give a piece
 * where the last frame is cut short; so each frame is measured here, and given to them alone.
 *
 *     frame     = 28 b5 2f fd, descriptor, [window 1], [dictionary id 0 … 4], [content size 0 … 8],
 *                 block*, [checksum 4]
 *     block     = header 3 bytes (last 1 bit, type 2 bits, size 21 bits), data (one byte for type 1)
 *     skippable = 5x 2a 4d 18, size uint32, data
 *
 * Source: RFC 8878.
 */
import { corrupt } from "./inflated.ts";

export interface ZstdFrame {
  readonly bytes: Uint8Array;
  /** What the frame says of itself, if anything; not to be trusted. */
  readonly contentSize: number | undefined;
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const SINGLE_SEGMENT = 0x20;
const RESERVED = 0x08;
const CHECKSUM = 0x04;
const BLOCK_RUN = 1;
const BLOCK_RESERVED = 3;

/** The frames in order, skippable ones left out. Throws a `CompressionFault`. */
export function zstdFrames(bytes: Uint8Array): readonly ZstdFrame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: ZstdFrame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const magic = view.getUint32(need(view, at, 4), true);
    if (((magic & SKIPPABLE_MASK) >>> 0) === SKIPPABLE) {
      at += 8 + view.getUint32(need(view, at + 4, 4), true);
      need(view, at, 0);
    } else if (magic === MAGIC) {
      const { contentSize, dataStart } = readHeader(view, at + 4);
      const end = frameEnd(view, dataStart, view.getUint8(at + 4));
      frames.push({ bytes: bytes.subarray(at, end), contentSize });
      at = end;
    } else {
      throw corrupt("zstd", `${magic.toString(16).padStart(8, "0")} is no magic number`);
    }
  }
  return frames;
}

function readHeader(
  view: DataView,
  start: number,
): { readonly contentSize: number | undefined; readonly dataStart: number } {
  const descriptor = view.getUint8(need(view, start, 1));
  if ((descriptor & RESERVED) !== 0) throw corrupt("zstd", "a reserved bit is set");
  const isSingleSegment = (descriptor & SINGLE_SEGMENT) !== 0;
  const dictionaryBytes = (1 << (descriptor & 3)) >> 1;
  if (dictionaryBytes > 0) throw corrupt("zstd", "it wants a dictionary");
  const at = start + (isSingleSegment ? 1 : 2);
  const width = descriptor >>> 6;
  if (width === 0 && !isSingleSegment) return { contentSize: undefined, dataStart: at };
  const dataStart = at + (1 << width);
  need(view, at, dataStart - at);
  switch (width) {
    case 0:
      return { contentSize: view.getUint8(at), dataStart };
    case 1:
      return { contentSize: view.getUint16(at, true) + 256, dataStart };
    case 2:
      return { contentSize: view.getUint32(at, true), dataStart };
    default:
      return {
        contentSize: view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true),
        dataStart,
      };
  }
}

function frameEnd(view: DataView, dataStart: number, descriptor: number): number {
  let at = dataStart;
  for (let isLast = false; !isLast;) {
    need(view, at, 3);
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >>> 1) & 3;
    if (type === BLOCK_RESERVED) throw corrupt("zstd", "a block's type is unknown");
    isLast = (header & 1) === 1;
    at += 3 + (type === BLOCK_RUN ? 1 : header >>> 3);
  }
  if ((descriptor & CHECKSUM) !== 0) at += 4;
  return need(view, at, 0);
}

/** `at`, behind which `count` bytes are there. */
function need(view: DataView, at: number, count: number): number {
  if (at + count > view.byteLength) throw corrupt("zstd", "it is cut short");
  return at;
}
