/** Runs each shell script of this folder against the compiled binary; they need jq, one needs kcat. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { program } from "../harness/broker.ts";
import { hasTool, projectRoot, run } from "../harness/process.ts";

const FOLDER = `${projectRoot}test/accept/`;
const has: Readonly<Record<string, boolean>> = {
  jq: await hasTool("jq"),
  kcat: await hasTool("kcat"),
};

function mayRun(script: string): boolean {
  const text = readFileSync(`${FOLDER}${script}`, "utf8");
  return has["jq"] === true && (has["kcat"] === true || !/\bkcat /.test(text));
}

describe("accept", () => {
  const scripts = readdirSync(FOLDER).filter((name) => /^\d+-.*\.sh$/.test(name)).sort();

  test("has scripts", () => {
    expect(scripts.length).toBeGreaterThan(3);
  });

  for (const script of scripts) {
    test.skipIf(!mayRun(script))(script, async () => {
      const result = await run("bash", [`${FOLDER}${script}`], { env: { MQ: program()[0] } });
      expect(result.status, `${result.text}${result.stderr}`).toBe(0);
    });
  }
});
