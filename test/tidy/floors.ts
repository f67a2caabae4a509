/**
 * The floors of `src/`: imports go down only, types too.
 *
 * The table here is the one in ARCHITECTURE.md; `architecture.ts` checks that they say the same.
 */
import { type Finding, importsOf, isTypeScript, resolved, type SourceFile } from "./source.ts";

export interface Floor {
  readonly floor: number;
  /** Pure and synchronous: see `purity.ts`. */
  readonly isPure: boolean;
  /** Folders it may import from; itself is always among them. */
  readonly sees: readonly string[];
}

const FLOORS_0_TO_4 = [
  "ground",
  "record",
  "api",
  "env",
  "wire",
  "raft",
  "log",
  "metadata",
  "replica",
  "group",
  "txn",
  "tier",
  "security",
];

function floor(number: number, purity: "P" | "", sees: readonly string[]): Floor {
  return { floor: number, isPure: purity === "P", sees };
}

export const floors: Readonly<Record<string, Floor>> = {
  ground: floor(0, "P", []),
  record: floor(1, "P", ["ground"]),
  api: floor(1, "P", ["ground"]),
  env: floor(1, "", ["ground"]),
  wire: floor(2, "P", ["ground", "api"]),
  raft: floor(2, "P", ["ground"]),
  log: floor(2, "", ["ground", "record", "env"]),
  metadata: floor(3, "P", ["ground", "api"]),
  replica: floor(4, "P", ["ground", "api", "record", "metadata"]),
  group: floor(4, "P", ["ground", "api", "record", "metadata"]),
  txn: floor(4, "P", ["ground", "api", "record", "metadata"]),
  tier: floor(4, "P", ["ground", "record", "metadata"]),
  security: floor(4, "P", ["ground", "api", "env", "metadata"]),
  runtime: floor(5, "", FLOORS_0_TO_4),
  controller: floor(6, "", [...FLOORS_0_TO_4, "runtime"]),
  broker: floor(7, "", [...FLOORS_0_TO_4, "runtime", "controller"]),
  client: floor(6, "", ["ground", "record", "api", "env", "wire"]),
  host: floor(7, "", ["ground", "env"]),
  "mod.ts": floor(8, "", ["broker", "controller", "client", "host", "api", "env"]),
};

/** The folder of `src/` that a path is in, or "mod.ts"; undefined outside of `src/`. */
export function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)/.exec(path)?.[1];
}

/** Every import of `src/` stays within what its folder sees, and every folder has a floor. */
export function checkFloors(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(isTypeScript).flatMap((file) => {
    const folder = folderOf(file.path);
    if (folder === undefined) return [];
    const own = floors[folder];
    if (own === undefined) {
      return [{ path: file.path, line: 1, message: `src/${folder} has no floor in the table` }];
    }
    return importsOf(file).flatMap(({ from, line }) => {
      const target = resolved(file.path, from);
      if (target === undefined) return [];
      const seen = folderOf(target);
      if (seen === folder || (seen !== undefined && own.sees.includes(seen))) return [];
      return [{ path: file.path, line, message: `${folder} does not see ${seen ?? target}` }];
    });
  });
}

/** Beside its own files. The manifest tells the version. */
const CLI_SEES = new Set(["src/mod.ts", "package.json"]);

/** `cli/` imports itself, packages and `src/mod.ts`. */
export function checkCliImports(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter((file) => file.path.startsWith("cli/") && isTypeScript(file))
    .flatMap((file) =>
      importsOf(file).flatMap(({ from, line }) => {
        const target = resolved(file.path, from);
        if (target === undefined || target.startsWith("cli/") || CLI_SEES.has(target)) return [];
        return [{ path: file.path, line, message: `cli sees src/mod.ts only, not ${target}` }];
      })
    );
}

/** Only tests may import tests, and nothing leaves the project. */
export function checkEscapes(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(isTypeScript).flatMap((file) =>
    importsOf(file).flatMap(({ from, line }) => {
      const target = resolved(file.path, from) ?? "";
      if (target.startsWith("..")) {
        return [{ path: file.path, line, message: `the import leaves the project: ${from}` }];
      }
      if (target.startsWith("test/") && !file.path.startsWith("test/")) {
        return [{ path: file.path, line, message: `the program imports a test: ${target}` }];
      }
      return [];
    })
  );
}

/** What stands in `src/` or `cli/` is reached from the program or the library's surface. */
export function checkOrphans(
  files: readonly SourceFile[],
  allowed: readonly string[] = [],
): readonly Finding[] {
  const parts = files.filter((file) => /^(?:src|cli)\//.test(file.path) && isTypeScript(file));
  const byPath = new Map(parts.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const open = ["src/mod.ts", "cli/main.ts", ...allowed];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const file = byPath.get(path);
    if (file === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const { from } of importsOf(file)) open.push(resolved(path, from) ?? "");
  }
  return parts.filter((file) => !reached.has(file.path)).map((file) => ({
    path: file.path,
    line: 1,
    message: "nothing imports it: neither src/mod.ts nor cli/main.ts reaches it",
  }));
}
