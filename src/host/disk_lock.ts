/**
 * An advisory lock on a file that ends with the process, however it ends.
 *
 * flock(2) is what gives that: the kernel drops the lock with the last descriptor, also at
 * `kill -9`. Deno has it as `FsFile.tryLockSync`, Bun reaches it through `bun:ffi`. Where neither is
 * there (a libc of another name), the lock file holds the owner's process id and a lock whose owner
 * is gone is taken over: weaker (ids are reused), and good enough to catch two brokers by mistake.
 */
import fs from "node:fs";
import process from "node:process";
import type { DiskLock } from "../env/disk.ts";

const { O_CREAT, O_RDWR } = fs.constants;
const LOCK_EXCLUSIVE_NOW = 2 | 4; // LOCK_EX | LOCK_NB, the same on Linux, macOS and the BSDs
const LIBC_NAMES = ["libc.so.6", "libc.so", "libSystem.B.dylib"];
/** Files this process holds: a second lock within one process is refused on every path. */
const held = new Set<string>();

type Flock = (descriptor: number, operation: number) => number;

/** Takes the lock, or gives undefined where somebody has it. Throws what the file system throws. */
export function lockFile(path: string): DiskLock | undefined {
  const realPath = fs.realpathSync(path.slice(0, path.lastIndexOf("/")) || "/") +
    path.slice(path.lastIndexOf("/"));
  if (held.has(realPath)) return undefined;
  const release = lockByDeno(realPath) ?? lockByFlock(realPath) ?? lockByProcessId(realPath);
  if (typeof release !== "function") return undefined;
  held.add(realPath);
  let isHeld = true;
  return {
    release(): void {
      if (!isHeld) return;
      isHeld = false;
      held.delete(realPath);
      release();
    },
  };
}

/** Undefined = this way is not there. */
type Attempt = "taken" | (() => void) | undefined;

interface DenoFile {
  tryLockSync?(isExclusive: boolean): boolean;
  close(): void;
}

interface DenoRuntime {
  openSync(path: string, options: { read: boolean; write: boolean; create: boolean }): DenoFile;
}

function lockByDeno(path: string): Attempt {
  const deno = (globalThis as { readonly Deno?: DenoRuntime }).Deno;
  if (deno === undefined) return undefined;
  const file = deno.openSync(path, { read: true, write: true, create: true });
  if (file.tryLockSync === undefined) {
    file.close();
    return undefined;
  }
  if (file.tryLockSync(true)) return () => file.close();
  file.close();
  return "taken";
}

function lockByFlock(path: string): Attempt {
  const flock = loadFlock();
  if (flock === undefined) return undefined;
  const descriptor = fs.openSync(path, O_RDWR | O_CREAT);
  if (flock(descriptor, LOCK_EXCLUSIVE_NOW) === 0) return () => fs.closeSync(descriptor);
  fs.closeSync(descriptor);
  return "taken";
}

interface Ffi {
  dlopen(
    name: string,
    symbols: Record<string, { args: readonly string[]; returns: string }>,
  ): { readonly symbols: { readonly flock: Flock } };
}

function loadFlock(): Flock | undefined {
  const builtin = process.getBuiltinModule as ((name: string) => unknown) | undefined;
  const ffi = builtin?.("bun:ffi") as Ffi | undefined;
  if (ffi === undefined) return undefined;
  for (const name of LIBC_NAMES) {
    try {
      return ffi.dlopen(name, { flock: { args: ["i32", "i32"], returns: "i32" } }).symbols.flock;
    } catch {
      continue; // not a library of this system
    }
  }
  return undefined;
}

function lockByProcessId(path: string): Attempt {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      fs.writeFileSync(path, String(process.pid), { flag: "wx" });
      return () => fs.rmSync(path, { force: true });
    } catch (error) {
      if ((error as { readonly code?: string }).code !== "EEXIST") throw error;
    }
    if (isAlive(Number(fs.readFileSync(path, "utf8")))) return "taken";
    fs.rmSync(path, { force: true });
  }
  return "taken";
}

function isAlive(processId: number): boolean {
  if (!Number.isInteger(processId) || processId <= 0 || processId === process.pid) return false;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as { readonly code?: string }).code === "EPERM"; // there, and somebody else's
  }
}
