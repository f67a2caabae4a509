/**
 * `npm run sim`: sweeps seeds, replays the corpus first, keeps what fails.
 *
 * With several jobs each is a process of its own, and takes a range of seeds of its own.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArguments, type SimArguments } from "./arguments.ts";
import { keepInCorpus, readCorpus } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { drawGroups } from "./group/group_options.ts";
import { reportFailure } from "./failure_report.ts";
import { runSimulation } from "./run_seed.ts";
import { shrink } from "./shrink.ts";
import { drawOptions, type SimOptions } from "./sim_options.ts";
import type { SimResult } from "./world.ts";

const HOUR_MS = 3_600_000;
const SHRINK_RUNS_MAX = 150;
const PROGRESS_MS = 30_000;

class Sweep {
  readonly #arguments: SimArguments;
  readonly #coverage = new Coverage();
  readonly #beganMs = performance.now();
  #runCount = 0;
  #eventCount = 0;
  #simulatedMs = 0;
  #failedCount = 0;
  #toldMs = 0;

  constructor(given: SimArguments) {
    this.#arguments = given;
  }

  /** How many have failed. */
  async run(): Promise<number> {
    const { replay, isCorpusSkipped, seeds, from, hours } = this.#arguments;
    if (replay !== undefined) await this.#runOne(JSON.parse(replay));
    else {
      if (!isCorpusSkipped) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        for (const { options } of readCorpus()) await this.#runOne(options);
      }
      const endMs = this.#beganMs + hours * HOUR_MS;
      for (let number = 0; number < seeds && performance.now() < endMs; number++) {
        // deno-lint-ignore no-await-in-loop
        await this.#runOne(this.#options(from + number));
      }
    }
    this.#tell();
    if (this.#arguments.coverage) say(this.#coverage.lines().join("\n"));
    return this.#failedCount;
  }

  #options(seed: number): SimOptions {
    const { nodes, given } = this.#arguments;
    // Half of all worlds have groups; what else a seed draws is the same with them.
    const groups = seed % 2 === 0 ? drawGroups(seed) : {};
    return drawOptions(seed, {
      ...(nodes === undefined ? {} : { nodes }),
      ...groups,
      ...JSON.parse(given),
    });
  }

  async #runOne(options: SimOptions): Promise<void> {
    let result = await runSimulation(options);
    this.#runCount++;
    this.#eventCount += result.eventCount;
    this.#simulatedMs += result.simulatedMs;
    this.#coverage.merge(result.coverage);
    if (this.#arguments.twice && result.failure === undefined) {
      result = mustBeEqual(result, await runSimulation(options));
    }
    if (result.failure !== undefined) await this.#onFailed(result);
    if (performance.now() - this.#toldMs < PROGRESS_MS) return;
    this.#toldMs = performance.now();
    this.#tell();
  }

  async #onFailed(failed: SimResult): Promise<void> {
    const { keep, replay } = this.#arguments;
    this.#failedCount++;
    const result = this.#arguments.shrink
      ? await shrink(failed, { run: runSimulation, runsMax: SHRINK_RUNS_MAX })
      : failed;
    say(reportFailure(result));
    if (!keep || replay !== undefined) return;
    say(`kept as ${keepInCorpus(result.failure?.what ?? "", result.options)}`);
  }

  #tell(): void {
    const seconds = (performance.now() - this.#beganMs) / 1000;
    const simulated = this.#simulatedMs / 1000;
    say(
      `${this.#runCount} simulations, ${this.#failedCount} failed, ${this.#eventCount} events, ` +
        `${simulated.toFixed(0)} simulated s in ${seconds.toFixed(1)} s (${
          (simulated / seconds).toFixed(0)
        } per s)`,
    );
  }
}

function mustBeEqual(first: SimResult, second: SimResult): SimResult {
  if (first.hash === second.hash) return first;
  const message = `${first.hash} at first, ${second.hash} the second time`;
  return { ...second, failure: { what: "trace differs", message, atMs: second.simulatedMs } };
}

/** The exit code of the worst. */
async function runJobs({ jobs, seeds, from }: SimArguments): Promise<number> {
  const each = Math.ceil(seeds / jobs);
  const codes = await Promise.all(
    Array.from({ length: jobs }, (_, index) => {
      const own = [
        "--jobs",
        "1",
        "--from",
        String(from + index * (Number.isFinite(each) ? each : 1e8)),
      ];
      if (Number.isFinite(each)) own.push("--seeds", String(each));
      if (index > 0) own.push("--no-corpus");
      const file = fileURLToPath(import.meta.url);
      const child = spawn(process.execPath, [file, ...words, ...own], { stdio: "inherit" });
      return new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
    }),
  );
  return Math.max(...codes);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const words = process.argv.slice(2);
const parsed = parseArguments(words);
if (typeof parsed === "string") {
  process.stderr.write(`${parsed}\n`);
  process.exitCode = 2;
} else if (parsed.isHashAsked) {
  const options = drawOptions(parsed.from, JSON.parse(parsed.given));
  process.stdout.write(`${(await runSimulation(options)).hash}\n`);
} else if (parsed.jobs > 1) process.exitCode = await runJobs(parsed);
else process.exitCode = await new Sweep(parsed).run() === 0 ? 0 : 1;
