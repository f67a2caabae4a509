/** Proves that each check fires, and that it leaves alone what is right. */
import { describe, expect, test } from "bun:test";
import { checkFloorTable, checkSections } from "./architecture.ts";
import { checkCliImports, checkEscapes, checkFloors, checkOrphans, floors } from "./floors.ts";
import { checkDependencies, checkManifests, checkTopLevel } from "./manifest.ts";
import { checkCliRuntime, checkPackages, checkPurity, checkRuntimeImports } from "./purity.ts";
import { checkSizes } from "./sizes.ts";
import type { Finding, SourceFile } from "./source.ts";
import { checkNames, checkRegistryHosts, checkWords } from "./words.ts";

type Check = (files: readonly SourceFile[]) => readonly Finding[];

/** What the check says of one file. */
function said(check: Check, path: string, text = ""): string {
  return check([{ path, text }]).map((finding) => finding.message).join("; ");
}

describe("checkFloors()", () => {
  test("refuses an import upward, also of a type", () => {
    const text = 'import type { Log } from "../log/log.ts";';
    expect(said(checkFloors, "src/ground/x.ts", text)).toBe("ground does not see log");
    expect(said(checkFloors, "src/runtime/x.ts", text)).toBe("");
  });

  test("refuses an import beside the floor's list", () => {
    const text = 'import { a } from "../api/registry.ts";';
    expect(said(checkFloors, "src/log/x.ts", text)).toBe("log does not see api");
    expect(said(checkFloors, "src/host/x.ts", text)).toBe("host does not see api");
  });

  test("refuses an import out of src, and a folder without a floor", () => {
    const text = 'import { a } from "../../cli/io.ts";';
    expect(said(checkFloors, "src/broker/x.ts", text)).toBe("broker does not see cli/io.ts");
    expect(said(checkFloors, "src/cache/x.ts")).toMatch("no floor");
  });

  test("lets a folder see itself at any depth, and the surface what it lists", () => {
    const text = 'export { a } from "../dispatch.ts";';
    expect(said(checkFloors, "src/broker/handler/x.ts", text)).toBe("");
    expect(said(checkFloors, "src/mod.ts", 'export { a } from "./client/client.ts";')).toBe("");
    expect(said(checkFloors, "src/mod.ts", 'export { a } from "./log/log.ts";')).toMatch("log");
  });

  test("the table only goes down", () => {
    for (const [folder, { floor, sees }] of Object.entries(floors)) {
      for (const seen of sees) {
        expect(floors[seen]?.floor ?? 99, `${folder} sees ${seen}`).toBeLessThan(floor);
      }
    }
  });
});

describe("checkCliImports()", () => {
  test("refuses the inside of src", () => {
    const text = 'import { connect } from "../../src/client/client.ts";';
    expect(said(checkCliImports, "cli/command/x.ts", text)).toMatch("src/client/client.ts");
    const surface = 'import { connect } from "../../src/mod.ts";';
    expect(said(checkCliImports, "cli/command/x.ts", surface)).toBe("");
  });
});

describe("checkEscapes()", () => {
  test("refuses to leave the project, and the program to use a test", () => {
    expect(said(checkEscapes, "cli/x.ts", 'import "../../y.ts";')).toMatch("leaves");
    expect(said(checkEscapes, "src/log/x.ts", 'import "../../test/y.ts";')).toMatch("test/y.ts");
    expect(said(checkEscapes, "test/x.ts", 'import "./y.ts";')).toBe("");
  });
});

describe("checkOrphans()", () => {
  test("finds what the program does not reach", () => {
    const files = [
      { path: "src/mod.ts", text: 'export { a } from "./a.ts";' },
      { path: "src/a.ts", text: "" },
      { path: "src/b.ts", text: "" },
      { path: "cli/main.ts", text: "" },
    ];
    expect(checkOrphans(files).map(({ path }) => path)).toEqual(["src/b.ts"]);
    expect(checkOrphans(files, ["src/b.ts"])).toEqual([]);
  });
});

describe("checkPurity()", () => {
  test("refuses time, chance, timers and promises in a pure folder", () => {
    for (
      const text of [
        "const now = Date.now();",
        "const when = new Date(now);",
        "const chance = Math.random();",
        "setTimeout(f, 1);",
        "async function f() {}",
        "function f(): Promise<void> {}",
        'const a = import("./a.ts");',
        "Bun.version;",
        "Deno.version;",
        "process.env;",
        "Buffer.from(a);",
        "console.log(a);",
      ]
    ) expect(said(checkPurity, "src/raft/x.ts", text), text).not.toBe("");
  });

  test("does not mind comments, strings, and members of that name", () => {
    const text = '// Date\nconst a = "Math.random"; b.process.c; c.await; const process = 1;';
    expect(said(checkPurity, "src/raft/x.ts", text)).toBe("");
  });

  test("lets a folder that is not pure wait, but not read the clock", () => {
    expect(said(checkPurity, "src/client/x.ts", "await f();")).toBe("");
    expect(said(checkPurity, "src/client/x.ts", "const t = Date.now();")).toMatch("clock");
    expect(said(checkPurity, "src/host/x.ts", "const t = Date.now();")).toBe("");
  });
});

describe("checkRuntimeImports(), checkCliRuntime(), checkPackages()", () => {
  test("hold the runtime to its doors", () => {
    const text = 'import { readFileSync } from "node:fs";';
    expect(said(checkRuntimeImports, "src/log/x.ts", text)).toMatch("src/host");
    expect(said(checkRuntimeImports, "cli/main.ts", text)).toMatch("cli/io.ts");
    expect(said(checkRuntimeImports, "cli/io.ts", text)).toBe("");
    expect(said(checkRuntimeImports, "src/host/x.ts", text)).toBe("");
    expect(said(checkCliRuntime, "cli/main.ts", "process.exit(1);")).toMatch("process");
    expect(said(checkCliRuntime, "cli/io.ts", "process.exit(1);")).toBe("");
  });

  test("hold packages to their doors", () => {
    expect(said(checkPackages, "src/host/x.ts", 'import "@std/fs";')).toMatch("@std/fs");
    expect(said(checkPackages, "src/host/fs.ts", 'import "@std/fs";')).toBe("");
    expect(said(checkPackages, "src/client/x.ts", 'import "left-pad";')).toMatch("left-pad");
    expect(said(checkPackages, "cli/x.ts", 'import cac from "cac";')).toBe("");
    expect(said(checkPackages, "src/wire/x.ts", 'import "msgpackr/pack";')).toBe("");
    expect(said(checkPackages, "src/wire/x.ts", 'import "msgpackr";')).toMatch("msgpackr");
  });
});

describe("checkSizes()", () => {
  const header = "/** What it is. */\n";

  test("wants a header", () => {
    expect(said(checkSizes, "src/x.ts", "const a = 1;\n")).toMatch("header");
    expect(said(checkSizes, "src/x.ts", header)).toBe("");
    expect(said(checkSizes, "test/x_test.ts", "const a = 1;\n")).toBe("");
  });

  test("wants a reason over 300 lines and takes none over 600", () => {
    expect(said(checkSizes, "src/x.ts", header + "a;\n".repeat(299))).toBe("");
    expect(said(checkSizes, "src/x.ts", header + "a;\n".repeat(300))).toMatch("301 lines");
    const reason = "/** Longer than most: one table. */\n";
    expect(said(checkSizes, "src/x.ts", reason + "a;\n".repeat(300))).toBe("");
    expect(said(checkSizes, "src/x.ts", reason + "a;\n".repeat(600))).toMatch("at most 600");
  });
});

describe("checkNames()", () => {
  test("refuses names that say nothing, barrels and other cases", () => {
    expect(said(checkNames, "src/log/utils.ts")).toMatch("duty");
    expect(said(checkNames, "src/common/x.ts")).toMatch("duty");
    expect(said(checkNames, "test/helpers/x.ts")).toMatch("duty");
    expect(said(checkNames, "src/log/index.ts")).toMatch("barrel");
    expect(said(checkNames, "src/log/timeIndex.ts")).toMatch("snake_case");
    expect(said(checkNames, "src/log/offset_index.ts")).toBe("");
    expect(said(checkNames, "src/record/timestamp_type.ts")).toBe("");
  });
});

describe("checkWords()", () => {
  test("refuses constructs in code", () => {
    for (
      const text of [
        "let a: any;",
        "const a = b as any;",
        "let a: Map<string, any>;",
        "const a = b!;",
        "const a = b!.c;",
        "const a = b[0]!;",
        "f(a!, b);",
        "enum A { B }",
        "namespace A { }",
        "export default a;",
        "class A { constructor(private a: string) {} }",
        "@sealed\nclass A {}",
      ]
    ) expect(said(checkWords, "src/x.ts", text), text).not.toBe("");
  });

  test("leaves right code alone", () => {
    const text = 'if (a !== b && !c) f(!d, any(e)); const s = "any enum A {"; x.any(); // any!';
    expect(said(checkWords, "src/x.ts", text)).toBe("");
  });

  test("refuses a note without a number, and silenced types", () => {
    expect(said(checkWords, "src/x.ts", "// TODO: later")).toMatch("TODO(#123)");
    expect(said(checkWords, "src/x.ts", "// TODO(#12): later")).toBe("");
    expect(said(checkWords, "src/x.ts", "// FIXME")).toMatch("TODO(#123)");
    expect(said(checkWords, "src/x.ts", "// @ts-ignore")).toMatch("type");
  });

  test("refuses tests that do not run, claim nothing, or sleep", () => {
    const path = "test/log/x_test.ts";
    expect(said(checkWords, path, 'test.skip("a", f);')).not.toBe("");
    expect(said(checkWords, path, 'describe.only("a", f);')).not.toBe("");
    expect(said(checkWords, path, 'test.todo("a");')).not.toBe("");
    expect(said(checkWords, path, "expect(true).toBe(true);")).not.toBe("");
    expect(said(checkWords, path, "await Bun.sleep(10);")).not.toBe("");
    expect(said(checkWords, path, "setTimeout(resolve, 10);")).not.toBe("");
    expect(said(checkWords, path, 'test.skipIf(a)("b", f);')).not.toBe("");
    expect(said(checkWords, "test/conform/x_test.ts", 'test.skipIf(a)("b", f);')).toBe("");
    expect(said(checkWords, path, 'test("a", f);')).toBe("");
  });
});

describe("checkRegistryHosts()", () => {
  test("refuses hosts, and addresses in the lock file", () => {
    const host = ["registry", "example", "com"].join(".");
    expect(said(checkRegistryHosts, "README.md", `npm from https://${host}/`)).toMatch(host);
    expect(said(checkRegistryHosts, "x.ts", ["jsr", "io"].join("."))).toMatch("no registry host");
    expect(said(checkRegistryHosts, "package-lock.json", '"resolved": "x"')).toMatch("address");
    expect(said(checkRegistryHosts, "deno.json", '"jsr:@std/fs@^1"')).toBe("");
  });
});

describe("checkTopLevel() and checkManifests()", () => {
  test("refuse what does not belong at the top", () => {
    expect(said(checkTopLevel, "scripts/x.sh")).toMatch("top level");
    expect(said(checkTopLevel, "src/x.ts")).toBe("");
    expect(said(checkTopLevel, ".gitignore")).toBe("");
  });

  test("refuse a missing command and a range of versions", () => {
    const scripts = { fmt: "", lint: "", check: "", test: "", build: "", bench: "", ok: "" };
    const manifests = (npm: object, deno: object): readonly string[] =>
      checkManifests([
        { path: "package.json", text: JSON.stringify(npm) },
        { path: "deno.json", text: JSON.stringify(deno) },
      ]).map(({ message }) => message);
    expect(manifests({ scripts }, { tasks: scripts })).toEqual([]);
    expect(manifests({ scripts }, { tasks: { ...scripts, ok: undefined } })).toEqual([
      "no task ok",
    ]);
    expect(manifests({ scripts, dependencies: { cac: "^7.1.0" } }, { tasks: scripts }))
      .toEqual(["cac has no exact version: ^7.1.0"]);
  });
});

describe("checkDependencies()", () => {
  const manifest = { dependencies: { cac: "7.1.0" }, devDependencies: { bun: "1.4.5" } };
  const of = (path: string, text: string): readonly string[] =>
    checkDependencies([{ path: "package.json", text: JSON.stringify(manifest) }, { path, text }])
      .map(({ message }) => message);

  test("finds what nobody imports, tools apart", () => {
    expect(of("cli/x.ts", 'import { cac } from "cac";')).toEqual([]);
    expect(of("cli/x.ts", 'import { cac } from "cac/part";')).toEqual([]);
    expect(of("cli/x.ts", 'import { cac } from "./cac.ts";')).toEqual(["nothing imports cac"]);
    expect(of("cli/x.ts", 'const name = "cac";')).toEqual(["nothing imports cac"]);
    expect(of("src/host/x.ts", 'loadNative("cac");')).toEqual([]);
  });
});

describe("checkSections()", () => {
  const whole = "### `src/log/`\n\nIt keeps.\n\n**Invariant:** it never lies.\n\n## Next\n";
  const of = (text: string, folder = "log"): string =>
    checkSections([{ path: "ARCHITECTURE.md", text }, { path: `src/${folder}/x.ts`, text: "" }])
      .map(({ message }) => message).join("; ");

  test("wants a section per folder and a folder per section", () => {
    expect(of(whole)).toBe("");
    expect(of(whole, "wire")).toBe("src/wire/ has no section; the section src/log/ has no folder");
  });

  test("wants a paragraph and an invariant in each", () => {
    expect(of("### `src/log/`\n\nIt keeps.\n")).toMatch("no invariant");
    expect(of("### `src/log/`\n\n**Invariant:** it keeps.\n")).toMatch("no paragraph");
  });
});

describe("checkFloorTable()", () => {
  const rows = Object.entries(floors).map(([folder, { floor, isPure, sees }]) =>
    `| ${floor} | \`${folder}\`${isPure ? " P" : ""} | duty | ${sees.join(", ") || "–"} |`
  );
  const of = (lines: readonly string[]): string =>
    said(checkFloorTable, "ARCHITECTURE.md", lines.join("\n"));

  test("wants every row as it is enforced", () => {
    expect(of(rows)).toBe("");
    expect(of(rows.slice(1))).toMatch("lacks ground");
    expect(of(rows.map((row) => row.replace("`record` P", "`record`")))).toMatch("row of record");
    expect(of(rows.map((row) => row.replace("ground, env", "env")))).toMatch("row of host");
    expect(of([...rows, "| 5 | `cache` | duty | – |"])).toMatch("not enforced: cache");
  });
});
