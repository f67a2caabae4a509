/**
 * `npm test`: builds the binary, runs the whole suite under Bun, then under Deno, and ends with one
 * line "N passed, N failed" for both together.
 *
 *     npm test -- test/log             only these files or folders
 *     npm test -- --runtime=deno       only that runtime
 *
 * Files that end in `_ffi_test.ts` need `bun:ffi` and run under Bun only. So do those that only talk to
 * the compiled binary: it is the same one, whatever runs the test.
 */
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const TEST_TIMEOUT_MS = 120_000;
const RUN_TIMEOUT_MS = 600_000;
const OF_THE_BINARY = ["test/accept/", "test/cluster/", "test/conform/"];

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const runtime = words.find((word) => word.startsWith("--runtime="))?.slice("--runtime=".length);
  const asked = words.filter((word) => !word.startsWith("--"));
  const files = testFiles(asked.length === 0 ? ["test"] : asked);
  const tallies: Tally[] = [await build()];
  if (runtime !== "deno") tallies.push(await underBun(files));
  if (runtime !== "bun") tallies.push(await underDeno(files));
  const passed = sum(tallies.map((tally) => tally.passed));
  const failed = sum(tallies.map((tally) => tally.failed));
  const skipped = sum(tallies.map((tally) => tally.skipped));
  process.stdout.write(`\n${passed} passed, ${failed} failed${skippedPart(skipped)}\n`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

function skippedPart(skipped: number): string {
  return skipped === 0 ? "" : `, ${skipped} skipped`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** All test files at and below the paths, in the order of their names. */
function testFiles(paths: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const path of paths) {
    if (!statSync(`${root}${path}`).isDirectory()) found.push(path);
    else {
      for (const name of readdirSync(`${root}${path}`, { recursive: true, encoding: "utf8" })) {
        if (name.endsWith("_test.ts")) found.push(`${path.replace(/\/$/, "")}/${name}`);
      }
    }
  }
  return found.sort();
}

async function build(): Promise<Tally> {
  heading("build");
  const ended = await run("bun", ["test/build.ts"]);
  return { passed: 0, failed: ended.status === 0 ? 0 : 1, skipped: 0 };
}

async function underBun(files: readonly string[]): Promise<Tally> {
  heading("bun");
  const flags = ["test", "--only-failures", `--timeout=${TEST_TIMEOUT_MS}`];
  const ended = await run("bun", [...flags, ...files.map((file) => `./${file}`)]);
  return tallied(ended, {
    passed: /^ *(\d+) pass$/m,
    failed: /^ *(\d+) fail$/m,
    skipped: /^ *(\d+) skip$/m,
  });
}

async function underDeno(files: readonly string[]): Promise<Tally> {
  heading("deno");
  const flags = ["test", "-A", "--no-check", "--reporter=dot"];
  const map = ["--import-map", "test/deno/import_map.json"];
  const isOwn = (file: string): boolean => !OF_THE_BINARY.some((path) => file.startsWith(path));
  const those = files.filter((file) => !file.endsWith("_ffi_test.ts") && isOwn(file));
  if (those.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  const ended = await run("deno", [...flags, ...map, ...those]);
  return tallied(ended, {
    passed: /^(?:ok|FAILED) \| (\d+) passed/m,
    failed: /^(?:ok|FAILED) \| \d+ passed.*? \| (\d+) failed/m,
    skipped: /^(?:ok|FAILED) \| .* \| (\d+) ignored/m,
  });
}

/** The numbers of the summary; a runner that fails without saying of what counts as one failure. */
function tallied(ended: Ended, patterns: Readonly<Record<keyof Tally, RegExp>>): Tally {
  const count = (pattern: RegExp): number => Number(pattern.exec(ended.output)?.[1] ?? 0);
  const failed = count(patterns.failed);
  return {
    passed: count(patterns.passed),
    failed: ended.status === 0 ? failed : Math.max(failed, 1),
    skipped: count(patterns.skipped),
  };
}

function heading(text: string): void {
  process.stdout.write(`\n== ${text}\n`);
}

/** Runs a tool of `node_modules`, shows what it says and keeps it. */
function run(tool: string, words: readonly string[]): Promise<Ended> {
  const env = { ...process.env, NO_COLOR: "1", MQ_TEST_TIMEOUT_MS: String(TEST_TIMEOUT_MS) };
  const child = spawn(`${root}node_modules/.bin/${tool}`, words, {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const parts: string[] = [];
  const hear = (stream: NodeJS.ReadableStream): void => {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      parts.push(text);
      process.stdout.write(text.replaceAll(/^[.,]\n/gm, "")); // Deno's reporter: a line a test
    });
  };
  hear(child.stdout);
  hear(child.stderr);
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      process.stdout.write(`\n${tool} took over ${RUN_TIMEOUT_MS / 1000} s and was stopped\n`);
      child.kill("SIGKILL");
    }, RUN_TIMEOUT_MS);
    child.on("error", (error) => parts.push(String(error)));
    child.on("close", (status) => {
      clearTimeout(late);
      resolve({ status, output: parts.join("") });
    });
  });
}
