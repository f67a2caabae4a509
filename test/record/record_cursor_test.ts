import { describe, expect, test } from "bun:test";
import { BatchView } from "../../src/record/batch_view.ts";
import {
  batchOf,
  bytesOfText,
  cursorOver,
  linesOf,
  NOW,
  record,
  tools,
  withField,
  withRecords,
} from "./batches.ts";
import { RecordCursor } from "../../src/record/record_cursor.ts";

const batch = batchOf([
  record("value", { key: bytesOfText("key"), headers: [["a", bytesOfText("1")], ["b", null]] }),
  record(null),
]);

describe("RecordCursor", () => {
  test("keyStart to valueEnd are places in bytes, -1 where there is null", () => {
    const cursor = cursorOver(batch);
    expect(cursor.next()).toBeTrue();
    expect(cursor.bytes).toBe(batch);
    expect(cursor.bytes.subarray(cursor.keyStart, cursor.keyEnd)).toEqual(bytesOfText("key"));
    expect(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)).toEqual(bytesOfText("value"));
    expect(cursor.next()).toBeTrue();
    const places = [cursor.keyStart, cursor.keyEnd, cursor.valueStart, cursor.valueEnd];
    expect(places).toEqual([-1, -1, -1, -1]);
    expect(cursor.key()).toBeNull();
    expect(cursor.value()).toBeNull();
    expect(cursor.next()).toBeFalse();
    expect(cursor.failure).toBeUndefined();
  });

  test("headers() keeps order and nulls, and may be asked twice", () => {
    const cursor = cursorOver(batch);
    cursor.next();
    const wanted = [["a", bytesOfText("1")], ["b", null]];
    expect(cursor.headers()).toEqual(wanted as never);
    expect(cursor.headers()).toEqual(wanted as never);
    cursor.next();
    expect(cursor.headers()).toEqual([]);
  });

  test("key() of no bytes is not null", () => {
    const cursor = cursorOver(batchOf([record("", { key: new Uint8Array(0) })]));
    cursor.next();
    expect(cursor.key()).toEqual(new Uint8Array(0));
    expect(cursor.value()).toEqual(new Uint8Array(0));
  });

  test("open() serves one batch after the other", () => {
    const cursor = new RecordCursor({ decompress: tools.decompress, inflatedBytesMax: 1000 });
    for (const compressionType of ["gzip", "none", "lz4"] as const) {
      cursor.open(new BatchView(batchOf([record("a"), record("b")], {}, compressionType)));
      let count = 0;
      while (cursor.next()) count++;
      expect(count).toBe(2);
    }
  });

  test("open() reads a batch that begins inside the bytes", () => {
    const bytes = new Uint8Array(7 + batch.length);
    bytes.set(batch, 7);
    const view = new BatchView(bytes, 7);
    const cursor = new RecordCursor({ decompress: tools.decompress, inflatedBytesMax: 1000 });
    cursor.open(view);
    view.moveTo(0); // the view may move on
    expect(cursor.next()).toBeTrue();
    expect(cursor.value()).toEqual(bytesOfText("value"));
  });

  test("open() says why a batch is not read, and a good one then is", () => {
    const large = batchOf([record("x".repeat(2000))], {}, "zstd");
    const bad: readonly (readonly [Uint8Array, string])[] = [
      [withField(batch, 16, 1, 1), "magic 1"],
      [withField(batch, 21, 2, 6), "codec is unknown"],
      [withField(batch, 21, 2, 3), "magic number"],
      [large, "limit of 1000"],
    ];
    const cursor = new RecordCursor({ decompress: tools.decompress, inflatedBytesMax: 1000 });
    for (const [bytes, reason] of bad) {
      cursor.open(new BatchView(bytes));
      expect(cursor.failure).toContain(reason);
      expect(cursor.next()).toBeFalse();
      cursor.open(new BatchView(batch));
      expect(cursor.failure).toBeUndefined();
      expect(cursor.next()).toBeTrue();
    }
  });

  test("open() refuses a batch whose bytes are not all there", () => {
    const cursor = cursorOver(batch.subarray(0, batch.length - 1));
    expect(cursor.failure).toContain("cut short");
  });

  test("next() stops for good at a record that lies about its length", () => {
    const bent = withRecords(batch, Uint8Array.of(12, 0, 0, 0, 1, 1, 0, 40, 0, 0, 2, 1, 1, 0));
    const cursor = cursorOver(bent);
    expect(cursor.next()).toBeTrue();
    expect(cursor.next()).toBeFalse();
    expect(cursor.failure).toContain("length does not fit");
    expect(cursor.next()).toBeFalse();
  });

  test("next() ends where the count lies", () => {
    const more = cursorOver(withField(batch, 57, 4, 0x7fffffff));
    let count = 0;
    while (more.next()) count++;
    expect(count).toBe(2);
    expect(more.failure).toBeDefined();
    expect(cursorOver(withField(batch, 57, 4, -1)).next()).toBeFalse();
  });

  test("offset() follows the deltas, which may have gaps after compaction", () => {
    const gaps = withRecords(batch, Uint8Array.of(12, 0, 0, 6, 1, 1, 0, 14, 0, 1, 160, 1, 1, 1, 0));
    expect(linesOf(gaps)).toEqual([`3 ${NOW} - -`, `80 ${NOW - 1} - -`]);
  });

  test("timestamp() takes deltas of 64 bits", () => {
    const far = 1 - NOW; // to the year 1970
    const lines = linesOf(batchOf([record("a"), record("b", { timestamp: NOW + far })]));
    expect(lines[1]).toContain("1 1 - ");
  });
});
