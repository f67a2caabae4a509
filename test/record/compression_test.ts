import { describe, expect, test } from "bun:test";
import {
  compressionIdOf,
  compressionTypeNamed,
  compressionTypeOf,
  compressionTypes,
  inflate,
} from "../../src/record/compression.ts";
import { tools } from "./batches.ts";

describe("compression", () => {
  test("compressionTypeOf() has Kafka's ids", () => {
    const known = ["none", "gzip", "snappy", "lz4", "zstd", undefined, undefined, undefined];
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(compressionTypeOf) as unknown[]).toEqual(known);
    expect(compressionTypes.map(compressionIdOf)).toEqual([0, 1, 2, 3, 4]);
  });

  test("compressionTypeNamed() knows names as they are written", () => {
    expect(compressionTypeNamed("lz4")).toBe("lz4");
    expect(compressionTypeNamed("LZ4")).toBeUndefined();
    expect(compressionTypeNamed("toString")).toBeUndefined();
  });

  test("inflate() gives plain bytes back as they are", () => {
    const bytes = new Uint8Array(3);
    expect(inflate(tools.decompress, "none", bytes, 1)).toBe(bytes);
  });

  test("inflate() makes a fault a value, and lets any other error go on", () => {
    const failure = inflate(tools.decompress, "lz4", new Uint8Array(9), 100);
    expect(failure).toEqual({
      kind: "corrupt",
      message: "Cannot inflate lz4: 00000000 is no magic number",
    } as never);
    expect(() =>
      inflate(
        () => {
          throw new TypeError("a bug");
        },
        "lz4",
        new Uint8Array(9),
        100,
      )
    ).toThrow("a bug");
  });
});
