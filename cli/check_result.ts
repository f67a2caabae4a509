/**
 * What `mq check` found, in the form that whoever watches wants: people, programs, Nagios, Prometheus.
 *
 * The exit code is 0 or 10; for Nagios it is one of its own, 0 to 3.
 */
import type { FlagSpec } from "./command_spec.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exit_code.ts";
import { failureWithin } from "./failure.ts";

export interface Measure {
  /** In words without blanks: "lag". */
  readonly name: string;
  /** Of Prometheus. */
  readonly metric: string;
  /** Null where it is not known. */
  readonly value: number | null;
  /** Nagios' unit: "s", or "" for a count. */
  readonly unit: "s" | "";
  /** Undefined where nobody set a limit. */
  readonly limit: number | undefined;
}

export interface CheckResult {
  /** What is checked: "group workers". */
  readonly subject: string;
  /** Of each metric: {consumergroup="workers"}. */
  readonly labels: Readonly<Record<string, string>>;
  /** What --json names it by. */
  readonly names: object;
  readonly measures: readonly Measure[];
  /** What of it could not be measured, in words: then nobody can say that a limit is kept. */
  readonly unknown?: string;
}

export type CheckFormat = "text" | "json" | "nagios" | "prometheus";

export const CHECK_FORMAT_FLAG: FlagSpec = {
  name: "format",
  short: "f",
  value: "FORMAT",
  choices: ["text", "json", "nagios", "prometheus"],
  summary: "text, json, nagios (with its exit codes 0 to 3), prometheus",
};

const NAGIOS = { Ok: ExitCode.Done, Critical: ExitCode.Usage, Unknown: ExitCode.NotFound } as const;

export function checkFormatOf({ flags, printer }: Context): CheckFormat {
  if (printer.isJson) return "json";
  return (flags.text("format") ?? "text") as CheckFormat;
}

/** Measures what `look` does, and tells. */
export async function runCheck(
  context: Context,
  look: () => Promise<CheckResult>,
): Promise<ExitCode> {
  const format = checkFormatOf(context);
  if (format !== "nagios") return await tell(context, format, await look());
  try {
    return await tell(context, format, await look());
  } catch (error) {
    if (context.lifeline.isInterrupted) throw error;
    const { message, hint } = failureWithin(error, context.lifeline);
    const told = hint === undefined ? message : `${message} (${hint})`;
    await context.printer.printLines([`UNKNOWN - ${oneLine(told)}`]);
    return NAGIOS.Unknown;
  }
}

function isOver({ value, limit }: Measure): boolean {
  return value !== null && limit !== undefined && value > limit;
}

async function tell(
  { printer }: Context,
  format: CheckFormat,
  result: CheckResult,
): Promise<ExitCode> {
  const over = result.measures.filter(isOver);
  const isOk = over.length === 0 && result.unknown === undefined;
  const text = summary(result, over);
  switch (format) {
    case "text":
      await printer.printLines([`${isOk ? "ok" : "no"}\t${text}`]);
      break;
    case "json":
      await printer.printJson({
        ok: isOk,
        subject: result.subject,
        ...result.names,
        ...Object.fromEntries(result.measures.map(({ name, value }) => [name, value])),
        over: over.map(({ name, value, limit }) => ({ name, value, limit })),
        unknown: result.unknown ?? null,
      });
      break;
    case "nagios": {
      const word = isOk ? "OK" : over.length > 0 ? "CRITICAL" : "UNKNOWN";
      await printer.printLines([`${word} - ${oneLine(text)}${perfData(result)}`]);
      return isOk ? NAGIOS.Ok : over.length > 0 ? NAGIOS.Critical : NAGIOS.Unknown;
    }
    case "prometheus":
      await printer.printLines(metricLines(result, isOk));
  }
  return isOk ? ExitCode.Done : ExitCode.No;
}

/** "group g: lag 5 is over 0, seconds 3" */
function summary(
  { subject, measures, unknown }: CheckResult,
  over: readonly Measure[],
): string {
  const parts = measures.map((measure) => {
    const { name, value, limit } = measure;
    const shown = `${name} ${value ?? "not known"}`;
    return over.includes(measure) ? `${shown} is over ${limit}` : shown;
  });
  return `${subject}: ${[...parts, ...unknown === undefined ? [] : [unknown]].join(", ")}`;
}

/** " | lag=5;;0 seconds=3s;;60": a value, no limit for warnings, the limit. */
function perfData({ measures }: CheckResult): string {
  const parts = measures.filter(({ value }) => value !== null)
    .map(({ name, value, unit, limit }) => `${name}=${value}${unit};;${limit ?? ""}`);
  return parts.length === 0 ? "" : ` | ${parts.join(" ")}`;
}

function metricLines({ labels, measures }: CheckResult, isOk: boolean): readonly string[] {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  const shown = `{${pairs.join(",")}}`;
  const known = measures.filter(({ value }) => value !== null);
  return [
    ...known.flatMap((
      { metric, value },
    ) => [`# TYPE ${metric} gauge`, `${metric}${shown} ${value}`]),
    "# TYPE mq_check_ok gauge",
    `mq_check_ok${shown} ${isOk ? 1 : 0}`,
  ];
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** A pipe sign begins Nagios' figures. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("|", "/");
}
