/** The harness itself: what runs ends, and what it wrote arrives whole. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import process from "node:process";
import { hasProgram, run, start } from "./process.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("run()", () => {
  test("gives the exit code, both streams and takes input", async () => {
    const script = "cat; echo talk >&2; exit 3";
    const result = await run("sh", ["-c", script], { input: "data" });
    expect(result.text).toBe("data");
    expect(result.stderr).toBe("talk\n");
    expect(result.status).toBe(3);
  });

  test("gives all of a long output", async () => {
    const result = await run("sh", ["-c", "head -c 3000000 /dev/zero"]);
    expect(result.stdout.length).toBe(3_000_000);
  });

  test("tells a signal as a shell does", async () => {
    expect((await run("sh", ["-c", "kill -9 $$"])).status).toBe(137);
  });

  test("ends what takes too long", async () => {
    expect((await run("sleep", ["60"], { timeoutMs: 50 })).status).toBe(137);
  });

  test("rejects where there is no such program", async () => {
    await expect(run("mq-no-such-program", [])).rejects.toThrow();
    expect(await hasProgram("mq-no-such-program")).toBe(false);
    expect(await hasProgram("sh")).toBe(true);
  });
});

describe("start()", () => {
  test("kills the process when the value is disposed of", async () => {
    let pid = 0;
    {
      await using child = start("sleep", ["60"]);
      pid = child.pid;
      expect(isAlive(pid)).toBe(true);
    }
    expect(isAlive(pid)).toBe(false);
  });
});

describe("temporaryDirectory()", () => {
  test("is gone at the end of its block", () => {
    let path = "";
    {
      using directory = temporaryDirectory();
      path = directory.path;
      expect(existsSync(path)).toBe(true);
    }
    expect(existsSync(path)).toBe(false);
  });
});
