/** The answers are Kafka's own: `org.apache.kafka.common.utils.Utils` of 4.1.1. */
import { describe, expect, test } from "bun:test";
import { murmur2, partitionOfKey } from "../../src/ground/murmur2.ts";
import { bytesOf } from "../../src/ground/text.ts";

const VECTORS: readonly (readonly [text: string, hash: number, partitionOfTwelve: number])[] = [
  ["21", -973932308, 0],
  ["foobar", -790332482, 6],
  ["a-little-bit-long-string", -985981536, 8],
  ["a-little-bit-longer-string", -1486304829, 11],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971, 5],
  ["abc", 479470107, 3],
  ["", 275646681, 9],
  ["a", -1563381124, 4],
  ["größe", 588164084, 8],
];

describe("murmur2()", () => {
  test("gives Kafka's hash of a text", () => {
    for (const [text, hash] of VECTORS) {
      expect([text, murmur2(bytesOf(text))]).toEqual([text, hash]);
    }
  });

  test("takes bytes as unsigned at every length around four", () => {
    const bytes = new Uint8Array([0xff, 0x80, 0x00, 0x01, 0xfe]);
    const hashes = [275646681, -311467685, -442788720, -616959190, -1398556208, -173560464];
    for (const [length, hash] of hashes.entries()) {
      expect(murmur2(bytes.subarray(0, length))).toBe(hash);
    }
  });
});

describe("partitionOfKey()", () => {
  test("gives the partition that Kafka's default partitioner gives", () => {
    for (const [text, , partition] of VECTORS) {
      expect([text, partitionOfKey(bytesOf(text), 12)]).toEqual([text, partition]);
    }
  });
});
