/**
 * The command of the quorum's simulation.
 *
 *     bun test/sim/raft/main.ts --seeds N --from S --hours H --jobs J [--no-keep]   sweep
 *                               --twice     every seed a second time, which must leave the same trace
 *     bun test/sim/raft/main.ts --seed S [--sabotage a,b]                one seed, with the whole story
 *     bun test/sim/raft/main.ts --options '{…}'                          one world, the same
 *     bun test/sim/raft/main.ts --hashes --seeds N --from S              a line "seed hash" each
 *     bun test/sim/raft/main.ts --mutants [--only a,b] [--starts N] [--seeds N] [--observable]
 *     bun test/sim/raft/main.ts --coverage --seeds N                     faults against phases
 *     bun test/sim/raft/main.ts --speed                                  simulated seconds per core second
 *
 * A sweep ends after its seeds or its hours, prints a line per failing seed and, unless told not to, keeps
 * its options in corpus/found.txt; the suite runs that file from then on. Exit code 1 when a seed failed.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { keepInCorpus } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { failureLine, failureReport } from "./failure.ts";
import { mutantRow, mutants } from "./mutants.ts";
import { idleOptions, type SimOptions, swarmOptions } from "./options.ts";
import { World } from "./world.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const options = parsed(words);
  const number = (name: string, usual: number): number => Number(options.get(name) ?? usual);
  const sabotage = options.get("sabotage")?.split(",") ?? [];
  const isObservableOnly = options.has("observable");
  if (options.has("options")) {
    show(JSON.parse(options.get("options") ?? "") as SimOptions, isObservableOnly);
  } else if (options.has("seed")) {
    show(swarmOptions(number("seed", 1), sabotage), isObservableOnly);
  } else if (options.has("speed")) speed();
  else if (options.has("coverage")) coverage(number("from", 1), number("seeds", 200));
  else if (options.has("hashes")) hashes(number("from", 1), number("seeds", 10));
  else if (options.has("mutants")) {
    const only = options.get("only")?.split(",");
    print("| planted bug | place | median seeds | worst | broken invariant |");
    print("|---|---|---|---|---|");
    const starts = Array.from({ length: number("starts", 5) }, (_, at) => 1 + at * 100_003);
    for (const mutant of mutants) {
      if (only !== undefined && !only.includes(mutant.name)) continue;
      print(mutantRow(mutant, starts, number("seeds", 500), { isObservableOnly }));
    }
  } else if (options.has("worker")) {
    const hours = number("hours", Infinity);
    const [from, seeds, step] = [number("from", 1), number("seeds", 100), number("step", 1)];
    const [isKeeping, isTwice] = [!options.has("no-keep"), options.has("twice")];
    work({ firstSeed: from, seedCount: seeds, step, hours, isKeeping, isTwice });
  } else {
    const passedOn = ["hours", "no-keep", "twice"].flatMap((name) => {
      const value = options.get(name);
      return value === undefined ? [] : value === "" ? [`--${name}`] : [`--${name}`, value];
    });
    await sweep(number("from", 1), number("seeds", 1_000), number("jobs", 1), passedOn);
  }
}

function parsed(words: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  words.forEach((word, at) => {
    if (!word.startsWith("--")) return;
    const next = words[at + 1];
    found.set(word.slice(2), next === undefined || next.startsWith("--") ? "" : next);
  });
  return found;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function show(options: SimOptions, isObservableOnly: boolean): void {
  const result = new World(options, { isObservableOnly }).run();
  const { violation, hash, simulatedMs, eventCount, committedCount, leaderCount } = result;
  if (violation === undefined) {
    print(
      `seed ${options.seed}: nothing wrong in ${simulatedMs} ms, ${eventCount} events, ` +
        `${committedCount} committed batches, ${leaderCount} leaders, ` +
        `${result.acknowledgedCount} acknowledged, ${result.readCount} reads, hash ${hash}` +
        (result.livenessSkipped === undefined
          ? ""
          : `, liveness not asked: ${result.livenessSkipped}`),
    );
    return;
  }
  process.exitCode = 1;
  print(failureReport(options, { isObservableOnly }));
}

function hashes(firstSeed: number, seedCount: number): void {
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    const { hash, eventCount } = new World(swarmOptions(seed)).run();
    print(`${seed} ${hash} ${eventCount}`);
  }
}

function coverage(firstSeed: number, seedCount: number): void {
  const all = new Coverage();
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    all.addAll(new World(swarmOptions(seed)).run().coverage);
  }
  print(all.table());
}

function speed(): void {
  const measure = (name: string, worlds: readonly SimOptions[]): void => {
    const before = process.cpuUsage();
    let simulatedMs = 0;
    let eventCount = 0;
    for (const options of worlds) {
      const result = new World(options).run();
      simulatedMs += result.simulatedMs;
      eventCount += result.eventCount;
    }
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1_000_000;
    print(
      `${name}: ${Math.round(simulatedMs / 1_000 / seconds)} simulated seconds and ` +
        `${Math.round(eventCount / seconds)} events per second of a core`,
    );
  };
  measure("warm-up", [idleOptions(1, 2_000)]);
  measure("idle cluster of three", [idleOptions(1, 10_000)]);
  const seeds = (from: number, count: number): readonly SimOptions[] =>
    Array.from({ length: count }, (_, at) => swarmOptions(from + at));
  measure("under faults, first 100 seeds (compiling included)", seeds(1, 100));
  measure("under faults, the next 400", seeds(101, 400));
}

interface Share {
  readonly firstSeed: number;
  readonly seedCount: number;
  readonly step: number;
  readonly hours: number;
  readonly isKeeping: boolean;
  readonly isTwice: boolean;
}

/** One process's share of a sweep: every `step`th seed; a line per failure, one with the counts at the end. */
function work({ firstSeed, seedCount, step, hours, isKeeping, isTwice }: Share): void {
  const endMs = performance.now() + hours * 3_600_000;
  let simulatedMs = 0;
  let runCount = 0;
  let skippedCount = 0;
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed += step) {
    if (performance.now() > endMs) break;
    const options = swarmOptions(seed);
    const result = new World(options).run();
    runCount++;
    simulatedMs += result.simulatedMs;
    if (result.livenessSkipped !== undefined) skippedCount++;
    if (isTwice && new World(options).run().hash !== result.hash) {
      print(`seed ${seed}: another trace the second time`);
    }
    if (result.violation !== undefined) {
      print(failureLine(options, result));
      const note = `${result.violation.invariant}: ${result.violation.message}`;
      if (isKeeping) keepInCorpus(options, note);
    }
  }
  print(`DONE ${runCount} ${Math.round(simulatedMs / 1_000)} ${skippedCount}`);
}

async function sweep(
  firstSeed: number,
  seedCount: number,
  jobs: number,
  passedOn: readonly string[],
): Promise<void> {
  const startMs = performance.now();
  const totals = [0, 0, 0];
  let failureCount = 0;
  const share = async (job: number): Promise<void> => {
    const words = ["--worker", "--from", `${firstSeed + job}`, "--seeds", `${seedCount - job}`];
    const child = spawn(process.execPath, [
      ...process.execArgv,
      `${here}main.ts`,
      ...words,
      "--step",
      `${jobs}`,
      ...passedOn,
    ], { stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.setEncoding("utf8");
    let rest = "";
    for await (const text of child.stdout) {
      const lines = (rest + String(text)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("DONE")) {
          line.split(" ").slice(1).forEach((each, at) =>
            totals[at] = (totals[at] ?? 0) + Number(each)
          );
        } else {
          failureCount++;
          print(line);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, (_, job) => share(job)));
  const seconds = (performance.now() - startMs) / 1_000;
  print(
    `${totals[0]} seeds from ${firstSeed}, ${totals[1]} simulated seconds in ` +
      `${seconds.toFixed(1)} s, progress not asked in ${totals[2]}, ${failureCount} failed`,
  );
  if (failureCount > 0 || totals[0] === 0) process.exitCode = 1;
}
