/**
 * The LZ4 frame as Kafka speaks it: independent blocks of at most 64 KiB, no checksum of its own (the
 * batch has one), descriptor 60 40 82.
 *
 *     frame      = 04 22 4d 18, FLG, BD, [content size 8], [dictionary id 4], HC, block*, 0 uint32,
 *                  [content checksum 4]
 *     block      = size uint32 (highest bit: stored, not compressed), data, [block checksum 4]
 *     skippable  = 5x 2a 4d 18, size uint32, data
 *
 * Numbers are little-endian, checksums xxHash32. Read is any number of frames with blocks of up to 4
 * MiB; every checksum that is there is verified. Refused are blocks that refer to blocks before them,
 * since no Java consumer could read the batch (kafka: Lz4BlockInputStream), dictionaries, and the
 * frame format from before 2013.
 * Source: lz4, doc/lz4_Frame_format.md.
 */
import { inflateLz4Block, lz4BlockBytesMax, Lz4BlockWriter } from "./lz4_block.ts";
import { corrupt, Inflated } from "./inflated.ts";
import { xxhash32 } from "./xxhash32.ts";

const MAGIC = 0x184d2204;
const SKIPPABLE = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const FLAG_VERSION_MASK = 0xc0;
const FLAG_VERSION = 0x40;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_RESERVED = 0x02;
const FLAG_DICTIONARY = 0x01;
const BLOCK_SIZE_MIN = 4;
const DESCRIPTOR_RESERVED = 0x8f;
const STORED = 0x8000_0000;

const HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82);
const BLOCK_BYTES = 64 * 1024;

/** One frame of independent blocks. */
export function compressLz4Frame(bytes: Uint8Array): Uint8Array {
  const blockCount = Math.ceil(bytes.length / BLOCK_BYTES);
  const frame = new Uint8Array(
    HEADER.length + blockCount * 4 + lz4BlockBytesMax(bytes.length) + blockCount * 16 + 4,
  );
  const view = new DataView(frame.buffer);
  const writer = new Lz4BlockWriter();
  frame.set(HEADER);
  let at = HEADER.length;
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, bytes.length);
    const behind = writer.write(bytes, { start, end }, frame, at + 4);
    const size = behind - at - 4;
    if (size < end - start) {
      view.setUint32(at, size, true);
      at = behind;
    } else {
      view.setUint32(at, (end - start + STORED) >>> 0, true);
      frame.set(bytes.subarray(start, end), at + 4);
      at += 4 + end - start;
    }
  }
  view.setUint32(at, 0); // the end mark, where a block that did not shrink may have left its tail
  return frame.subarray(0, at + 4);
}

/** Throws a `CompressionFault`. */
export function inflateLz4Frames(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const target = new Inflated(bytesMax, bytes.length * 3);
  const source = new FrameSource(bytes);
  while (source.remaining() > 0) {
    const magic = source.uint32();
    if (magic === MAGIC) inflateFrame(source, target);
    else if (((magic & SKIPPABLE_MASK) >>> 0) === SKIPPABLE) source.skip(source.uint32());
    else throw corrupt("lz4", `${magic.toString(16).padStart(8, "0")} is no magic number`);
  }
  return target.finish();
}

function inflateFrame(source: FrameSource, target: Inflated): void {
  const { flags, blockBytesMax, contentSize } = readDescriptor(source);
  const frameStart = target.length;
  for (let size = source.uint32(); size !== 0; size = source.uint32()) {
    const isStored = size >= STORED;
    const dataBytes = isStored ? size - STORED : size;
    if (dataBytes > blockBytesMax) throw corrupt("lz4", `block size ${dataBytes} is too large`);
    const start = source.skip(dataBytes);
    const end = start + dataBytes;
    if ((flags & FLAG_BLOCK_CHECKSUM) !== 0) {
      source.verify(xxhash32(source.bytes, start, end), "a block's checksum");
    }
    if (isStored) target.literal(source.bytes, start, end);
    else inflateLz4Block(source.bytes, { start, end }, target, blockBytesMax);
  }
  if ((flags & FLAG_CONTENT_CHECKSUM) !== 0) {
    source.verify(xxhash32(target.bytes, frameStart, target.length), "the content's checksum");
  }
  if (contentSize !== undefined && contentSize !== target.length - frameStart) {
    throw corrupt("lz4", "the content is not of the size declared");
  }
}

interface Descriptor {
  readonly flags: number;
  readonly blockBytesMax: number;
  readonly contentSize: number | undefined;
}

function readDescriptor(source: FrameSource): Descriptor {
  const start = source.position;
  const flags = source.uint8();
  const descriptor = source.uint8();
  if ((flags & FLAG_VERSION_MASK) !== FLAG_VERSION || (flags & FLAG_RESERVED) !== 0) {
    throw corrupt("lz4", `frame flags ${flags.toString(16)} are unknown`);
  }
  if ((flags & FLAG_INDEPENDENT) === 0) throw corrupt("lz4", "its blocks are not independent");
  if ((flags & FLAG_DICTIONARY) !== 0) throw corrupt("lz4", "it wants a dictionary");
  const blockSize = (descriptor >>> 4) & 7;
  if ((descriptor & DESCRIPTOR_RESERVED) !== 0 || blockSize < BLOCK_SIZE_MIN) {
    throw corrupt("lz4", `block descriptor ${descriptor.toString(16)} is unknown`);
  }
  let contentSize: number | undefined;
  if ((flags & FLAG_CONTENT_SIZE) !== 0) {
    const low = source.uint32();
    contentSize = source.uint32() * 0x1_0000_0000 + low;
  }
  const checksum = (xxhash32(source.bytes, start, source.position) >>> 8) & 255;
  if (source.uint8() !== checksum) throw corrupt("lz4", "the frame header's checksum is wrong");
  return { flags, blockBytesMax: 1 << (8 + 2 * blockSize), contentSize };
}

/** The frame's numbers, read forward; throws where the bytes end. */
class FrameSource {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  remaining(): number {
    return this.bytes.length - this.position;
  }

  uint8(): number {
    return this.#view.getUint8(this.skip(1));
  }

  uint32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  verify(computed: number, what: string): void {
    if (this.uint32() !== computed) throw corrupt("lz4", `${what} is wrong`);
  }

  /** Goes over `count` bytes; returns where they begin. */
  skip(count: number): number {
    const at = this.position;
    if (count > this.remaining()) throw corrupt("lz4", "it is cut short");
    this.position = at + count;
    return at;
  }
}
