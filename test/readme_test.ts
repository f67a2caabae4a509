/**
 * The README's copy-paste lines do what it says: every `sh` block runs, in order, in one directory,
 * and where a `text` block follows, that is what they print.
 *
 * The broker of `npm start` is stood in for by the same program on a free port (`MQ_BROKERS`).
 */
import { describe, expect, test } from "bun:test";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { startBroker } from "./harness/broker.ts";
import { hasTool, projectRoot, run } from "./harness/process.ts";
import { temporaryDirectory } from "./harness/temporary_directory.ts";

interface Step {
  readonly script: string;
  readonly output: string | undefined;
}

/** The `sh` blocks, each with the `text` block that follows it. */
function stepsOf(markdown: string): readonly Step[] {
  const blocks = [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .map((match) => ({ kind: match[1] as string, body: match[2] as string }));
  return blocks.flatMap(({ kind, body }, index) => {
    if (kind !== "sh") return [];
    const next = blocks[index + 1];
    return [{ script: body, output: next?.kind === "text" ? next.body : undefined }];
  });
}

const hasJq = await hasTool("jq");

describe("README.md", () => {
  const readme = readFileSync(`${projectRoot}README.md`, "utf8");

  test("stepsOf() pairs lines with what they print", () => {
    const markdown = "```sh\na\n```\nwords\n```text\nb\n```\n```sh\nc\n```\n```\nd\n```\n";
    expect(stepsOf(markdown)).toEqual([
      { script: "a\n", output: "b\n" },
      { script: "c\n", output: undefined },
    ]);
  });

  test("`npm start` is the broker it speaks of", () => {
    const { scripts } = JSON.parse(readFileSync(`${projectRoot}package.json`, "utf8"));
    expect(scripts.start).toBe("exec dist/mq broker start");
    expect(readme).toContain("npm start");
  });

  test.skipIf(!hasJq)("its lines run in order and print what it says", async () => {
    await using broker = await startBroker();
    using directory = temporaryDirectory();
    symlinkSync(`${projectRoot}dist`, join(directory.path, "dist"));
    const steps = stepsOf(readme);
    expect(steps.length).toBeGreaterThan(3);
    let before = "";
    for (const { script, output } of steps) {
      const result = await run("bash", ["-c", `set -euo pipefail\n${before}${script}`], {
        directory: directory.path,
        env: { MQ_BROKERS: broker.kafka },
      });
      const said = `${script}\n${result.stderr}`;
      expect(result.status, said).toBe(0);
      if (output !== undefined) expect(result.text, said).toBe(output);
      before += exportsOf(script);
    }
  });
});

/** What a shell that stays open would remember. */
function exportsOf(script: string): string {
  return script.split("\n").filter((line) => line.startsWith("export ")).map((line) => `${line}\n`)
    .join("");
}
