/** A directory for one test, gone when the test is; at the latest when the test program ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

export interface TemporaryDirectory extends Disposable {
  readonly path: string;
}

const present = new Set<string>();
process.on("exit", () => {
  for (const path of present) remove(path);
});

/** Makes a fresh directory: `using directory = temporaryDirectory()`. */
export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), "mq-test-"));
  present.add(path);
  return {
    path,
    [Symbol.dispose](): void {
      remove(path);
      present.delete(path);
    },
  };
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}
