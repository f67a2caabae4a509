import { describe, expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import process from "node:process";
import { projectRoot, run } from "../../harness/process.ts";
import { corpusWorlds } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { failureLine } from "./failure.ts";
import { mutants, seedsNeeded } from "./mutants.ts";
import { idleOptions, type SimOptions, swarmOptions } from "./options.ts";
import { shrink } from "./shrink.ts";
import { World } from "./world.ts";

const isDeno = "Deno" in globalThis;
/** The suite's seeds begin here: MQ_SEED moves them. */
const FIRST_SEED = Number(process.env["MQ_SEED"] ?? 1);
const SEED_COUNT = 1_500;
/** One seed in a hundred runs on the other runtime too, and must leave the same trace. */
const SEED_COUNT_BOTH = 15;
const TIMEOUT_MS = 300_000;

function failures(worlds: readonly SimOptions[]): readonly string[] {
  return worlds.flatMap((options) => {
    const result = new World(options).run();
    return result.violation === undefined ? [] : [failureLine(options, result)];
  });
}

function seeds(count: number): readonly SimOptions[] {
  return Array.from({ length: count }, (_, at) => swarmOptions(FIRST_SEED + at));
}

describe("the simulation of the quorum", () => {
  test("another seed leaves another trace", () => {
    const hashes = seeds(SEED_COUNT_BOTH).map((options) => new World(options).run().hash);
    expect(new Set(hashes).size).toBe(SEED_COUNT_BOTH);
  }, TIMEOUT_MS);

  test("recording a run does not change it", () => {
    for (const options of seeds(5)) {
      const recorded = new World(options, { isRecording: true }).run();
      expect(recorded.hash).toBe(new World(options).run().hash);
      expect(recorded.report).toMatch("-- node 1");
    }
  });

  test("the other runtime leaves the same trace", async () => {
    const other = isDeno ? ["bun"] : ["deno", "run", "-A", "--no-check"];
    const words = [...other.slice(1), "test/sim/raft/main.ts", "--hashes"];
    const range = ["--from", `${FIRST_SEED}`, "--seeds", `${SEED_COUNT_BOTH}`];
    const { text } = await run(`${projectRoot}node_modules/.bin/${other[0]}`, [
      ...words,
      ...range,
    ], { directory: projectRoot, timeoutMs: TIMEOUT_MS });
    const own = seeds(SEED_COUNT_BOTH).map((options) => {
      const { hash, eventCount } = new World(options).run();
      return `${options.seed} ${hash} ${eventCount}`;
    });
    expect(text.trim().split("\n")).toEqual(own);
  }, TIMEOUT_MS);

  // Every seed runs twice: a run is a function of its options. Deno's share is in the test above.
  test(`${isDeno ? SEED_COUNT_BOTH : SEED_COUNT} seeds of 60 s: nothing breaks`, async () => {
    if (isDeno) {
      expect(failures(seeds(SEED_COUNT_BOTH))).toEqual([]);
      return;
    }
    const range = ["--from", `${FIRST_SEED}`, "--seeds", `${SEED_COUNT}`, "--no-keep", "--twice"];
    const jobs = ["--jobs", `${Math.min(4, availableParallelism())}`];
    const { text, status } = await run(
      process.execPath,
      ["test/sim/raft/main.ts", ...range, ...jobs],
      { directory: projectRoot, timeoutMs: TIMEOUT_MS },
    );
    expect(text).toMatch(`${SEED_COUNT} seeds from ${FIRST_SEED}, ${SEED_COUNT * 60} simulated`);
    expect(text).toMatch("0 failed");
    expect(status).toBe(0);
  }, TIMEOUT_MS);

  test("what once was wrong is right", () => {
    const worlds = corpusWorlds().map(({ options }) => options);
    expect(worlds.length).toBeGreaterThan(0);
    expect(failures(worlds)).toEqual([]);
  }, TIMEOUT_MS);

  test("faults meet the protocol in every phase, and progress is demanded nearly always", () => {
    const all = new Coverage();
    let skippedCount = 0;
    const count = isDeno ? 20 : 150;
    for (const options of seeds(count)) {
      const result = new World(options).run();
      all.addAll(result.coverage);
      if (result.livenessSkipped !== undefined) skippedCount++;
      expect(result.livenessSkipped !== undefined || result.committedCount > 0).toBe(true);
    }
    expect(skippedCount).toBeLessThan(count / 8);
    if (isDeno) return;
    const faults = [
      "crash",
      "crash-all",
      "pause",
      "slow",
      "isolate",
      "split",
      "cut-one-way",
      "clog",
      "restart",
    ];
    const met = ["follower", "prospective", "candidate", "leader", "writing", "joint", "learners"];
    const never = faults.flatMap((fault) =>
      met.filter((phase) => all.count(fault, phase) === 0).map((phase) => `${fault} x ${phase}`)
    );
    expect(never).toEqual([]);
    for (const rare of ["leader, term open", "fetching snapshot", "handing over"]) {
      const times = faults.reduce((total, fault) => total + all.count(fault, rare), 0);
      expect(times, rare).toBeGreaterThan(0);
    }
  }, TIMEOUT_MS);
});

describe("worlds", () => {
  test("begin with one voter to seven, and with every focus", () => {
    const drawn = Array.from({ length: 500 }, (_, at) => swarmOptions(at + 1));
    expect([...new Set(drawn.map(({ voterCount }) => voterCount))].sort()).toEqual(
      [1, 2, 3, 4, 5, 6, 7],
    );
    expect(drawn.filter(({ network }) => network.duplicatePermille === 500).length)
      .toBeGreaterThan(20);
    expect(drawn.filter(({ driftPermille }) => driftPermille >= 50).length).toBeGreaterThan(20);
    expect(drawn.filter(({ electionTimeoutMs }) => electionTimeoutMs < 200).length)
      .toBeGreaterThan(20);
  });

  test("a tide of changes grows one voter to five and takes all but one away again", () => {
    const quiet = idleOptions(1, 60);
    const world = new World({
      ...quiet,
      nodeCount: 6,
      voterCount: 1,
      changes: "tide",
      meanMs: { ...quiet.meanMs, "change-voters": 700 },
    });
    expect(world.run().violation).toBeUndefined();
    const counts = world.history.batches.flatMap(({ entry: { configuration } }) =>
      configuration === undefined || configuration.outgoing !== undefined
        ? []
        : [configuration.voters.length]
    );
    const high = counts.indexOf(5);
    expect(high).toBeGreaterThan(0);
    expect(counts.indexOf(1, high)).toBeGreaterThan(high);
  });
});

describe("planted bugs", () => {
  test("are many", () => expect(mutants.length).toBeGreaterThanOrEqual(44));

  for (const { name, seedCountMax } of isDeno ? mutants.slice(0, 3) : mutants) {
    test(`${name} is found within ${seedCountMax} seeds`, () => {
      const { seedCount } = seedsNeeded(name, 1, seedCountMax);
      expect(seedCount ?? Infinity).toBeLessThanOrEqual(seedCountMax);
    }, TIMEOUT_MS);
  }
});

describe("shrink()", () => {
  test("keeps what breaks and takes most of the rest away", () => {
    const { seed } = seedsNeeded("commit-unverified", 1, 50);
    const failing = swarmOptions(seed ?? 0, ["commit-unverified"]);
    const before = new World(failing, { isRecording: true }).run();
    const { options, result, runCount } = shrink(failing, {}, 150);
    expect(runCount).toBeLessThanOrEqual(150);
    expect(result.violation?.invariant).toBe(before.violation?.invariant ?? "none");
    expect(result.performed.length).toBeLessThan(before.performed.length);
    expect(new World(options).run().hash).toBe(result.hash);
  }, TIMEOUT_MS);

  test("leaves a run alone in which nothing is wrong", () => {
    const options = swarmOptions(1);
    const shrunk = shrink(options, {}, 10);
    expect([shrunk.options, shrunk.runCount]).toEqual([options, 1]);
  });
});
