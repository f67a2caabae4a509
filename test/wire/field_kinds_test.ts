/** Kinds of fields that only some messages have: copied bytes, structs that may be null, cut text. */
import { describe, expect, test } from "bun:test";
import type { Fields } from "../../src/api/schema.ts";
import { syncGroup } from "../../src/api/sync_group.ts";
import { Reader } from "../../src/ground/reader.ts";
import { Writer } from "../../src/ground/writer.ts";
import { readerOf, responseReader, responseWriter, writerOf } from "../../src/wire/codec.ts";
import { hexOf } from "./hex.ts";

describe("bytes and nullable structs", () => {
  test("a reader gives bytes as a copy, which outlives the frame", () => {
    const writer = new Writer();
    const assignment = new Uint8Array([1, 2, 3]);
    responseWriter(syncGroup, 5)(writer, { errorCode: 0, assignment });
    const frame = writer.finish();
    const read = responseReader(syncGroup, 5)(new Reader(frame));
    frame.fill(0xff);
    expect(read.assignment).toEqual(assignment);
  });

  test("a nullable struct is marked by a byte, and among the tags by a varint", () => {
    const struct = [{ name: "a", type: "int8", versions: "0+" }] as const;
    const plain = [{ name: "s", struct, versions: "0+", nullable: "0+" }] as const;
    const tagged = [
      { name: "s", struct, versions: "0+", nullable: "0+", tagged: "0+", tag: 0 },
    ] as const;
    for (
      const [fields, given, hex] of [
        [plain, null, "ff" + "00"],
        [plain, { a: 7 }, "01" + "0700" + "00"],
        [tagged, null, "01" + "0001" + "00"],
        [tagged, { a: 7 }, "01" + "0003" + "01" + "0700"],
        [tagged, { a: 0 }, "00"], // the default, which needs no tag
      ] as const
    ) {
      const writer = new Writer();
      writerOf(fields, 0, true)(writer, { s: given });
      expect(hexOf(writer.finish())).toBe(hex);
      const reader = new Reader(writer.finish());
      expect(readerOf(fields, 0, true)(reader)).toEqual({ s: given });
      expect([reader.failure, reader.remaining]).toEqual([undefined, 0]);
    }
  });
});

describe("strings", () => {
  const fields = (mayBeCut: boolean): Fields => [
    { name: "told", type: "string", versions: "0+", ...(mayBeCut ? { mayBeCut } : {}) },
  ];

  test("that people read are cut to what fits, where others end the program", () => {
    const told = `a${"ß".repeat(20_000)}`;
    for (const flexible of [false, true]) {
      const writer = new Writer();
      writerOf(fields(true), 0, flexible)(writer, { told });
      const read = readerOf(fields(true), 0, flexible)(new Reader(writer.finish()));
      expect(read["told"]).toBe(`a${"ß".repeat(0x7ffe / 2)}`);
      expect(() => writerOf(fields(false), 0, flexible)(writer, { told })).toThrow("32,767");
    }
  });
});
