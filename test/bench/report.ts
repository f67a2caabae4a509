/** Rows of a bench: printed when they are measured, and again as one table at the end. */
import process from "node:process";

export interface Row {
  /** What was done. */
  readonly what: string;
  /** Who did it: "mq", "kcat", "kafka". */
  readonly who: string;
  /** What came out, with its unit. */
  readonly figure: string;
}

const rows: Row[] = [];

/** Notes a row and prints it at once. */
export function report(what: string, who: string, figure: string): void {
  rows.push({ what, who, figure });
  process.stderr.write(`${what}: ${who} ${figure}\n`);
}

/** All rows, in columns. */
export function printTable(): void {
  const width = (pick: (row: Row) => string): number =>
    Math.max(...rows.map((row) => pick(row).length));
  const whatWidth = width((row) => row.what);
  const whoWidth = width((row) => row.who);
  process.stdout.write("\n");
  for (const { what, who, figure } of rows) {
    process.stdout.write(`${what.padEnd(whatWidth)}  ${who.padEnd(whoWidth)}  ${figure}\n`);
  }
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** The middle of several runs, in milliseconds each. */
export async function medianMs(
  runs: number,
  action: () => void | Promise<void>,
): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await action();
    times.push(performance.now() - start);
  }
  return median(times);
}
