/** `mq log verify`: examines data directories or single partitions, changes nothing. */
import { formatBytes } from "../byte_size.ts";
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { dataPath } from "../data_path.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure } from "../failure.ts";
import { counted, findingDocument, findingLine } from "../finding_text.ts";
import { ProgressLine } from "../progress_line.ts";
import type { Finding, Severity, VerifyReport } from "../../src/mod.ts";

export const logVerify: CommandSpec = {
  path: "log verify",
  summary: "Check data directories or partitions on disk, byte by byte (offline)",
  arguments: [{ name: "DIR", isMany: true }],
  flags: [],
  details: [
    "DIR is a data directory (one of log.dirs), or the folder of one partition. Name all directories " +
    "of a broker to have partitions found that lie in two of them, or in none. Everything is read " +
    "once, and nothing is changed.",
    "A line says how bad it is, where, what, and what to do. damage: records are lost or cannot be " +
    "served. warning: wrong, and made anew from the batches. info: nothing is wrong.",
    "Beside a running broker the ends of active segments may be moving: half a batch there is no " +
    "damage. -v tells how fast it read. The exit code is 0 where there is no damage, 10 where there " +
    "is, 3 where there is no such directory.",
    "--json gives one object with all findings; -f ndjson gives each as it is found.",
  ],
  examples: [
    ["The default data directory", "mq log verify ~/.local/share/mq"],
    ["One partition", "mq log verify data/orders-0"],
    ["Only damage", "mq log verify data --json | jq '.findings[] | select(.severity==\"damage\")'"],
  ],
  run: verify,
};

async function verify(context: Context): Promise<ExitCode> {
  const { printer } = context;
  const library = await context.library();
  const tools = new library.OfflineTools(library.createHostEnv());
  const progress = new ProgressLine(context);
  const waiting: Finding[] = [];
  const flush = async (): Promise<void> => {
    const found = waiting.splice(0);
    if (found.length === 0 || printer.format === "json") return;
    progress.clear();
    await printer.printLines(
      found.map((finding) =>
        printer.isJson
          ? JSON.stringify(findingDocument(finding))
          : findingLine(finding, printer.out)
      ),
    );
  };
  const report = await tools.verify({
    paths: context.arguments.map((typed) => dataPath(context, typed)),
    onFinding: (finding) => void waiting.push(finding),
    onProgress: async ({ bytes, bytesTotal }) => {
      if (context.lifeline.signal.aborted) throw new Failure("ABORTED", "Ended by a signal");
      progress.update(bytes, bytesTotal);
      if (waiting.length > 0) await flush();
    },
  });
  await flush();
  progress.clear();
  if (printer.format === "json") await printer.printJson(reportDocument(report));
  tellSummary(context, report, progress);
  return countOf(report, "damage") > 0 ? ExitCode.No : ExitCode.Done;
}

function reportDocument(report: VerifyReport): object {
  return {
    directories: report.directories.map(({ path, state }) => ({ path, state })),
    partitions: report.partitions.map(({ path, startOffset, endOffset, batches, lost }) => ({
      path,
      startOffset,
      endOffset,
      batches,
      lost,
    })),
    isBrokerRunning: report.isRunning,
    bytes: report.bytes,
    batches: report.batches,
    damage: countOf(report, "damage"),
    warnings: countOf(report, "warning"),
    findings: report.findings.map(findingDocument),
  };
}

function tellSummary({ printer }: Context, report: VerifyReport, progress: ProgressLine): void {
  const { partitions, batches, bytes } = report;
  const found = `${countOf(report, "damage")} damage, ${
    counted(countOf(report, "warning"), "warning")
  }`;
  printer.say(
    `${counted(partitions.length, "partition")}, ${counted(batches, "batch", "batches")}, ` +
      `${formatBytes(bytes)}: ${found}`,
  );
  if (report.isRunning) {
    printer.say("a broker is running here: what it is writing just now was not judged");
  }
  if (printer.isVerbose) printer.say(`read at ${progress.rate(bytes)}`);
}

function countOf({ findings }: VerifyReport, severity: Severity): number {
  return findings.filter((finding) => finding.severity === severity).length;
}
