/**
 * Worlds in which something was wrong once: text files in `corpus/`, a world a line.
 *
 *     {"seed":15,…} # what was wrong
 *
 * A line holds the whole options, so it stays what it was when the rules by which seeds draw their options
 * change. `kept.txt` is kept by hand; sweeps append to `found.txt`.
 */
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { idleOptions, type SimOptions } from "./options.ts";

export interface CorpusWorld {
  readonly options: SimOptions;
  readonly note: string;
}

const folder = fileURLToPath(new URL("./corpus/", import.meta.url));

export function corpusWorlds(): readonly CorpusWorld[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".txt")).sort();
  return files.flatMap((name) => {
    const lines = readFileSync(`${folder}${name}`, "utf8").split("\n");
    return lines.filter((line) => line.startsWith("{")).map(parsed);
  });
}

function parsed(line: string): CorpusWorld {
  const end = line.lastIndexOf("} # ");
  const json = end < 0 ? line : line.slice(0, end + 1);
  const read = JSON.parse(json) as SimOptions;
  const usual = idleOptions(read.seed, 1);
  // Options that came later than the line have their harmless value.
  const options = {
    ...usual,
    ...read,
    network: { ...usual.network, ...read.network },
    disk: { ...usual.disk, ...read.disk },
    meanMs: { ...usual.meanMs, ...(read.meanMs as Partial<SimOptions["meanMs"]>) },
  };
  return { options, note: end < 0 ? "" : line.slice(end + 4) };
}

export function keepInCorpus(options: SimOptions, note: string): void {
  appendFileSync(`${folder}found.txt`, `${JSON.stringify(options)} # ${note}\n`);
}
