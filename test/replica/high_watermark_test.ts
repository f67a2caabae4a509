import { describe, expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { leaderHighWatermark } from "../../src/replica/high_watermark.ts";

const [zero, three, five] = [toOffset(0), toOffset(3), toOffset(5)];

describe("leaderHighWatermark()", () => {
  test("follows the log's end for the class memory", () => {
    expect(leaderHighWatermark(zero, "memory", five, three)).toBe(five);
  });

  test("waits for the disk for both fsync classes", () => {
    expect(leaderHighWatermark(zero, "quorum-fsync", five, three)).toBe(three);
    expect(leaderHighWatermark(zero, "all-fsync", five, three)).toBe(three);
  });

  test("never goes back, also when a topic changes its class", () => {
    expect(leaderHighWatermark(five, "quorum-fsync", five, three)).toBe(five);
  });

  test("asserts that nothing is durable that was not appended", () => {
    expect(() => leaderHighWatermark(zero, "memory", three, five)).toThrow();
  });
});
