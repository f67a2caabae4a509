import { describe, expect, test } from "bun:test";
import { controlKeyOf, coordinatorEpochOf } from "../../src/record/control_record.ts";

describe("control records", () => {
  test("controlKeyOf() tells a type of a later version as unknown", () => {
    const key = Uint8Array.of(0, 0, 0, 99);
    expect(controlKeyOf(key)).toEqual({ version: 0, controlType: "unknown" });
    const later = Uint8Array.of(0, 5, 0, 1, 7, 7);
    expect(controlKeyOf(later)).toEqual({ version: 5, controlType: "commit" });
    const negative = Uint8Array.of(0, 0, 255, 255);
    expect(controlKeyOf(negative)).toEqual({ version: 0, controlType: "unknown" });
  });

  test("controlKeyOf() says of another key that it is none", () => {
    expect(controlKeyOf(null)).toBeUndefined();
    expect(controlKeyOf(Uint8Array.of(0, 0, 0))).toBeUndefined();
    expect(controlKeyOf(Uint8Array.of(255, 255, 0, 1))).toBeUndefined();
  });

  test("coordinatorEpochOf() says of another value that it is none", () => {
    expect(coordinatorEpochOf(Uint8Array.of(0, 0, 0, 0, 1, 2))).toBe(258);
    expect(coordinatorEpochOf(null)).toBeUndefined();
    expect(coordinatorEpochOf(Uint8Array.of(0, 0, 0))).toBeUndefined();
    expect(coordinatorEpochOf(Uint8Array.of(255, 0, 0, 0, 0, 1))).toBeUndefined();
  });
});
