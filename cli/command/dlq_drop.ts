/** `mq dlq drop`: deletes dead letters, oldest first: those before an offset or a time, or those put back. */
import type { CommandSpec } from "../command_spec.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure, failureOf, usageFailure } from "../failure.ts";
import { type BoxPartition, openBox } from "../letter_box.ts";
import { parseOffsetRange } from "../offset_range.ts";
import { failureDocument } from "../printer.ts";
import { type Client, withClient } from "../session.ts";

export const dlqDrop: CommandSpec = {
  path: "dlq drop",
  summary: "Delete dead letters, from the oldest on",
  arguments: [{ name: "TOPIC" }],
  flags: [
    {
      name: "offset",
      short: "o",
      value: "RANGE",
      summary: ":POINT or start:POINT, what lies before it: :end, :100, :@-7d (mq help offsets)",
    },
    { name: "redriven", summary: "those that mq dlq redrive has put back" },
    { name: "yes", short: "y", summary: "do not ask" },
    { name: "dry-run", summary: "tell what would be deleted, but delete nothing" },
  ],
  details: [
    "A log loses its oldest records first, so a range begins at the start. It is for good. --redriven ends " +
    "before the first letter that could not be put back.",
  ],
  examples: [
    ["What was put back", "mq dlq drop jobs.dlq --redriven --yes"],
    ["All of them", "mq dlq drop jobs.dlq -o start:end --yes"],
    ["What is older than a month", "mq dlq drop jobs.dlq -o :@-30d --dry-run"],
  ],
  async run(context): Promise<ExitCode> {
    const [topic = ""] = context.arguments;
    rejectRange(context);
    return await withClient(context, async (client) => {
      const drops = await dropsOf(context, client, topic);
      const count = drops.reduce((sum, { removed }) => sum + removed, 0);
      if (context.flags.isSet("dry-run")) return await tell(context, topic, drops);
      if (count > 0) {
        const waiting = drops.reduce((sum, one) => sum + one.waiting, 0);
        context.lifeline.clearDeadline();
        const unread = waiting === 0 ? "" : `, ${waiting} of which were not put back`;
        await confirm(context, `Delete ${count} dead letters of ${topic}${unread}`);
      }
      return await tell(context, topic, await drop(client, topic, drops));
    });
  },
};

interface Drop {
  readonly partition: number;
  /** The first that stays. */
  readonly until: number;
  readonly removed: number;
  /** How many of them were not put back. */
  readonly waiting: number;
  readonly failure?: Failure;
}

function rejectRange({ flags, io }: Context): void {
  const text = flags.text("offset");
  if ((text === undefined) !== flags.isSet("redriven")) {
    throw usageFailure(
      text === undefined
        ? "Missing flag --offset: which letters shall be deleted?"
        : "Conflicting flags --offset and --redriven",
      "-o start:end for all of them, -o :@-7d for older ones, --redriven for those put back",
    );
  }
  if (text === undefined) return;
  const { from, until } = parseOffsetRange(text, io.now());
  if (from.kind === "start" && until !== undefined && until.kind !== "length") return;
  throw usageFailure(
    `Invalid --offset '${text}': a log loses its oldest records first`,
    "The range begins at the start and has an end: start:end, :100, :@-7d",
  );
}

async function dropsOf(
  context: Context,
  client: Client,
  topic: string,
): Promise<readonly Drop[]> {
  const text = context.flags.text("offset");
  const box = await openBox(client, topic);
  if (text === undefined) return box.map((one) => dropOf(one, one.left[0] ?? one.next));
  const { resolveOffsets } = await context.library();
  const { until } = parseOffsetRange(text, context.io.now());
  if (until === undefined || until.kind === "length") return [];
  const resolved = await resolveOffsets(client, topic, { from: { kind: "start" }, until });
  return box.map((one) => {
    const bound = resolved.find(({ partition }) => partition === one.partition)?.until;
    return dropOf(one, Math.min(bound ?? one.start, one.end));
  });
}

function dropOf({ partition, start, next, left }: BoxPartition, bound: number): Drop {
  const until = Math.max(bound, start);
  const leftCount = left.filter((offset) => offset < until).length;
  const waiting = Math.max(until - next, 0) + leftCount;
  return { partition, until, removed: until - start, waiting };
}

async function drop(
  client: Client,
  topic: string,
  drops: readonly Drop[],
): Promise<readonly Drop[]> {
  const offsets = new Map(
    drops.filter(({ removed }) => removed > 0).map(({ partition, until }) => [partition, until]),
  );
  if (offsets.size === 0) return drops;
  const results = await client.admin.deleteRecords(topic, offsets);
  return drops.map((one) => {
    const error = results.find(({ partition }) => partition === one.partition)?.error;
    return error === undefined ? one : { ...one, removed: 0, failure: failureOf(error) };
  });
}

async function tell(
  { printer, flags }: Context,
  topic: string,
  drops: readonly Drop[],
): Promise<ExitCode> {
  const isDryRun = flags.isSet("dry-run");
  const failed = drops.find(({ failure }) => failure !== undefined)?.failure;
  if (drops.length === 1 && failed !== undefined) throw failed;
  for (const { failure } of drops) if (failure !== undefined) printer.complain(failure);
  const removed = drops.reduce((sum, one) => sum + one.removed, 0);
  if (printer.isJson) {
    await printer.printJson({
      topic,
      dryRun: isDryRun,
      removed,
      results: drops.map(({ failure, ...one }) =>
        failure === undefined ? one : { partition: one.partition, error: failureDocument(failure) }
      ),
    });
  } else {
    const verb = isDryRun ? "would delete" : "deleted";
    printer.say(`${verb} ${removed} dead letter${removed === 1 ? "" : "s"} of ${topic}`);
  }
  return failed?.exitCode ?? ExitCode.Done;
}
