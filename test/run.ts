/**
 * `npm test`: builds the binary, runs the whole suite under Bun and under Deno at the same time, and ends
 * with one line "N passed, N failed" for both together.
 *
 *     npm test -- test/log             only these files or folders
 *     npm test -- --runtime=deno       only that runtime
 *
 * Files that end in `_ffi_test.ts` need `bun:ffi` and run under Bun only. So do those that only talk to
 * the compiled binary: it is the same one, whatever runs the test. They have a process of their own
 * beside the others, since what they do most is wait: for programs, disks, and faults that last.
 */
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const TEST_TIMEOUT_MS = 120_000;
/** Ends a run that hangs; on a machine with much else to do a good one may take long. */
const RUN_TIMEOUT_MS = 1_200_000;
const OF_THE_BINARY = ["test/accept/", "test/cluster/", "test/conform/"];

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** One process of the suite. */
interface Part {
  readonly title: string;
  readonly tool: "bun" | "deno";
  readonly flags: readonly string[];
  readonly files: readonly string[];
  /** Where the numbers stand in what it says. */
  readonly summary: Readonly<Record<keyof Tally, RegExp>>;
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
  const built = await build();
  const tallies = [built, ...await runAll(partsOf(files, runtime))];
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
  const ended = await run("build", "bun", ["test/build.ts"]);
  return { passed: 0, failed: ended.status === 0 ? 0 : 1, skipped: 0 };
}

function partsOf(files: readonly string[], runtime: string | undefined): readonly Part[] {
  const isOfBinary = (file: string): boolean => OF_THE_BINARY.some((path) => file.startsWith(path));
  const own = files.filter((file) => !isOfBinary(file));
  const portable = own.filter((file) => !file.endsWith("_ffi_test.ts"));
  const parts: Part[] = [];
  if (runtime !== "deno") {
    parts.push(underBun("bun", own), underBun("bun, of the binary", files.filter(isOfBinary)));
  }
  if (runtime !== "bun") parts.push(underDeno("deno", portable));
  return parts.filter((part) => part.files.length > 0);
}

function underBun(title: string, files: readonly string[]): Part {
  const flags = ["test", "--only-failures", `--timeout=${TEST_TIMEOUT_MS}`];
  const summary = {
    passed: /^ *(\d+) pass$/m,
    failed: /^ *(\d+) fail$/m,
    skipped: /^ *(\d+) skip$/m,
  };
  return { title, tool: "bun", flags, files, summary };
}

function underDeno(title: string, files: readonly string[]): Part {
  const flags = ["test", "-A", "--no-check", "--reporter=dot"];
  flags.push("--import-map", "test/deno/import_map.json");
  const summary = {
    passed: /^(?:ok|FAILED) \| (\d+) passed/m,
    failed: /^(?:ok|FAILED) \| \d+ passed.*? \| (\d+) failed/m,
    skipped: /^(?:ok|FAILED) \| .* \| (\d+) ignored/m,
  };
  return { title, tool: "deno", flags, files, summary };
}

/** All at the same time; what they say is told one after the other. */
async function runAll(parts: readonly Part[]): Promise<readonly Tally[]> {
  let before: Promise<unknown> = Promise.resolve();
  return await Promise.all(parts.map(async ({ title, tool, flags, files, summary }) => {
    const ended = run(title, tool, [...flags, ...files.map((file) => `./${file}`)], before);
    before = ended;
    return tallied(await ended, summary);
  }));
}

/** The numbers of the summary; a runner that fails without saying of what counts as one failure. */
function tallied(ended: Ended, summary: Part["summary"]): Tally {
  const count = (pattern: RegExp): number => Number(pattern.exec(ended.output)?.[1] ?? 0);
  const failed = count(summary.failed);
  return {
    passed: count(summary.passed),
    failed: ended.status === 0 ? failed : Math.max(failed, 1),
    skipped: count(summary.skipped),
  };
}

/** Runs a tool of `node_modules`, shows what it says from its turn on, and keeps it. */
async function run(
  title: string,
  tool: string,
  words: readonly string[],
  turn: Promise<unknown> = Promise.resolve(),
): Promise<Ended> {
  const env = { ...process.env, NO_COLOR: "1", MQ_TEST_TIMEOUT_MS: String(TEST_TIMEOUT_MS) };
  const child = spawn(`${root}node_modules/.bin/${tool}`, words, {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const parts: string[] = [];
  let isShown = false;
  const show = (text: string): void => {
    process.stdout.write(text.replaceAll(/^[.,]\n/gm, "")); // Deno's reporter: a line a test
  };
  const hear = (text: string): void => {
    parts.push(text);
    if (isShown) show(text);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", hear);
  const late = setTimeout(() => {
    hear(`\n${tool} took over ${RUN_TIMEOUT_MS / 1000} s and was stopped\n`);
    child.kill("SIGKILL");
  }, RUN_TIMEOUT_MS);
  const ended = new Promise<number | null>((resolve) => {
    child.on("error", (error) => hear(`${error}\n`));
    child.on("close", resolve);
  });
  await turn;
  show(`\n== ${title}\n${parts.join("")}`);
  isShown = true;
  const status = await ended;
  clearTimeout(late);
  return { status, output: parts.join("") };
}
