/**
 * `mq log repair`: takes what is damaged out of logs on disk, so that the rest can be served.
 *
 * Without --yes it only shows the plan. Nothing is destroyed: what is taken out is kept beside.
 */
import { formatBytes } from "../byte_size.ts";
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { dataPath } from "../data_path.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure, usageFailure } from "../failure.ts";
import { counted, findingDocument, findingLine, spanText } from "../finding_text.ts";
import { ProgressLine } from "../progress_line.ts";
import type {
  Finding,
  RepairedPartition,
  RepairPlan,
  RepairReport,
  RepairStep,
} from "../../src/mod.ts";

export const logRepair: CommandSpec = {
  path: "log repair",
  summary: "Take damage out of logs on disk; without --yes only show the plan (offline)",
  arguments: [{ name: "DIR", isMany: true }],
  flags: [
    { name: "yes", short: "y", summary: "do it; the broker must be stopped" },
    { name: "dry-run", summary: "only show the plan, which is also what happens without --yes" },
  ],
  details: [
    "DIR is a data directory or the folder of one partition. Damaged batches are cut out; those " +
    "before and behind stay, with their offsets, and the gap remains as after compaction. Indexes, " +
    "snapshots and epochs that do not fit are moved away: the broker makes them anew. The plan names " +
    "every offset that will be missing. A log that has lost its tail goes on where it ended: offsets " +
    "that were given out are not given out again.",
    "Nothing is destroyed: bytes that are cut out and files that are moved away lie in a folder " +
    "repair-TIME inside the partition's folder, with a repair.json that says what they were. Remove " +
    "it when you no longer want it. A repair that was interrupted can be started again.",
    "The metadata log is not cut in its middle: every record of it counts. A disk that does not give " +
    "its bytes is not repaired either: copy what it gives to another one first.",
    "Exit codes: 0 there is nothing to do, or it was done and the logs are sound; 10 there is " +
    "something to do and --yes was not given; 1 something is left that could not be repaired.",
    "A running Apache Kafka does not hold mq's lock: make sure that it is stopped.",
  ],
  examples: [
    ["What would be done", "mq log repair data"],
    ["Do it", "mq log repair data --yes"],
    ["Which offsets are lost", "mq log repair data --json | jq '.partitions[] | {path, lost}'"],
  ],
  run: repair,
};

async function repair(context: Context): Promise<ExitCode> {
  const { flags, printer, lifeline } = context;
  const isExecuted = flags.isSet("yes") && !flags.isSet("dry-run");
  if (flags.isSet("yes") && flags.isSet("dry-run")) {
    throw usageFailure("Conflicting flags --yes and --dry-run");
  }
  const library = await context.library();
  const tools = new library.OfflineTools(library.createHostEnv());
  const progress = new ProgressLine(context);
  if (isExecuted) lifeline.mayTakeLong = true; // a step that has begun is finished
  const stopIfAsked = (): void => {
    if (lifeline.signal.aborted) throw new Failure("ABORTED", "Ended by a signal");
  };
  const report = await tools.repair({
    paths: context.arguments.map((typed) => dataPath(context, typed)),
    isExecuted,
    onProgress: ({ bytes, bytesTotal }) => {
      stopIfAsked();
      progress.update(bytes, bytesTotal);
    },
    onPlan: async (plan) => {
      stopIfAsked();
      progress.clear();
      if (!printer.isJson) await printer.printLines(planLines(plan));
    },
    onRepaired: (repaired) => tellRepaired(context, repaired),
  });
  progress.clear();
  if (printer.isJson) await printer.printJson(repairDocument(report, isExecuted));
  return conclude(context, report, isExecuted);
}

/** `what TAB path TAB place TAB why` for each step. */
function planLines({ path, report, steps, lost, refusal }: RepairPlan): readonly string[] {
  const lines = steps.flatMap((step) => stepLines(path, step));
  const note = lost.length > 0 ? "these will be missing" : "no offset is lost";
  if (refusal !== undefined) lines.push(["refused", path, "-", refusal].join("\t"));
  else lines.push(["lost", path, lost.map(spanText).join(", ") || "-", note].join("\t"));
  lines.push(["keeps", path, ...keptText(report)].join("\t"));
  return lines;
}

/** Offsets that compaction or damage has left out are not named. */
function keptText({ batches, startOffset, endOffset }: RepairPlan["report"]): readonly string[] {
  if (batches === 0 || startOffset >= endOffset) return ["-", "no records are left"];
  return [spanText({ from: startOffset, until: endOffset }), "what is left"];
}

function stepLines(path: string, step: RepairStep): readonly string[] {
  switch (step.kind) {
    case "cut":
      return step.cuts.map(({ position, sizeInBytes, reason }) =>
        ["cut", `${path}/${step.name}`, `byte ${position}+${sizeInBytes}`, reason].join("\t")
      );
    case "move":
      return [["move", `${path}/${step.name}`, "-", step.reason].join("\t")];
    case "set-epoch":
      return [
        [
          "set",
          `${path}/${step.name}`,
          `byte ${step.position}`,
          `leader epoch of offset ${step.offset} from ${step.leaderEpoch} to ${step.expected}`,
        ].join("\t"),
      ];
    case "note-loss":
      return [];
    case "write-transactions": {
      const count = `${step.entries.length} aborted`;
      return [["write", `${path}/${step.name}`, count, "as the batches have it"].join("\t")];
    }
    case "go-on":
      return [
        [
          "goes-on",
          `${path}/${step.name}`,
          `offset ${step.offset}`,
          "where the next record goes: offsets below were given out",
        ].join("\t"),
      ];
    case "raise-recovery-point":
      return [
        ["raise", path, `offset ${step.offset}`, "the recovery point, over what is missing"].join(
          "\t",
        ),
      ];
    case "lower-checkpoints":
      return [["lower", path, `offset ${step.endOffset}`, "checkpoints beyond the end"].join("\t")];
  }
}

function tellRepaired({ printer }: Context, { plan, folder, after }: RepairedPartition): void {
  printer.say(`repaired ${plan.path}: what was taken out is kept in ${folder}`);
  for (const finding of after.findings.filter(isDamage)) {
    printer.warn(findingLine(finding, printer.err));
  }
}

function isDamage({ severity }: Finding): boolean {
  return severity === "damage";
}

function repairDocument({ plans, repaired }: RepairReport, isExecuted: boolean): object {
  return {
    isExecuted,
    partitions: plans.map((plan) => {
      const done = repaired.find((each) => each.plan === plan);
      return {
        path: plan.path,
        startOffset: plan.report.startOffset,
        endOffset: plan.report.endOffset,
        resumeOffset: plan.report.resumeOffset,
        steps: plan.steps,
        lost: plan.lost,
        refusal: plan.refusal ?? null,
        keptIn: done?.folder ?? null,
        isSound: done === undefined ? null : !done.after.findings.some(isDamage),
        findings: plan.report.findings.map(findingDocument),
      };
    }),
  };
}

function conclude(
  { printer }: Context,
  { before, plans, repaired }: RepairReport,
  isExecuted: boolean,
): ExitCode {
  const other = before.findings.filter((finding) =>
    isDamage(finding) && !plans.some(({ path }) => finding.path.startsWith(path))
  );
  for (const finding of other) {
    printer.warn(`not repaired here: ${findingLine(finding, printer.err)}`);
  }
  const refused = plans.filter(({ refusal }) => refusal !== undefined).length;
  if (!isExecuted) {
    if (plans.length > refused) {
      printer.say("nothing was changed; --yes does it, with the broker stopped");
    } else if (plans.length + other.length === 0) printer.say("nothing to repair");
    return plans.length + other.length === 0 ? ExitCode.Done : ExitCode.No;
  }
  const unsound = repaired.filter(({ after }) => after.findings.some(isDamage)).length;
  printer.say(
    `${counted(repaired.length, "partition")} repaired, ` +
      `${refused + unsound + other.length} left with damage, ${formatBytes(before.bytes)} read`,
  );
  return refused + unsound + other.length === 0 ? ExitCode.Done : ExitCode.Failed;
}
