/**
 * The text of the project keeps its own rules: floors, purity, sizes, words, manifests, the code map.
 *
 * Each check is a function over files as text (`test/tidy/`), proved to fire by the tests beside it.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { projectRoot } from "./harness/process.ts";
import { checkFloorTable, checkSections } from "./tidy/architecture.ts";
import { checkCliImports, checkEscapes, checkFloors, checkOrphans } from "./tidy/floors.ts";
import { checkDependencies, checkManifests, checkTopLevel } from "./tidy/manifest.ts";
import { checkCliRuntime, checkPackages, checkPurity, checkRuntimeImports } from "./tidy/purity.ts";
import { checkSizes } from "./tidy/sizes.ts";
import type { Finding, SourceFile } from "./tidy/source.ts";
import { checkNames, checkRegistryHosts, checkWords } from "./tidy/words.ts";

const NOT_OURS = new Set(["node_modules", "dist", ".git"]);
const TEXT = /\.(?:ts|json|md|sh|txt)$|(?:^|\/)(?:run|\.gitignore)$/;
/** For tools and tests: the one door to `@std/fs`, and what stands behind it on Bun. */
/** What waits for something that is not built yet, and says so in its header, is there too. */
const NOT_IN_THE_PROGRAM = [
  "src/host/fs.ts",
  "src/host/std_fs.ts",
  "src/metadata/decide/reassign_partitions.ts",
];

function filesBelow(folder: string): readonly SourceFile[] {
  return readdirSync(`${projectRoot}${folder}`, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesBelow(`${path}/`);
    if (!TEXT.test(path)) return [{ path, text: "" }];
    return [{ path, text: readFileSync(`${projectRoot}${path}`, "utf8") }];
  });
}

const files = filesBelow("");

function listed(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ path, line, message }) => `${path}:${line} ${message}`);
}

describe("the project", () => {
  test("reads itself", () => {
    expect(files.some(({ path }) => path === "src/ground/reader.ts")).toBe(true);
    expect(files.length).toBeGreaterThan(50);
  });

  const checks = {
    "imports go down only": checkFloors,
    "the program reaches the system through src/mod.ts": checkCliImports,
    "no import leaves the project or enters the tests": checkEscapes,
    "nothing is left that nothing uses": (all: readonly SourceFile[]) =>
      checkOrphans(all, NOT_IN_THE_PROGRAM),
    "pure folders are pure": checkPurity,
    "only src/host and cli/io.ts name the runtime": checkRuntimeImports,
    "only cli/io.ts reaches the process": checkCliRuntime,
    "packages are imported where they belong": checkPackages,
    "files have a header and a bounded size": checkSizes,
    "names say a duty": checkNames,
    "no banned word or construct": checkWords,
    "no registry host is named": checkRegistryHosts,
    "the top level holds what it should": checkTopLevel,
    "the manifests agree": checkManifests,
    "every dependency is used": checkDependencies,
    "the code map has every folder": checkSections,
    "the table of floors is the enforced one": checkFloorTable,
  };
  for (const [name, check] of Object.entries(checks)) {
    test(name, () => expect(listed(check(files))).toEqual([]));
  }
});
