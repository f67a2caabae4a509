/**
 * Who may name what: chance, time and the runtime come in as values (`src/env/`), so that the same
 * code runs in a simulator.
 */
import { floors, folderOf } from "./floors.ts";
import {
  findAll,
  type Finding,
  importsOf,
  isTypeScript,
  partsOf,
  type SourceFile,
} from "./source.ts";

interface Rule {
  readonly pattern: RegExp;
  readonly why: string;
}

/** Banned in `src/` outside of `host/`. A name behind a dot is a member of something else. */
const outsideOfHost: readonly Rule[] = [
  rule(/(?<![.\w$#])(?:Bun|Deno)\b(?!\s*[?:]?:)/g, "only src/host names the runtime"),
  rule(/(?<![.\w$#])process\s*[.[]/g, "only src/host names the process"),
  rule(/(?<![.\w$#])Buffer\b/g, "bytes are Uint8Array"),
  rule(/(?<![.\w$#])console\s*\./g, "events go to env/trace.ts"),
  rule(/\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/g, "time comes from env/clock.ts"),
  rule(/\bMath\.random\b|(?<![.\w$#])crypto\s*\./g, "chance comes from env/random.ts"),
  rule(
    /(?<![.\w$#])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g,
    "timers come from env/clock.ts",
  ),
];

/** Banned in a pure folder as well. */
const inPureFolders: readonly Rule[] = [
  rule(/(?<![.\w$#])Date\b/g, "a pure folder is handed the time"),
  rule(/(?<![.\w$#])(?:async|await)\b/g, "a pure folder is synchronous"),
  rule(/(?<![.\w$#])Promise\b|\.then\(/g, "a pure folder has no promises"),
  rule(/(?<![.\w$#])import\s*\(/g, "a pure folder loads nothing"),
];

function rule(pattern: RegExp, why: string): Rule {
  return { pattern, why };
}

/** No clock, chance, timer, promise or runtime where the table of floors says P. */
export function checkPurity(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(isTypeScript).flatMap((file) => {
    const folder = folderOf(file.path);
    if (folder === undefined || folder === "host") return [];
    const isPure = floors[folder]?.isPure === true;
    const rules = isPure ? [...outsideOfHost, ...inPureFolders] : outsideOfHost;
    const { code } = partsOf(file.text);
    return rules.flatMap(({ pattern, why }) =>
      findAll(file, pattern, (match) => `${match[0].trim()}: ${why}`, code)
    );
  });
}

/** Of the program's files, those that reach the runtime: the process, and the processes it starts. */
const HOST_OF_CLI: ReadonlySet<string> = new Set(["cli/io.ts", "cli/shell_process.ts"]);

/** Only `src/host/` imports the runtime's modules; only `cli/io.ts` among the program's files. */
export function checkRuntimeImports(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(isTypeScript).flatMap((file) => {
    const mayName = file.path.startsWith("src/host/") || HOST_OF_CLI.has(file.path);
    if (mayName || !/^(?:src|cli)\//.test(file.path)) return [];
    const where = file.path.startsWith("cli/") ? "cli/io.ts" : "src/host";
    return importsOf(file).filter(({ from }) => /^(?:node|bun):|^bun$/.test(from)).map((each) => ({
      path: file.path,
      line: each.line,
      message: `only ${where} names ${each.from}`,
    }));
  });
}

/** In `cli/` the process, argv, the streams and signals live in `io.ts`. */
export function checkCliRuntime(files: readonly SourceFile[]): readonly Finding[] {
  const pattern = /(?<![.\w$#])(?:(?:Bun|Deno|process|console)\s*\.)/g;
  return files
    .filter((file) => /^cli\/.*\.ts$/.test(file.path) && !HOST_OF_CLI.has(file.path))
    .flatMap((file) =>
      findAll(file, pattern, (match) => `only cli/io.ts names ${match[0]}`, partsOf(file.text).code)
    );
}

/**
 * Which packages `src/` may import where; `@std/fs` has one door. The whole of msgpackr would look for its
 * native part where the binary was built.
 */
const packages: Readonly<Record<string, RegExp>> = {
  "@std/fs": /^src\/host\/fs\.ts$/,
  "@node-rs/crc32": /^src\/host\//,
  "lz4-napi": /^src\/host\//,
  "snappyjs": /^src\/host\//,
  "re2js": /^src\/runtime\//,
  "msgpackr/pack": /^src\/(?:wire|metadata|runtime)\//,
  "cac": /^cli\//,
  "picocolors": /^cli\//,
};

/** A package is imported only where the table allows, and no other package is imported at all. */
export function checkPackages(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter((file) => isTypeScript(file) && /^(?:src|cli)\//.test(file.path))
    .flatMap((file) =>
      importsOf(file).flatMap(({ from, line }) => {
        if (from.startsWith(".") || /^(?:node|bun):/.test(from)) return [];
        if (packages[from]?.test(file.path) === true) return [];
        return [{ path: file.path, line, message: `the package ${from} is not imported here` }];
      })
    );
}
