/** `mq topic trim`: deletes the records of a topic that lie before an offset or a time. */
import type { CommandSpec } from "../command_spec.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure, failureOf, usageFailure } from "../failure.ts";
import { type OffsetPoint, parsePoint } from "../offset_range.ts";
import { failureDocument } from "../printer.ts";
import { parsePartitions } from "../quantity.ts";
import { type Client, withClient } from "../session.ts";

export const topicTrim: CommandSpec = {
  path: "topic trim",
  summary: "Delete the oldest records of a topic, up to an offset or a time",
  arguments: [{ name: "TOPIC" }],
  flags: [
    {
      name: "offset",
      short: "o",
      value: "POINT",
      summary: "the first record that stays: N, +N, -N, @TIME, end (mq help offsets)",
    },
    { name: "partition", short: "p", value: "LIST", summary: "only these partitions: 0,2,4-6" },
    { name: "yes", short: "y", summary: "do not ask" },
    { name: "dry-run", summary: "tell what would be deleted, but delete nothing" },
  ],
  details: [
    "What is deleted is gone at once and for good; its room on the disk is given back by the next run " +
    "of retention. REMOVED counts offsets, of which compaction and transactions may have left fewer " +
    "records. A topic that is only compacted cannot be trimmed.",
  ],
  examples: [
    ["All records that are there now", "mq topic trim clicks -o end --yes"],
    ["What is older than a day", "mq topic trim clicks -o @-1d --dry-run"],
    ["Keep the last thousand of partition 3", "mq topic trim clicks -o -1000 -p 3 --yes"],
  ],
  async run(context): Promise<ExitCode> {
    const [topic = ""] = context.arguments;
    const text = context.flags.text("offset");
    const point = pointOf(text, context.io.now());
    const list = context.flags.text("partition");
    const partitions = list === undefined ? undefined : parsePartitions(list);
    if (!context.flags.isSet("dry-run")) {
      const where = list === undefined ? "" : `, partitions ${list},`;
      await confirm(context, `Delete the records of topic ${topic}${where} before ${text}`);
    }
    return await withClient(context, async (client) => {
      const plan = await planOf(context, client, { topic, point, partitions });
      if (!context.flags.isSet("dry-run")) {
        return await tell(context, topic, await trim(client, topic, plan));
      }
      await rejectCompacted(client, topic);
      return await tell(context, topic, plan);
    });
  },
};

const COMPACTED_HINT = "Only a topic whose cleanup.policy has 'delete' can be trimmed";

/** What becomes of a partition; before it is done, what shall. */
interface Trim {
  readonly partition: number;
  readonly oldStart: number;
  readonly newStart: number;
  readonly failure?: Failure;
}

function pointOf(text: string | undefined, now: number): OffsetPoint {
  if (text === undefined) {
    throw usageFailure("Missing flag --offset", "Say where to: -o end, -o 1000, -o @-7d");
  }
  const point = parsePoint(text, now);
  if (point !== undefined) return point;
  throw usageFailure(
    `Invalid --offset '${text}': one offset or time is wanted, not a range`,
    "Everything before it is deleted: -o end, -o 1000, -o @-7d",
  );
}

async function planOf(
  context: Context,
  client: Client,
  { topic, point, partitions }: {
    readonly topic: string;
    readonly point: OffsetPoint;
    readonly partitions: readonly number[] | undefined;
  },
): Promise<readonly Trim[]> {
  const { resolveOffsets } = await context.library();
  const options = partitions === undefined ? {} : { partitions };
  const range = { from: { kind: "start" }, until: point } as const;
  const [resolved, ends] = await Promise.all([
    resolveOffsets(client, topic, range, options),
    client.admin.listOffsets(topic, "end", options),
  ]);
  return resolved.map(({ partition, from: oldStart, until = oldStart }, index) => {
    const listed = ends[index];
    if (listed?.error !== undefined) throw listed.error;
    const end = listed?.offset ?? oldStart;
    const newStart = Math.max(oldStart, until);
    if (newStart <= end) return { partition, oldStart, newStart };
    const message = `Cannot trim ${topic}-${partition} to offset ${newStart}: it ends at ${end}`;
    const failure = new Failure("OFFSET_OUT_OF_RANGE", message, {
      hint: "Trim to 'end' to delete all records that are there now",
    });
    return { partition, oldStart, newStart: oldStart, failure };
  });
}

/** What the broker would say, so that a dry run says it as well. */
async function rejectCompacted(client: Client, topic: string): Promise<void> {
  const [described] = await client.admin.describeConfigs([topic]);
  const policy = described?.configs.find(({ name }) => name === "cleanup.policy")?.value;
  if (typeof policy !== "string" || policy.split(",").includes("delete")) return;
  const message = `Cannot delete records of ${topic}: its cleanup.policy is ${policy}`;
  throw new Failure("POLICY_VIOLATION", message, { hint: COMPACTED_HINT });
}

function refusal(error: Error): Failure {
  const failure = failureOf(error);
  if (failure.code !== "POLICY_VIOLATION") return failure;
  return new Failure(failure.code, failure.message, { hint: COMPACTED_HINT, cause: error });
}

async function trim(
  client: Client,
  topic: string,
  plan: readonly Trim[],
): Promise<readonly Trim[]> {
  const wanted = plan.filter(({ failure }) => failure === undefined);
  const offsets = new Map(wanted.map(({ partition, newStart }) => [partition, newStart]));
  const deleted = await client.admin.deleteRecords(topic, offsets);
  const results = new Map(deleted.map((result) => [result.partition, result]));
  return plan.map((planned) => {
    const result = results.get(planned.partition);
    if (result === undefined) return planned;
    if (result.error === undefined) return { ...planned, newStart: result.lowWatermark };
    return { ...planned, newStart: planned.oldStart, failure: refusal(result.error) };
  });
}

async function tell(
  { printer, flags }: Context,
  topic: string,
  trims: readonly Trim[],
): Promise<ExitCode> {
  const failed = trims.find(({ failure }) => failure !== undefined)?.failure;
  if (trims.length === 1 && failed !== undefined) throw failed;
  for (const { failure } of trims) if (failure !== undefined) printer.complain(failure);
  const done = trims.filter(({ failure }) => failure === undefined);
  const removed = ({ oldStart, newStart }: Trim): number => Math.max(newStart - oldStart, 0);
  const total = done.reduce((sum, one) => sum + removed(one), 0);
  if (printer.isJson) {
    const results = trims.map((one) => {
      const { partition, oldStart, newStart, failure } = one;
      if (failure !== undefined) return { partition, error: failureDocument(failure) };
      return { partition, oldStart, newStart, removed: removed(one) };
    });
    await printer.printJson({ topic, dryRun: flags.isSet("dry-run"), removed: total, results });
  } else {
    await printer.printList({
      names: done.map(({ partition }) => `${topic}-${partition}`),
      items: done,
      table: {
        columns: ["PARTITION", "OLD-START", "NEW-START", "REMOVED"],
        rows: done.map((one) => [one.partition, one.oldStart, one.newStart, removed(one)]),
      },
    });
    const verb = flags.isSet("dry-run") ? "would delete" : "deleted";
    printer.say(`${verb} ${total} records of topic ${topic}`);
  }
  return failed?.exitCode ?? ExitCode.Done;
}
