/**
 * Raft figure 3, the five guarantees, on walks at random. `MQ_SEED` takes one seed.
 */
import process from "node:process";
import { describe, expect, test } from "bun:test";
import { Walk } from "./random_walk.ts";

const seed = process.env["MQ_SEED"];
const WALKS = 20;
const STEPS = 1000;

describe("walks at random", () => {
  test("Raft figure 3: the guarantees hold, and all replicas come to the same end", () => {
    const first = seed === undefined ? 1 : Number(seed);
    let changes = 0;
    for (let walk = first; walk < (seed === undefined ? first + WALKS : first + 1); walk++) {
      try {
        const run = new Walk(walk);
        run.run(STEPS);
        changes += run.settle().changes;
      } catch (error) {
        throw new Error(`MQ_SEED=${walk}: ${String(error)}`, { cause: error });
      }
    }
    if (seed === undefined) expect(changes).toBeGreaterThan(0);
  });

  test("Raft figure 3: a machine that votes twice is caught", () => {
    expect(() => {
      for (let walk = 1; walk <= WALKS; walk++) new Walk(walk, ["vote-twice"]).run(STEPS);
    }).toThrow("election safety");
  });

  test("Raft figure 3: a machine that answers reads on trust is caught", () => {
    expect(() => {
      for (let walk = 1; walk <= 2 * WALKS; walk++) new Walk(walk, ["lease-read"]).run(STEPS);
    }).toThrow("linearizable reads");
  });
});
