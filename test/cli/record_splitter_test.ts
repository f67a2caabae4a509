import { describe, expect, test } from "bun:test";
import { RecordSplitter } from "../../cli/record_splitter.ts";
import { toBytes, toText } from "../../cli/record_text.ts";

/** Feeds the text in pieces of so many bytes and gives the records. */
function split(text: string, delimiter: string, pieceBytes: number, firstBytes = 8): string[] {
  const splitter = new RecordSplitter(
    { delimiter: toBytes(delimiter), recordBytesMax: 1 << 20 },
    firstBytes,
  );
  const records: string[] = [];
  const take = (): void => {
    records.push(toText(splitter.bytes.subarray(splitter.start, splitter.end)));
  };
  const bytes = toBytes(text);
  for (let at = 0; at < bytes.length;) {
    const room = splitter.room() as Uint8Array;
    const count = Math.min(pieceBytes, room.length, bytes.length - at);
    room.set(bytes.subarray(at, at + count));
    splitter.filled(count);
    at += count;
    while (splitter.next()) take();
  }
  if (splitter.last()) take();
  return records;
}

describe("RecordSplitter", () => {
  const texts = ["a\nbb\n\nccc\n", "", "\n", "\n\n", "no end", "a\nb", `x${"y".repeat(100)}\nz\n`];
  for (const text of texts) {
    test(`gives the lines of ${JSON.stringify(text.slice(0, 20))} whatever the pieces`, () => {
      const expected = text.split("\n");
      if (expected.at(-1) === "") expected.pop();
      for (let pieceBytes = 1; pieceBytes <= 16; pieceBytes++) {
        expect(split(text, "\n", pieceBytes)).toEqual(expected);
      }
    });
  }

  test("finds a delimiter of several bytes that arrives in parts", () => {
    for (let pieceBytes = 1; pieceBytes <= 9; pieceBytes++) {
      expect(split("a--b-c---d--", "--", pieceBytes)).toEqual(["a", "b-c", "-d"]);
    }
  });

  test("is not misled by old bytes behind what was read", () => {
    const splitter = new RecordSplitter({ delimiter: toBytes("\n"), recordBytesMax: 100 }, 16);
    splitter.room()?.set(toBytes("aaaaaaa\nbbbbbb\n"));
    splitter.filled(15);
    expect(splitter.next() && splitter.next()).toBeTrue();
    splitter.room()?.set(toBytes("cc"));
    splitter.filled(2);
    expect(splitter.next()).toBeFalse();
    expect(splitter.last()).toBeTrue();
    expect(toText(splitter.bytes.subarray(splitter.start, splitter.end))).toBe("cc");
    expect(splitter.last()).toBeFalse();
  });

  test("gives no room behind a record that is too long", () => {
    const splitter = new RecordSplitter({ delimiter: toBytes("\n"), recordBytesMax: 20 }, 16);
    for (let round = 0; round < 2; round++) {
      splitter.room()?.fill(0x61, 0, 8);
      splitter.filled(8);
    }
    expect(splitter.room()).toBeDefined();
    splitter.filled(8);
    expect(splitter.next()).toBeFalse();
    expect(splitter.room()).toBeUndefined();
  });
});
