/** The small `@std/fs` over `node:fs/promises`, which Bun and the tests use. */
import { describe, expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { emptyDir, ensureDir, exists, move, walk } from "../../src/host/fs.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";

async function namesBelow(root: string, options = {}): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const entry of walk(root, options)) names.push(entry.path.slice(root.length));
  return names.sort();
}

describe("ensureDir() and exists()", () => {
  test("make a directory with its parents, once or twice", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a/b");
    expect(await exists(path)).toBe(false);
    await ensureDir(path);
    await ensureDir(path);
    expect(await exists(path, { isDirectory: true })).toBe(true);
    expect(await exists(path, { isFile: true })).toBe(false);
  });
});

describe("walk()", () => {
  test("gives files and directories, to a depth, by ending", async () => {
    using directory = temporaryDirectory();
    await ensureDir(join(directory.path, "a"));
    await writeFile(join(directory.path, "a/x.log"), "1");
    await writeFile(join(directory.path, "y.txt"), "2");
    expect(await namesBelow(directory.path)).toEqual(["", "/a", "/a/x.log", "/y.txt"]);
    expect(await namesBelow(directory.path, { maxDepth: 1 })).toEqual(["", "/a", "/y.txt"]);
    expect(await namesBelow(directory.path, { includeDirs: false, exts: [".log"] }))
      .toEqual(["/a/x.log"]);
  });
});

describe("emptyDir()", () => {
  test("leaves the directory and nothing in it", async () => {
    using directory = temporaryDirectory();
    await ensureDir(join(directory.path, "a/b"));
    await emptyDir(directory.path);
    expect(await namesBelow(directory.path)).toEqual([""]);
  });
});

describe("move()", () => {
  test("refuses a target that is there unless it is to be overwritten", async () => {
    using directory = temporaryDirectory();
    const [source, target] = [join(directory.path, "s"), join(directory.path, "t")];
    await writeFile(source, "new");
    await writeFile(target, "old");
    await expect(move(source, target)).rejects.toThrow("exists");
    await move(source, target, { overwrite: true });
    expect(await readFile(target, "utf8")).toBe("new");
    expect(await exists(source)).toBe(false);
  });

  test("refuses a directory into itself", async () => {
    using directory = temporaryDirectory();
    await expect(move(directory.path, join(directory.path, "x"))).rejects.toThrow("subdirectory");
  });
});
