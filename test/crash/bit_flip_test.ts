import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { seedOf } from "../log/log_fixture.ts";
import { count, sampleFlips, tally } from "./bit_flip.ts";
import { type Image, makeImage } from "./bit_flip_image.ts";

let image: Promise<Image> | undefined;

const SAMPLES = [
  { level: "log", count: 800 },
  { level: "metadata", count: 200 },
  { level: "broker", count: 120 },
] as const;

describe("one flipped bit in a data directory", () => {
  for (const sample of SAMPLES) {
    test(`is harmless or detected, read by ${sample.level}`, async () => {
      const random = new Prng(seedOf(`bit flips, ${sample.level}`));
      image ??= makeImage();
      const made = await image;
      const sum = tally();
      for (const flip of sampleFlips(made, random, sample)) await count(made, flip, sum);
      expect(sum.wrong).toEqual([]);
      // Most bits are in records: a check that finds less than these is no check.
      expect(sum.detected).toBeGreaterThan(sample.count * 0.6);
    }, 60_000);
  }
});
