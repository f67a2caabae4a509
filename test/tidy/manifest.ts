/** The top level and the two manifests. */
import type { Finding, SourceFile } from "./source.ts";

const TOP_LEVEL = new Set([
  "src",
  "cli",
  "test",
  "dist",
  "deno.json",
  "package.json",
  "package-lock.json",
  "README.md",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
]);

/** Nothing stands at the top level but what is listed, and dot files. */
export function checkTopLevel(files: readonly SourceFile[]): readonly Finding[] {
  const names = new Set(files.map(({ path }) => path.split("/")[0] as string));
  return [...names].filter((name) => !TOP_LEVEL.has(name) && !name.startsWith(".")).map((name) => ({
    path: name,
    line: 1,
    message: "it does not belong at the top level",
  }));
}

/** Commands of everyday work: each is a script and a task. */
const COMMANDS = ["fmt", "lint", "check", "test", "build", "bench", "ok"];

/** Both manifests have the same commands, and every dependency has an exact version. */
export function checkManifests(files: readonly SourceFile[]): readonly Finding[] {
  const npm = parsed(files, "package.json");
  const deno = parsed(files, "deno.json");
  const findings: Finding[] = [];
  const find = (path: string, message: string): void => {
    findings.push({ path, line: 1, message });
  };
  for (const command of COMMANDS) {
    if (section(npm, "scripts")[command] === undefined) {
      find("package.json", `no script ${command}`);
    }
    if (section(deno, "tasks")[command] === undefined) find("deno.json", `no task ${command}`);
  }
  for (const kind of ["dependencies", "devDependencies"]) {
    for (const [name, version] of Object.entries(section(npm, kind))) {
      if (!/^\d+\.\d+\.\d+$/.test(String(version))) {
        find("package.json", `${name} has no exact version: ${version}`);
      }
    }
  }
  return findings;
}

type Json = Readonly<Record<string, unknown>>;

function parsed(files: readonly SourceFile[], path: string): Json {
  const file = files.find((each) => each.path === path);
  return file === undefined ? {} : JSON.parse(file.text);
}

function section(manifest: Json, name: string): Json {
  return (manifest[name] ?? {}) as Json;
}
