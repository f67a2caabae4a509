/**
 * Plays the scripts of `test/scenario/group/consumer/` and compares what they print. `MQ_REWRITE=1`
 * writes them anew, to be read before they are kept.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, expect, test } from "bun:test";
import { GroupScript } from "./group_script.ts";
import { playScript } from "./notation.ts";
import { ReconcileScript } from "./reconcile_script.ts";

const folder = new URL("../../scenario/group/consumer/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".txt")).sort();

function play(name: string, script: string): string {
  const run = name.startsWith("reconcile_") ? new ReconcileScript() : new GroupScript();
  return playScript(script, (command) => run.run(command));
}

describe("consumer group scenarios", () => {
  for (const name of names) {
    test(`${name} happens as written`, () => {
      const path = new URL(name, folder);
      const script = readFileSync(path, "utf8");
      const played = play(name, script);
      if (process.env["MQ_REWRITE"] === "1") writeFileSync(path, played);
      else expect(played).toBe(script);
    });
  }

  test("a script that prints something else is told from one that is right", () => {
    const script = "member 1 stable A:0\ntarget 2 A:0\nheartbeat\n----\nunchanged\n";
    expect(play("reconcile_x.txt", script) === script).toBeFalse();
  });

  test("there are scripts", () => {
    expect(names.length).toBeGreaterThanOrEqual(15);
  });
});
