/**
 * Scenario scripts in plain text: commands, one a line, and below `----` what they print (as in etcd's
 * testdata), or `ok`. A folder of them is a describe of tests; `MQ_REWRITE=1` writes the scripts anew
 * by what happens now, to be read before they are kept. What the commands mean is each folder's own.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, expect, test } from "bun:test";

/** Runs one command of a script; what it prints. */
export type RunCommand = (command: string) => readonly string[];

export interface Scenarios {
  readonly title: string;
  readonly folder: URL;
  /** Begins a world for the script of that name. */
  readonly begin: (name: string) => RunCommand;
  /** A script whose expectation is not what happens. */
  readonly wrong: string;
}

const FEWEST = 15;

export function describeScenarios({ title, folder, begin, wrong }: Scenarios): void {
  const names = readdirSync(folder).filter((name) => name.endsWith(".txt")).sort();
  describe(title, () => {
    for (const name of names) {
      test(`${name} happens as written`, () => {
        const path = new URL(name, folder);
        const script = readFileSync(path, "utf8");
        const played = playScript(script, begin(name));
        if (process.env["MQ_REWRITE"] === "1") writeFileSync(path, played);
        else expect(played).toBe(script);
      });
    }

    test("a script that prints something else is told from one that is right", () => {
      expect(playScript(wrong, begin(names[0] ?? "")) === wrong).toBeFalse();
    });

    test("there are scripts", () => {
      expect(names.length).toBeGreaterThanOrEqual(FEWEST);
    });
  });
}

/** The script with what its commands print this time; comments and empty lines stay. */
export function playScript(script: string, run: RunCommand): string {
  const written: string[] = [];
  let printed: string[] = [];
  let isExpectation = false;
  for (const line of script.trimEnd().split("\n")) {
    if (line === "----") {
      isExpectation = true;
      written.push("----", ...(printed.length === 0 ? ["ok"] : printed));
      printed = [];
    } else if (line.trim() === "") {
      // What was printed when the script was written ends here.
      isExpectation = false;
      written.push("");
    } else if (!isExpectation) {
      written.push(line);
      if (!line.startsWith("#")) printed.push(...run(line.trim()));
    }
  }
  return `${written.join("\n")}\n`;
}
