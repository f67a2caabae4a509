/**
 * File systems for one test: a small one in memory, and a directory that is read-only. Both are gone
 * when the test is, also when it fails; what the program's end finds is unmounted then.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

export interface Mount extends Disposable {
  readonly path: string;
}

const mounted = new Set<string>();
process.on("exit", () => {
  for (const path of mounted) unmount(path);
});

/** An empty file system of so many bytes. */
export function mountMemory(bytes: number): Mount {
  return mount((path) => ["-t", "tmpfs", "-o", `size=${bytes}`, "mq-test", path]);
}

/** What lies in `source`, not to be written. */
export function mountReadOnly(source: string): Mount {
  const there = mount((path) => ["--bind", source, path]);
  attempt("mount", ["-o", "remount,bind,ro", there.path]);
  return there;
}

/** Whether this user may mount; where not, says that those tests are skipped. */
export function mayMount(): boolean {
  try {
    mountMemory(1 << 20)[Symbol.dispose]();
    return true;
  } catch {
    process.stderr.write("file systems cannot be mounted: tests of full disks are skipped\n");
    return false;
  }
}

function mount(words: (path: string) => readonly string[]): Mount {
  const path = mkdtempSync(join(tmpdir(), "mq-mount-"));
  try {
    attempt("mount", words(path));
  } catch (error) {
    rmSync(path, { recursive: true, force: true });
    throw error;
  }
  mounted.add(path);
  return { path, [Symbol.dispose]: () => unmount(path) };
}

/** Lazily: a process of the test that is still ending must not keep it. */
function unmount(path: string): void {
  if (!mounted.delete(path)) return;
  spawnSync("umount", ["-l", path]);
  rmSync(path, { recursive: true, force: true });
}

function attempt(program: string, words: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`Cannot ${program} ${words.join(" ")}: ${error ?? stderr}`);
}
