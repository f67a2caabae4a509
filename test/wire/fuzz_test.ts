/**
 * Random and mutated bytes through every reader: it never throws, ends, and makes no more than the
 * frame pays for.
 */
import { describe, expect, test } from "bun:test";
import { apis, isFlexible } from "../../src/api/registry.ts";
import type { Fields } from "../../src/api/schema.ts";
import { Prng } from "../../src/ground/prng.ts";
import { Reader } from "../../src/ground/reader.ts";
import { Writer } from "../../src/ground/writer.ts";
import { readerOf, writerOf } from "../../src/wire/codec.ts";
import { readRequestHeader } from "../../src/wire/header.ts";
import { includesVersion } from "../../src/wire/version_range.ts";
import { randomStruct, seedOf } from "./random_message.ts";

/** Over 150 versions, two directions: over a million frames. */
const FRAMES_PER_READER = 4_000;
const HEADER_FRAMES = 50_000;
/** Of this many frames one is looked at closely. */
const CLOSE_LOOK = 16;
const FRAME_BYTES_MAX = 4096;

/** Bytes that break length fields: their extremes, in every width. */
const EDGES: readonly (readonly number[])[] = [
  [0],
  [1],
  [0x7f],
  [0x80],
  [0xff],
  [0x7f, 0xff],
  [0x80, 0x00],
  [0x7f, 0xff, 0xff, 0xff],
  [0x80, 0, 0, 0],
  [0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
];

/** Changes the frame in place; returns the length that is left of it. */
function mutate(prng: Prng, frame: Uint8Array, length: number): number {
  for (let left = prng.between(1, 4); left > 0; left--) {
    if (length === 0) return 0;
    const at = prng.below(length);
    switch (prng.below(4)) {
      case 0:
        frame[at] = prng.u32() & 255;
        break;
      case 1:
        frame[at] = (frame[at] as number) ^ (1 << prng.below(8));
        break;
      case 2: {
        const edge = EDGES[prng.below(EDGES.length)] as readonly number[];
        if (at + edge.length <= length) frame.set(edge, at);
        break;
      }
      default:
        if (prng.oneIn(4)) length = at; // cut off
        else frame.copyWithin(at, prng.below(length), length); // moved, or said twice
    }
  }
  return length;
}

/** Elements of arrays, structs and bytes in what was read. */
function elementsIn(value: unknown): number {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return 0;
  if (Array.isArray(value)) {
    return value.reduce((sum: number, element) => sum + 1 + elementsIn(element), 0);
  }
  return Object.values(value).reduce((sum: number, part) => sum + elementsIn(part), 0);
}

function validFrames(prng: Prng, fields: Fields, version: number, flexible: boolean): Uint8Array[] {
  return Array.from({ length: 24 }, () => {
    const writer = new Writer();
    writerOf(fields, version, flexible)(writer, randomStruct(prng, fields, version) as never);
    const frame = new Uint8Array(writer.byteLength);
    let at = 0;
    for (const part of writer.parts()) {
      frame.set(part as Uint8Array, at);
      at += part.byteLength;
    }
    return frame.subarray(0, FRAME_BYTES_MAX);
  });
}

interface Tally {
  frames: number;
  refused: number;
}

function fuzz(prng: Prng, fields: Fields, version: number, flexible: boolean): Tally {
  const read = readerOf(fields, version, flexible);
  const valid = validFrames(prng, fields, version, flexible);
  const frame = new Uint8Array(FRAME_BYTES_MAX);
  const tally = { frames: 0, refused: 0 };
  while (tally.frames < FRAMES_PER_READER) {
    let length: number;
    if (prng.oneIn(8)) {
      length = prng.below(64);
      for (let at = 0; at < length; at++) frame[at] = prng.u32();
    } else {
      const source = valid[prng.below(valid.length)] as Uint8Array;
      frame.set(source);
      length = mutate(prng, frame, source.length);
    }
    const reader = new Reader(frame, 0, length);
    const value = read(reader);
    tally.frames++;
    if (reader.failure !== undefined) tally.refused++;
    if (tally.frames % CLOSE_LOOK === 0) {
      expect(elementsIn(value)).toBeLessThanOrEqual(length + 1024);
      expect(reader.position).toBeLessThanOrEqual(length);
    }
  }
  return tally;
}

describe("readers under rubbish", () => {
  const seed = seedOf("fuzz");
  let frames = 0;
  for (const api of apis) {
    test(`${api.name} neither throws nor grows`, () => {
      const prng = new Prng(seed * 1000 + api.key);
      for (let version = api.versions[0]; version <= api.versions[1]; version++) {
        for (const fields of [api.request, api.response]) {
          const tally = fuzz(prng, fields, version, isFlexible(api, version));
          frames += tally.frames;
          // The mutations are worth something: some frames are refused, where there is a field.
          if (fields.some(({ versions }) => includesVersion(versions, version))) {
            expect(tally.refused).toBeGreaterThan(0);
          }
        }
      }
    });
  }

  test("are tried with at least a million frames", () => {
    expect(frames).toBeGreaterThanOrEqual(1_000_000);
  });

  test("readRequestHeader() neither throws nor makes something out of nothing", () => {
    const prng = new Prng(seed);
    const frame = new Uint8Array(64);
    const wrong: string[] = [];
    for (let round = 0; round < HEADER_FRAMES; round++) {
      const length = prng.below(48);
      for (let at = 0; at < length; at++) frame[at] = prng.u32();
      frame[0] = 0;
      frame[1] = prng.below(80);
      const reader = new Reader(frame, 0, length);
      const header = readRequestHeader(reader);
      if (length < 10 && reader.failure === undefined) wrong.push(`a header of ${length} bytes`);
      if ((header.clientId ?? "").length > length) wrong.push(`a client id in ${length} bytes`);
    }
    expect(wrong).toEqual([]);
  });

  test("readers give up on counts that only lie", () => {
    // Empty structs and one-byte elements: the most objects a frame can ask for.
    const fields = [
      { name: "outer", versions: "0+", array: [{ name: "inner", array: "int8", versions: "0+" }] },
    ] as const;
    const frame = new Uint8Array(4096).fill(0x7f);
    const reader = new Reader(frame);
    const value = readerOf(fields, 0, true)(reader);
    expect(reader.failure === undefined).toBeFalse();
    expect(elementsIn(value)).toBeLessThanOrEqual(frame.length + 1024);
  });
});
