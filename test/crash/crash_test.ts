import process from "node:process";
import { describe, expect, test } from "bun:test";
import { tryCrashPoints } from "./crash_points.ts";

const seed = Number(process.env["MQ_SEED"] ?? 1);

describe("stopped after any disk call, a broker comes back with what it promised", () => {
  // The whole sweep has a command of its own (main.ts); this is a sample of it.
  test(`a sample of at least 1,000 crashes (MQ_SEED=${seed})`, async () => {
    const report = await tryCrashPoints({ seed, rounds: 130, every: 10 });
    expect(report.failures).toEqual([]);
    expect(report.pointCount).toBeGreaterThanOrEqual(1000);
  });
});
