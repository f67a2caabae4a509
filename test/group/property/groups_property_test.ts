import { describe, expect, test } from "bun:test";
import { type Act, ACTS } from "./acts.ts";
import { World } from "./world.ts";

const SEED = Number(process.env["MQ_SEED"] ?? 20261123);
const RUNS = Number(process.env["MQ_RUNS"] ?? 10);
const STEPS = 150;
/** A session and two rebalance timeouts, and time to heartbeat of it. */
const ROUNDS_MAX = 240;
const ROUND_MS = 500;

describe("groups of both protocols", () => {
  test("keep what must hold through faults, and come to rest after them", () => {
    console.info(`groups: MQ_SEED=${SEED}`);
    for (let run = 0; run < RUNS; run++) {
      const world = new World(SEED + run);
      try {
        for (let step = 0; step < STEPS; step++) {
          const [name, act] = ACTS[world.random.below(ACTS.length)] as Act;
          world.step(name, act);
        }
        world.heal();
        comeToRest(world);
      } catch (error) {
        const mixes = [...world.mixes.values()].join(", ");
        console.error(`MQ_SEED=${SEED + run} of ${mixes}:\n${world.tell()}`);
        console.error((error as Error).stack);
        throw error;
      }
    }
  });
});

function comeToRest(world: World): void {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    world.pass(ROUND_MS);
    world.pollAll();
    world.check();
    if (world.isStable) return;
  }
  expect(world.isStable).toBe(true);
}
