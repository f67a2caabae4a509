/** The simulator in short: seeds, the corpus, equal traces, and bugs on purpose that must be found. */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "bun:test";
import { textOf } from "../../src/ground/text.ts";
import { readCorpus } from "./corpus.ts";
import { measureFailOver, percentile } from "./fail_over.ts";
import { replayCommand, reportFailure } from "./failure_report.ts";
import { LAYOUTS, NODES_OF } from "./layout.ts";
import type { PlantName } from "./plant.ts";
import { type ClusterPlantName, worldOf } from "./plant_cluster.ts";
import { runSimulation } from "./run_seed.ts";
import { shrink } from "./shrink.ts";
import { drawOptions, type SimOptions } from "./sim_options.ts";
import type { SimResult } from "./world.ts";

const SEED = Number(process.env["MQ_SEED"] ?? "1");

const OF_BOTH: Partial<SimOptions> = { safetyMs: 10_000, nodes: 1 };
const CLUSTER_OF_BOTH: Partial<SimOptions> = { safetyMs: 5000, nodes: 5, layout: "roles" };

/** Runs the seed on Deno under Bun, and on Bun under Deno. */
async function hashOnTheOther(seed: number, given: Partial<SimOptions>): Promise<string> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const isDeno = "Deno" in globalThis;
  const words = [
    "test/sim/main.ts",
    "--hash",
    "--from",
    String(seed),
    "--given",
    JSON.stringify(given),
  ];
  const child = isDeno
    ? spawn(`${root}node_modules/.bin/bun`, words, { cwd: root })
    : spawn(`${root}node_modules/.bin/deno`, ["run", "-A", "--no-check", ...words], { cwd: root });
  let text = "";
  child.stdout.on("data", (bytes: Uint8Array) => text += textOf(bytes));
  await new Promise((resolve) => child.on("close", resolve));
  return text.trim();
}

function told({ failure, ...rest }: SimResult): string {
  return failure === undefined ? "ok" : reportFailure({ failure, ...rest });
}

/** Runs it two times, which must leave the same trace: nothing is asked that the seed does not know. */
async function toldTwice(options: SimOptions): Promise<string> {
  const first = await runSimulation(options);
  const second = await runSimulation(options);
  expect(first.eventCount).toBeGreaterThan(100);
  expect(second.hash).toBe(first.hash);
  return told(first);
}

describe("one node", () => {
  for (const number of [0, 1, 2, 3]) {
    test(`seed ${SEED + number} keeps every promise`, async () => {
      expect(await toldTwice(drawOptions(SEED + number, { nodes: 1 }))).toBe("ok");
    });
  }

  test("a seed has the same trace on the other runtime", async () => {
    const { hash } = await runSimulation(drawOptions(SEED + 8, OF_BOTH));
    expect(await hashOnTheOther(SEED + 8, OF_BOTH)).toBe(hash);
  });

  test("another seed has another trace", async () => {
    const one = await runSimulation(drawOptions(SEED, { safetyMs: 2000, nodes: 1 }));
    const other = await runSimulation(drawOptions(SEED + 1, { safetyMs: 2000, nodes: 1 }));
    expect(other.hash === one.hash).toBeFalse();
  });
});

describe("several nodes", () => {
  for (const [index, layout] of LAYOUTS.entries()) {
    test(`seed ${SEED + index} keeps every promise, ${layout}`, async () => {
      const options = { layout, nodes: NODES_OF[layout], safetyMs: 20_000 };
      expect(await toldTwice(drawOptions(SEED + index, options))).toBe("ok");
    });
  }

  test("a seed has the same trace on the other runtime", async () => {
    const { hash } = await runSimulation(drawOptions(SEED + 9, CLUSTER_OF_BOTH));
    expect(await hashOnTheOther(SEED + 9, CLUSTER_OF_BOTH)).toBe(hash);
  });

  test("whoever kills the leader waits less than 1 s for the next CreateTopics", async () => {
    const times = await measureFailOver(SEED, 10);
    expect(times).toHaveLength(10);
    expect(percentile(times, 0.99)).toBeLessThan(1000);
  });
});

describe("corpus", () => {
  for (const { file, what, options } of readCorpus()) {
    test(`${file} (${what}) is mended`, async () => {
      expect(await toldTwice(options)).toBe("ok");
    });
  }
});

/** With the seed that finds it soonest; the table of all is made by `test/sim/plant_table.ts`. */
const PLANTED: readonly (readonly [PlantName, number, string])[] = [
  ["sync-does-nothing", 1, "committed metadata is durable"],
  ["directory-sync-does-nothing", 1, "committed metadata is durable"],
  ["sync-returns-early", 1, "committed metadata is durable"],
  ["metadata-sync-returns-early", 1, "committed metadata is durable"],
  ["acks-before-the-sync", 1, "committed is on the medium"],
  ["writes-are-lost", 1, "committed is on the medium"],
  ["high-watermark-goes-back", 1, "high watermark never back"],
  ["crash-is-not-an-end", 1, "acknowledged is on the medium"],
  ["client-sends-twice", 3, "idempotent records come once"],
  ["reads-skip-a-batch", 3, "what was acknowledged is there"],
  ["value-of-another", 3, "values are those that were sent"],
  ["timer-of-the-host", 1, "host"],
  ["network-never-heals", 3, "liveness"],
];

/**
 * Of clusters, in worlds where each has something to do. Those that an assertion of production code finds
 * are in the table alone: the rejection that nobody hears of ends a test.
 */
const PLANTED_IN_CLUSTERS: readonly (readonly [ClusterPlantName, number, string])[] = [
  ["fenced-broker-is-told", 3, "no client is sent to a fenced broker"],
  ["fenced-broker-serves", 3, "only a leader takes records"],
  ["snapshot-without-settings", 1, "images equal at equal offset"],
  ["follower-skips-a-record", 1, "images equal at equal offset"],
  ["raft-sync-returns-early", 1, "committed metadata is durable"],
  ["lost-directory-is-used-again", 3, "identity is of the disk"],
  ["broker-epoch-goes-back", 1, "epochs grow"],
];

/** Those that only show in what happens to come together: any of a few seeds finds them. */
const RARELY: readonly (readonly [PlantName, readonly number[]])[] = [
  ["producers-are-forgotten", [10, 11]],
  ["trim-is-forgotten", [6, 11, 34]],
];

describe("a bug on purpose", () => {
  for (const [plant, seed, what] of PLANTED) {
    test(`${plant} is found by seed ${seed}`, async () => {
      const { failure } = await runSimulation(drawOptions(seed, { plant, nodes: 1 }));
      expect(failure?.what).toBe(what);
    });
  }

  for (const [plant, seed, what] of PLANTED_IN_CLUSTERS) {
    test(`${plant} is found by seed ${seed}`, async () => {
      const { failure } = await runSimulation(drawOptions(seed, { ...worldOf(plant), plant }));
      expect(failure?.what).toBe(what);
    });
  }

  for (const [plant, seeds] of RARELY) {
    test(`${plant} is found by one of the seeds ${seeds.join(", ")}`, async () => {
      const found: string[] = [];
      for (const seed of seeds) {
        // deno-lint-ignore no-await-in-loop -- until one has found it
        const { failure } = await runSimulation(drawOptions(seed, { plant, nodes: 1 }));
        if (failure !== undefined) found.push(failure.what);
        if (found.length > 0) break;
      }
      expect(found).toHaveLength(1);
    });
  }

  test("a failure is told with its seed, its command and the last events of every machine", async () => {
    const result = await runSimulation(drawOptions(1, { plant: "sync-does-nothing", nodes: 1 }));
    const report = reportFailure(result);
    expect(report).toContain("seed 1 failed at");
    expect(report).toContain("--replay");
    expect(report).toContain("== n1: the last");
    const json = replayCommand(result).replace(/^.*--replay '/, "").replace(/'$/, "");
    const again = await runSimulation(JSON.parse(json) as SimOptions);
    expect(again.hash).toBe(result.hash);
  });

  test("shrink() keeps the failure and takes away what it does not need", async () => {
    const failed = await runSimulation(drawOptions(1, { plant: "sync-does-nothing", nodes: 1 }));
    const small = await shrink(failed, { run: runSimulation, runsMax: 60 });
    expect(small.failure?.what).toBe(failed.failure?.what as string);
    expect(Object.keys(small.options.faults)).toHaveLength(0);
    expect(small.options.clients).toBe(1);
  });
});
