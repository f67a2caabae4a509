/** The system's errors as faults of `env/disk.ts`: which kind each code is, and what a person reads. */
import { DiskFault, type DiskFaultKind } from "../env/disk.ts";

const KIND_OF: ReadonlyMap<string, DiskFaultKind> = new Map([
  ["ENOENT", "not-found"],
  ["ENOTDIR", "not-found"],
  ["EEXIST", "exists"],
  ["ENOTEMPTY", "exists"],
  ["ENOSPC", "no-space"],
  ["EDQUOT", "no-space"],
  ["EFBIG", "no-space"],
  ["EMFILE", "no-handles"],
  ["ENFILE", "no-handles"],
  ["EACCES", "not-permitted"],
  ["EPERM", "not-permitted"],
  ["EROFS", "not-permitted"],
]);

/**
 * A sync that failed is a broken disk whatever the code: what the kernel dropped (ENOSPC of a delayed
 * allocation, too) cannot be known, and a second sync would say that all is well.
 */
export function syncFault(error: unknown, path: string): DiskFault {
  const fault = faultOf(error, path);
  return new DiskFault("io", path, fault.message);
}

/** Bytes that cannot be read say nothing of those that are written elsewhere. */
export function readFault(error: unknown, path: string): DiskFault {
  const fault = faultOf(error, path);
  return fault.kind === "io" ? new DiskFault("unreadable", path, fault.message) : fault;
}

/** For `attempt`: an interrupted call goes through, any other fault is one of reading. */
export function reading<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw codeOf(error) === "EINTR" ? error : readFault(error, path);
  }
}

export function attempt<Result>(path: string, action: () => Result): Result {
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (codeOf(error) === "EINTR") continue; // nothing was done: a signal came first
      throw faultOf(error, path);
    }
  }
}

export function attemptUnlessMissing<Result>(
  path: string,
  action: () => Result,
): Result | undefined {
  try {
    return attempt(path, action);
  } catch (error) {
    if (error instanceof DiskFault && error.kind === "not-found") return undefined;
    throw error;
  }
}

export function faultOf(error: unknown, path: string): DiskFault {
  if (error instanceof DiskFault) return error;
  const kind = KIND_OF.get(codeOf(error) ?? "") ?? "io";
  return new DiskFault(kind, path, `Cannot use ${path}: ${reasonOf(error)}`);
}

/** "EROFS: read-only file system, mkdir 'data'" without what only a programmer wants to know. */
function reasonOf(error: unknown): string {
  if (codeOf(error) === "EEXIST") return "something else has the name already";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^E[A-Z0-9]+: /, "").replace(/, \w+( '.*)?$/s, "");
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
