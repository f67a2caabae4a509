/** The texts are Kafka's own: `org.apache.kafka.common.Uuid` of 4.1.1. */
import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import {
  parseUuid,
  uuidFromBytes,
  uuidFromEntropy,
  uuidToBytes,
  ZERO_UUID,
} from "../../src/ground/uuid.ts";

const counting = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

describe("uuids", () => {
  test("are printed as Kafka prints them", () => {
    const both = new Uint8Array([...counting, ...counting.toReversed()]);
    expect(String(uuidFromBytes(both))).toBe("ASNFZ4mrze_vzauJZ0UjAQ");
    const kafka = [0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10];
    expect(String(uuidFromBytes(new Uint8Array([...counting, ...kafka]))))
      .toBe("ASNFZ4mrze_-3LqYdlQyEA");
    expect(String(uuidFromBytes(new Uint8Array(16).fill(255)))).toBe("_____________________w");
    expect(uuidFromBytes(new Uint8Array(16))).toBe(ZERO_UUID);
  });

  test("come back as they went, from the middle of other bytes", () => {
    const prng = new Prng(4);
    for (let round = 0; round < 500; round++) {
      const bytes = prng.bytes(20);
      const uuid = uuidFromBytes(bytes, 3);
      expect([...uuidToBytes(uuid)]).toEqual([...bytes.subarray(3, 19)]);
      expect(parseUuid(uuid)).toBe(uuid);
    }
  });

  test("parseUuid() refuses what is none", () => {
    const good = "ASNFZ4mrze_-3LqYdlQyEA";
    expect(parseUuid(good)).toBeDefined();
    for (const text of ["", good.slice(1), `${good}A`, good.replace("_", "/"), `${good}==`]) {
      expect(parseUuid(text)).toBeUndefined();
    }
    expect(parseUuid(good.slice(0, -1) + "B")).toBeUndefined(); // bits that 16 bytes do not have
  });
});

describe("uuidFromEntropy()", () => {
  test("makes version 4, variant 1, and never starts with a dash", () => {
    const prng = new Prng(5);
    for (let round = 0; round < 2000; round++) {
      const entropy = prng.bytes(16);
      const uuid = uuidFromEntropy(entropy);
      const bytes = uuidToBytes(uuid);
      expect(uuid.startsWith("-")).toBeFalse();
      expect([(bytes[6] as number) >>> 4, (bytes[8] as number) >>> 6]).toEqual([4, 2]);
      expect([...bytes.subarray(9)]).toEqual([...entropy.subarray(9)]);
    }
  });

  test("changes only the first digit of what would start with a dash", () => {
    const dash = new Uint8Array(16);
    dash[0] = 62 << 2;
    expect(uuidFromBytes(dash).startsWith("-")).toBeTrue();
    expect(uuidFromEntropy(dash).startsWith("e")).toBeTrue();
    expect(dash[0]).toBe(248); // the entropy itself is left alone
    expect(() => uuidFromEntropy(new Uint8Array(15))).toThrow("16 bytes");
  });
});
