/** A command of the shell as a process: what it reads, what is heard of it, and how it is ended. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import fs from "node:fs";
import process from "node:process";
import { attempt, failedAction } from "./failure.ts";
import type { RunningShell, ShellEnd, ShellRun } from "./shell_run.ts";

export function runShell(run: ShellRun): RunningShell {
  const child = attempt("Cannot start a shell", () =>
    spawn("sh", ["-c", run.command], {
      env: { ...process.env, ...run.environment },
      stdio: ["pipe", "pipe", "pipe"],
    }));
  const ended = new Promise<ShellEnd>((resolve, reject) => {
    child.on("error", (error) => reject(failedAction("Cannot start a shell", error)));
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  child.stdin.on("error", () => undefined); // a command need not read its input
  child.stdin.end(run.input);
  child.stderr.on("data", (bytes: Uint8Array) => run.onError(bytes));
  let isStopped = false;
  const heard = hearOutput(child.stdout, run).catch((error: unknown) => {
    if (isStopped) return;
    child.kill();
    throw error;
  });
  return {
    ended: Promise.all([ended, heard]).then(([end]) => end),
    stop(): void {
      isStopped = true;
      stopWithChildren(child);
    },
  };
}

/** Of a shell that is asked to end, until it is made to. */
const STOP_MS = 2000;

/** What a shell has started may outlive it and hold its pipes; nobody waits for that any more. */
function stopWithChildren(child: ChildProcessWithoutNullStreams): void {
  const end = (signal: NodeJS.Signals): void => {
    const children = childrenOf(child.pid);
    child.kill(signal); // first, or it goes on with what comes behind the one that has ended
    for (const pid of children) sendSignal(pid, signal);
  };
  const letGo = (): void => {
    child.stdout.destroy();
    child.stderr.destroy();
  };
  end("SIGTERM");
  if (child.exitCode !== null || child.signalCode !== null) return letGo();
  const timer = setTimeout(() => end("SIGKILL"), STOP_MS);
  child.once("exit", () => {
    clearTimeout(timer);
    letGo();
  });
}

/** All below it, where the system tells (Linux). */
function childrenOf(pid: number | undefined): readonly number[] {
  try {
    const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    const children = text.split(" ").map(Number).filter((child) => child > 0);
    return children.flatMap((child) => [...childrenOf(child), child]);
  } catch {
    return []; // it has gone, or this is another system
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone by itself.
  }
}

async function hearOutput(output: AsyncIterable<Uint8Array>, run: ShellRun): Promise<void> {
  for await (const bytes of output) await run.onOutput(bytes);
}
