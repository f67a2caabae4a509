/** The program `mq`: gives the process to `runProgram` and ends it with the exit code. */
import { ExitCode } from "./exit_code.ts";
import { processIo } from "./io.ts";
import { runProgram } from "./program.ts";

async function main(): Promise<void> {
  const io = processIo();
  io.onCrash((error) => {
    const told = error instanceof Error ? error.stack ?? error.message : String(error);
    io.stderr.write(`mq: Stopped by an unexpected error: ${told}\n`);
    io.exit(ExitCode.Failed);
  });
  io.exit(await runProgram(io, () => import("../src/mod.ts")));
}

if (import.meta.main) await main();
