/**
 * Messages of every API, direction and version: what is written is what is read.
 *
 * `kafka_4_1_messages_bytes.json` holds lines of name, direction, version and hexadecimal bytes:
 * random messages that the generated classes of Apache Kafka 4.1.1 have read and written back equal.
 */
import { describe, expect, test } from "bun:test";
import { apis, isFlexible } from "../../src/api/registry.ts";
import type { Api, Fields } from "../../src/api/schema.ts";
import { fetch } from "../../src/api/fetch.ts";
import { metadata } from "../../src/api/metadata.ts";
import { produce } from "../../src/api/produce.ts";
import { Prng } from "../../src/ground/prng.ts";
import { Reader } from "../../src/ground/reader.ts";
import { type Foreign, Writer } from "../../src/ground/writer.ts";
import {
  readerOf,
  requestReader,
  requestWriter,
  responseReader,
  responseWriter,
  writerOf,
} from "../../src/wire/codec.ts";
import kafkaBytes from "../golden/kafka_4_1_messages_bytes.json" with { type: "json" };
import { bytesOfHex, hexOf } from "./hex.ts";
import { randomStruct, seedOf } from "./random_message.ts";

const ROUNDS = 40;

/** All parts in one piece. */
function joined(writer: Writer): Uint8Array {
  const bytes = new Uint8Array(writer.byteLength);
  let at = 0;
  for (const part of writer.parts()) {
    bytes.set(part as Uint8Array, at);
    at += part.byteLength;
  }
  return bytes;
}

function versionsOf(api: Api): number[] {
  const [low, high] = api.versions;
  return Array.from({ length: high - low + 1 }, (_, index) => low + index);
}

describe("readerOf() and writerOf()", () => {
  const seed = seedOf("codec round trip");
  for (const api of apis) {
    for (const [direction, fields] of [["request", api.request], ["response", api.response]]) {
      test(`${api.name} ${direction as string} comes back as it went, in every version`, () => {
        for (const version of versionsOf(api)) roundTrips(api, fields as Fields, version, seed);
      });
    }
  }
});

function roundTrips(api: Api, fields: Fields, version: number, seed: number): void {
  const prng = new Prng(seed + api.key * 100 + version);
  const flexible = isFlexible(api, version);
  for (let round = 0; round < ROUNDS; round++) {
    const value = randomStruct(prng, fields, version);
    const writer = new Writer(16);
    writerOf(fields, version, flexible)(writer, value as never);
    const bytes = joined(writer);
    const reader = new Reader(bytes);
    const read: unknown = readerOf(fields, version, flexible)(reader);
    expect([reader.failure, reader.remaining]).toEqual([undefined, 0]);
    expect(read).toEqual(value);
  }
}

describe("messages that Kafka's own classes have read and written", () => {
  for (const api of apis) {
    test(`${api.name} gives back Kafka's bytes`, () => {
      const lines = kafkaBytes.filter((line) => line.startsWith(`${api.name} `));
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) {
        const [, direction, versionText, hex] = line.split(" ") as [string, string, string, string];
        const version = Number(versionText);
        const fields = direction === "request" ? api.request : api.response;
        const reader = new Reader(bytesOfHex(hex ?? ""));
        const value = readerOf(fields, version, isFlexible(api, version))(reader);
        expect([line, reader.failure, reader.remaining]).toEqual([line, undefined, 0]);
        const writer = new Writer();
        writerOf(fields, version, isFlexible(api, version))(writer, value);
        expect(hexOf(joined(writer))).toBe(hex ?? "");
      }
    });
  }
});

/** A file's range, as the log would give it. */
interface Elsewhere extends Foreign {
  readonly name: string;
}

describe("records", () => {
  test("responseWriter() puts record parts between its own bytes without copying", () => {
    const memory = new Uint8Array([1, 2, 3]);
    const range: Elsewhere = { name: "range", byteLength: 1000 };
    const writer = new Writer();
    responseWriter(fetch, 12)(writer, {
      responses: [{
        topic: "t",
        partitions: [{
          partitionIndex: 0,
          errorCode: 0,
          highWatermark: 9,
          abortedTransactions: null,
          records: [memory, range],
        }],
      }],
    });
    const parts = writer.parts();
    expect(parts).toHaveLength(4);
    expect(parts[1]).toBe(memory);
    expect(parts[2]).toBe(range);
    const head = parts[0] as Uint8Array;
    // 1004 as an unsigned varint: the length of all parts, and one.
    expect([...head.subarray(head.length - 2)]).toEqual([0xec, 0x07]);
    expect([...parts[3] as Uint8Array]).toEqual([0, 0, 0]);
  });

  test("requestReader() gives records as a view of the frame", () => {
    const writer = new Writer();
    const records = new Uint8Array([7, 8, 9]);
    requestWriter(produce, 3)(writer, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [{
        name: "t",
        partitionData: [{ index: 0, records }, { index: 1, records: null }],
      }],
    });
    const bytes = joined(writer);
    const request = requestReader(produce, 3)(new Reader(bytes));
    const partitions = request.topicData[0]?.partitionData ?? [];
    expect(partitions[0]?.records).toEqual(records);
    expect(partitions[0]?.records?.buffer).toBe(bytes.buffer);
    expect(partitions[1]?.records).toBeNull();
  });
});

describe("compiled codecs", () => {
  test("are compiled once per schema and version", () => {
    expect(requestReader(metadata, 9)).toBe(requestReader(metadata, 9));
    expect(responseWriter(metadata, 9)).toBe(responseWriter(metadata, 9));
    expect(requestReader(metadata, 9) === requestReader(metadata, 8)).toBeFalse();
  });

  test("a writer refuses a null that its version does not allow", () => {
    const write = requestWriter(metadata, 0);
    expect(() => write(new Writer(), { topics: null })).toThrow("topics may be null in version 0");
  });

  test("a reader refuses a null that its version does not allow", () => {
    const reader = new Reader(new Uint8Array([255, 255, 255, 255]));
    expect(requestReader(metadata, 0)(reader).topics).toEqual([]);
    expect(reader.failure ?? "").toContain("Cannot read topics: it is null");
  });

  test("a writer refuses a string that no peer could read", () => {
    const topics = [{ name: "x".repeat(0x8000) }];
    for (const version of [1, 9]) {
      const write = requestWriter(metadata, version);
      expect(() => write(new Writer(), { topics })).toThrow("at most 32,767 bytes");
    }
  });

  test("a reader of any version gives all fields, absent ones with their default", () => {
    const writer = new Writer();
    requestWriter(metadata, 0)(writer, { topics: [], allowAutoTopicCreation: false });
    const request = requestReader(metadata, 0)(new Reader(writer.finish()));
    expect(request).toEqual({
      topics: [],
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
  });
});

describe("tagged fields", () => {
  const fields = [
    { name: "plain", type: "int8", versions: "0+" },
    { name: "late", type: "string", versions: "0+", tagged: "1+", tag: 5, default: "" },
    { name: "early", type: "int32", versions: "0+", tagged: "1+", tag: 2, default: -1 },
  ] as const;

  function written(value: { plain: number; late?: string; early?: number }): number[] {
    const writer = new Writer();
    writerOf(fields, 1, true)(writer, value);
    return [...writer.finish()];
  }

  function failureOf(bytes: readonly number[]): string {
    const reader = new Reader(new Uint8Array(bytes));
    readerOf(fields, 1, true)(reader);
    return reader.failure ?? (reader.remaining > 0 ? "bytes are left" : "");
  }

  test("defaults are not written", () => {
    expect(written({ plain: 1 })).toEqual([1, 0]);
    expect(written({ plain: 1, late: "", early: -1 })).toEqual([1, 0]);
  });

  test("are written in the order of their tags", () => {
    expect(written({ plain: 1, late: "x", early: 7 }))
      .toEqual([1, 2, 2, 4, 0, 0, 0, 7, 5, 2, 2, 120]);
  });

  test("unknown ones are skipped", () => {
    const reader = new Reader(new Uint8Array([1, 3, 2, 4, 0, 0, 0, 7, 3, 2, 9, 9, 5, 2, 2, 120]));
    expect(readerOf(fields, 1, true)(reader)).toEqual({ plain: 1, late: "x", early: 7 });
    expect([reader.failure, reader.remaining]).toEqual([undefined, 0]);
  });

  test("a size that is not the field's is refused", () => {
    expect(failureOf([1, 1, 2, 5, 0, 0, 0, 7, 0])).toContain("Cannot read tag 2");
    expect(failureOf([1, 1, 2, 3, 0, 0, 0, 7])).toContain("Cannot read tag 2");
    expect(failureOf([1, 1, 2, 9, 0, 0, 0, 7])).toContain("Cannot read 9 bytes");
    expect(failureOf([1, 1, 3, 9, 0, 0, 0, 7])).toContain("Cannot read 9 bytes");
  });

  test("more than 64 are refused, 64 are not", () => {
    const many = (count: number): number[] => [
      ...[1, count],
      ...Array.from({ length: count }, (_, index) => [index + 10, 0]).flat(),
    ];
    expect(failureOf(many(64))).toBe("");
    expect(failureOf(many(65))).toContain("at most 64");
  });
});

describe("arrays", () => {
  test("a count that cannot be there is refused before anything is made", () => {
    const writer = new Writer();
    writer.int32(0x7fff_ffff);
    writer.raw(new Uint8Array(40));
    const reader = new Reader(writer.finish());
    expect(responseReader(metadata, 0)(reader).brokers).toEqual([]);
    expect(reader.failure ?? "").toContain("2147483647 elements do not fit");
  });

  test("reading ends with the first failure inside", () => {
    const reader = new Reader(new Uint8Array([0, 0, 0, 3, 0, 1, 97, 0, 9, 98, 98, 98]));
    expect(requestReader(metadata, 0)(reader).topics).toHaveLength(2);
    expect(reader.failure ?? "").toContain("Cannot read 9 bytes");
  });
});
