/**
 * Plays the scripts of `test/scenario/raft/` and compares the traces. `MQ_REWRITE=1` writes them anew,
 * to be read before they are kept.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, expect, test } from "bun:test";
import { rewrite } from "./script.ts";

const folder = new URL("../scenario/raft/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".txt")).sort();

describe("raft scenarios", () => {
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
    const script = "add-nodes 1\ntick 1\n----\n1 is follower term=0 leader=none\n";
    expect(rewrite(script) === script).toBeFalse();
  });

  test("there are scripts", () => {
    expect(names.length).toBeGreaterThanOrEqual(15);
  });
});
