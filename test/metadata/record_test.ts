import { describe, expect, test } from "bun:test";
import { asMetadataRecord } from "../../src/metadata/record.ts";

describe("asMetadataRecord()", () => {
  test("takes what it knows and names what it does not", () => {
    expect(typeof asMetadataRecord({ kind: "topic", version: 0, name: "t" })).toBe("object");
    expect(asMetadataRecord({ kind: "topic", version: 1 })).toMatch(/unknown version 1/);
    expect(asMetadataRecord({ kind: "toString", version: 0 })).toMatch(/unknown kind toString/);
    expect(asMetadataRecord({ kind: "topic" })).toMatch(/unknown version/);
    expect(asMetadataRecord(null)).toMatch(/not an object/);
    expect(asMetadataRecord(7)).toMatch(/not an object/);
  });
});
