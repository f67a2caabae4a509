/** The top level and the two manifests. */
import { type Finding, importsOf, isTypeScript, type SourceFile } from "./source.ts";

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

/** Dependencies that are run, or that the type checker reads, and so are imported by nobody. */
const TOOLS = new Set(["bun", "deno", "oxlint", "@types/node"]);

/** Every other dependency is imported somewhere. */
export function checkDependencies(files: readonly SourceFile[]): readonly Finding[] {
  const manifest = parsed(files, "package.json");
  const used = new Set(files.filter(isTypeScript).flatMap(namedPackages));
  const names = ["dependencies", "devDependencies"].flatMap((kind) =>
    Object.keys(section(manifest, kind))
  );
  return names.filter((name) => !used.has(name) && !TOOLS.has(name)).map((name) => ({
    path: "package.json",
    line: 1,
    message: `nothing imports ${name}`,
  }));
}

/** A native module is loaded by its name, so a name in quotes counts as well. */
function namedPackages(file: SourceFile): readonly string[] {
  const quoted = [...file.text.matchAll(/"((?:@[\w-]+\/)?[\w-]+)"/g)].map((match) =>
    match[1] ?? ""
  );
  const isNative = file.path.startsWith("src/host/");
  return [...importsOf(file).map(({ from }) => packageOf(from)), ...(isNative ? quoted : [])];
}

/** A package may be imported by one of its parts: `name/part`, `@scope/name/part`. */
function packageOf(from: string): string {
  return /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from;
}

type Json = Readonly<Record<string, unknown>>;

function parsed(files: readonly SourceFile[], path: string): Json {
  const file = files.find((each) => each.path === path);
  return file === undefined ? {} : JSON.parse(file.text);
}

function section(manifest: Json, name: string): Json {
  return (manifest[name] ?? {}) as Json;
}
