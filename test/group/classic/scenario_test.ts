/**
 * Plays the scripts of `test/scenario/group/classic/` and compares the traces. `MQ_REWRITE=1` writes
 * them anew, to be read before they are kept.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, expect, test } from "bun:test";
import { rewrite } from "./script.ts";

const folder = new URL("../../scenario/group/classic/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".txt")).sort();

describe("classic group scenarios", () => {
  for (const name of names) {
    test(`${name} happens as written`, () => {
      const path = new URL(name, folder);
      const script = readFileSync(path, "utf8");
      const played = rewrite(script);
      if (process.env["MQ_REWRITE"] === "1") writeFileSync(path, played);
      else expect(played).toBe(script);
    });
  }

  test("a script whose trace is wrong is told from one that is right", () => {
    const script = "join a\n----\na <- joined a#1\n";
    expect(rewrite(script) === script).toBeFalse();
  });

  test("there are scripts", () => {
    expect(names.length).toBeGreaterThanOrEqual(15);
  });
});
