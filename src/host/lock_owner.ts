/**
 * Which process has the lock of a file, as far as this system tells: for people, nothing relies on it.
 *
 * Linux lists locks by inode in /proc/locks; elsewhere nobody is known. Not here: taking the lock
 * (`disk_lock.ts`).
 */
import fs from "node:fs";

export interface LockOwner {
  readonly processId: number;
  /** The program and its arguments, where they may be read. */
  readonly command: string | undefined;
}

/** Undefined where nobody has it, or it cannot be told. */
export function lockOwner(path: string): LockOwner | undefined {
  try {
    const inode = String(fs.statSync(path).ino);
    const line = fs.readFileSync("/proc/locks", "utf8").split("\n").find((text) =>
      text.split(/\s+/)[5]?.split(":")[2] === inode
    );
    const processId = Number(line?.split(/\s+/)[4]);
    return processId > 0 ? { processId, command: commandOf(processId) } : undefined;
  } catch {
    return undefined; // no such file, or no Linux
  }
}

function commandOf(processId: number): string | undefined {
  try {
    return fs.readFileSync(`/proc/${processId}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return undefined; // somebody else's, or gone by now
  }
}
