/** Simulations that have failed once, kept as options in files: every sweep and every test runs them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SimOptions } from "./sim_options.ts";

const FOLDER = fileURLToPath(new URL("./corpus", import.meta.url));

export interface CorpusEntry {
  readonly file: string;
  /** What broke when it was found. */
  readonly what: string;
  readonly options: SimOptions;
}

export function readCorpus(): readonly CorpusEntry[] {
  if (!existsSync(FOLDER)) return [];
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json")).sort();
  return files.map((file) => {
    const { what, options } = JSON.parse(readFileSync(`${FOLDER}/${file}`, "utf8"));
    return { file, what, options };
  });
}

export function keepInCorpus(what: string, options: SimOptions): string {
  mkdirSync(FOLDER, { recursive: true });
  const file = `${FOLDER}/seed-${options.seed}-nodes-${options.nodes}.json`;
  writeFileSync(file, `${JSON.stringify({ what, options }, undefined, 2)}\n`);
  return file;
}
