/**
 * A group of members of both protocols under chance: they come, go, pause, lose answers and change
 * their minds; topics come, grow and go; the coordinator starts anew, its log refuses records, time
 * passes. After every step nobody has what another one has, and what lives is what the log says
 * (`Coordinator` checks that). Once all is quiet, everybody has its target within a few rounds.
 *
 * The seed is printed and taken from MQ_SEED.
 */
import process from "node:process";
import { describe, expect, test } from "bun:test";
import { ROUNDS_MAX, World } from "./random_world.ts";

const SEED = Number(process.env["MQ_SEED"] ?? 848);
const RUNS = Number(process.env["MQ_RUNS"] ?? 25);
const STEPS = 120;

describe(`a group under chance, seed ${SEED}`, () => {
  test("nobody has what another has, and all settles when chance stops", () => {
    let mostRounds = 0;
    for (let run = 0; run < RUNS; run++) {
      const seed = SEED + run;
      const world = new World(seed);
      try {
        for (let step = 0; step < STEPS; step++) {
          world.step();
          for (const classic of world.classics) classic.listen();
          world.check();
        }
        const rounds = world.settle();
        expect(rounds).toBeLessThanOrEqual(ROUNDS_MAX);
        mostRounds = Math.max(mostRounds, rounds);
        world.checkAllOwned();
      } catch (error) {
        throw new Error(`MQ_SEED=${seed}: ${String(error)}`, { cause: error });
      }
    }
    expect(mostRounds).toBeGreaterThan(1);
  });
});
