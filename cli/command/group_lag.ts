/** `mq group lag`: how far groups are behind, in records and in seconds. */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { type Failure, failureWithin } from "../failure.ts";
import {
  type GroupLag,
  lagItem,
  lagOf,
  lagTable,
  printDocuments,
  shownSeconds,
  timeOf,
  totalOf,
} from "../group_view.ts";
import { failureDocument } from "../printer.ts";
import { type Client, withClient } from "../session.ts";
import { intervalOf, watch, WATCH_FLAGS } from "../watch.ts";

export const groupLag: CommandSpec = {
  path: "group lag",
  summary: "Show how far groups are behind, in records and in seconds",
  arguments: [{ name: "GROUP", isOptional: true, isMany: true }],
  flags: [
    { name: "total", summary: "one number for all partitions together" },
    { name: "seconds", summary: "the age of the first unread record in place of the count" },
    ...WATCH_FLAGS,
  ],
  details: [
    "Without a name all groups, a line each; of one group a line for each partition. A committed offset " +
    "equal to the end is a lag of 0, also where a topic is idle or the group has no members. LAG counts " +
    "offsets, of which compaction and transactions may have left fewer records. '-' is not known: " +
    "nothing is committed there yet.",
    "STUCK marks a partition whose committed offset has not moved for five minutes although there is " +
    "something to read, and says since when; at Apache Kafka, which does not tell when a group committed, " +
    "none is marked. With --watch --json gives an object a line.",
  ],
  examples: [
    ["Partition by partition", "mq group lag workers"],
    ["A number for a script", "mq group lag workers --total"],
    ["How many seconds behind", "mq group lag workers --total --seconds"],
    ["All groups, as they move", "mq group lag --watch"],
  ],
  async run(context): Promise<ExitCode> {
    const intervalMs = intervalOf(context);
    if (!context.flags.isSet("watch")) {
      return await withClient(context, async (client) => await (await look(context, client))());
    }
    return await watch(context, intervalMs, async (client) => {
      const print = await look(context, client);
      return async () => void await print();
    });
  },
};

interface Looked {
  readonly groupId: string;
  readonly lag?: GroupLag;
  readonly failure?: Failure;
}

/** Gives the function that prints what was seen. */
async function look(context: Context, client: Client): Promise<() => Promise<ExitCode>> {
  const named = [...new Set(context.arguments)];
  const names = named.length > 0
    ? named
    : (await client.admin.groups.listGroups()).groups.map(({ groupId }) => groupId);
  const looked = await Promise.all(names.map(async (groupId): Promise<Looked> => {
    try {
      return { groupId, lag: await lagOf(client, groupId) };
    } catch (error) {
      return { groupId, failure: failureWithin(error, context.lifeline) };
    }
  }));
  const failed = looked.find(({ failure }) => failure !== undefined)?.failure;
  if (named.length === 1 && failed !== undefined) throw failed;
  return async () => {
    await print(context, looked, named.length === 1);
    return failed?.exitCode ?? ExitCode.Done;
  };
}

async function print(
  context: Context,
  looked: readonly Looked[],
  isSingle: boolean,
): Promise<void> {
  const { printer, flags, io } = context;
  const isTotal = flags.isSet("total");
  if (printer.isJson) {
    const at = flags.isSet("watch") ? { at: timeOf(io.now()) } : {};
    const documents = looked.map((one) => ({ ...at, ...documentOf(one, isTotal) }));
    if (flags.isSet("watch")) {
      return await printer.printLines(documents.map((one) => JSON.stringify(one)));
    }
    if (isSingle || printer.format === "ndjson") return await printDocuments(context, documents);
    return await printer.printJson(documents);
  }
  for (const { failure } of looked) if (failure !== undefined) printer.complain(failure);
  const lags = looked.flatMap(({ lag }) => lag === undefined ? [] : [lag]);
  const [only] = lags;
  if (!isSingle || only === undefined) return await printGroups(context, lags);
  if (isTotal) {
    const { lag, lagSeconds } = totalOf(only);
    const shown = flags.isSet("seconds") ? shownSeconds(lagSeconds) : lag;
    return await printer.printLines([String(shown ?? "-")]);
  }
  if (only.partitions.length === 0) {
    printer.remark(`group ${only.groupId} has committed nothing and reads nothing`);
  }
  const table = lagTable(only.partitions, flags.isSet("seconds"));
  const names = only.partitions.map(({ topic, partition }) => `${topic}-${partition}`);
  await printer.printList({ names, items: [], table });
}

async function printGroups({ printer }: Context, lags: readonly GroupLag[]): Promise<void> {
  await printer.printList({
    names: lags.map(({ groupId }) => groupId),
    items: [],
    table: {
      columns: ["GROUP", "STATE", "LAG", "SECONDS", "STUCK"],
      rows: lags.map((one) => {
        const { lag, lagSeconds, stuckPartitions } = totalOf(one);
        return [one.groupId, one.state, lag, shownSeconds(lagSeconds), stuckPartitions];
      }),
    },
  });
}

function documentOf({ groupId, lag, failure }: Looked, isTotal: boolean): object {
  if (lag === undefined) {
    return { groupId, ...(failure === undefined ? {} : { error: failureDocument(failure) }) };
  }
  const partitions = isTotal ? {} : { partitions: lag.partitions.map(lagItem) };
  return { groupId, state: lag.state, ...totalOf(lag), ...partitions };
}
