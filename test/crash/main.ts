/**
 * Every disk call of a broker's life, every way to lose what was not synced:
 *
 *     bun test/crash/main.ts [--seed=N] [--rounds=N] [--every=N] [--only=CALL]
 */
import process from "node:process";
import { tryCrashPoints } from "./crash_points.ts";

const PROGRESS_CALLS = 500;

function option(name: string, standard: number): number {
  const given = process.argv.find((word) => word.startsWith(`--${name}=`));
  return given === undefined ? standard : Number(given.slice(name.length + 3));
}

const only = option("only", -1);
const plan = {
  seed: option("seed", 1),
  rounds: option("rounds", 400),
  every: option("every", 1),
  only: only < 0 ? undefined : only,
};
const report = await tryCrashPoints({
  ...plan,
  onProgress: (done, of) => {
    if (done % PROGRESS_CALLS === 0) process.stderr.write(`${done} of ${of}\n`);
  },
});
for (const failure of report.failures) process.stdout.write(`${failure}\n`);
process.stdout.write(
  `${report.callCount} disk calls, ${report.pointCount} crashes, ` +
    `${report.failures.length} promises broken (seed ${plan.seed})\n`,
);
process.exitCode = report.failures.length === 0 ? 0 : 1;
