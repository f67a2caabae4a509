/** `mq group describe`: state, lag, members and past rebalances of groups. */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure, failureOf } from "../failure.ts";
import {
  type DescribedGroup,
  groupFailure,
  type GroupLag,
  isMissing,
  lagItem,
  lagOf,
  lagTable,
  membersTable,
  missingGroupOf,
  printDocuments,
  shownSeconds,
  timeOf,
  totalOf,
} from "../group_view.ts";
import { failureDocument, type Printer } from "../printer.ts";
import { type Client, withClient } from "../session.ts";

export const groupDescribe: CommandSpec = {
  path: "group describe",
  aliases: ["group desc"],
  summary: "Show state, lag, members and rebalances of groups",
  arguments: [{ name: "GROUP", isMany: true }],
  flags: [
    {
      name: "section",
      value: "SECTION",
      choices: ["all", "summary", "lag", "members", "history"],
      summary: "only this part: summary, lag, members or history",
    },
  ],
  details: [
    "LAG counts offsets between what is committed and the end, SECONDS is the age of the first record " +
    "that was not read. STUCK is a partition whose committed offset has not moved for five minutes " +
    "although there is something to read; at Apache Kafka none is marked.",
    "History tells why the last rebalances were, and how long partitions stood still; the coordinator " +
    "keeps it in memory, and Apache Kafka does not have it. Of several groups --json gives " +
    '{"results":[…]}.',
  ],
  examples: [
    ["Everything about a group", "mq group describe workers"],
    ["Why it rebalances", "mq group describe workers --section history"],
    ["What is stuck", "mq group describe workers --json | jq '.partitions[] | select(.isStuck)'"],
  ],
  run: (context) => withClient(context, (client) => describe(context, client)),
};

interface Described {
  readonly groupId: string;
  readonly group?: DescribedGroup;
  readonly lag?: GroupLag | undefined;
  readonly failure?: Failure;
}

async function describe(context: Context, client: Client): Promise<ExitCode> {
  const { printer } = context;
  const names = [...new Set(context.arguments)];
  const groups = await client.admin.groups.describeGroups(names, { hasHistory: true });
  const described = await Promise.all(groups.map((group) => describeOne(context, client, group)));
  const failed = described.find(({ failure }) => failure !== undefined)?.failure;
  if (described.length === 1 && failed !== undefined) throw failed;
  if (printer.isJson) await printDocuments(context, described.map(documentOf));
  else {
    for (const [index, one] of described.entries()) {
      if (one.failure !== undefined) printer.complain(one.failure);
      else {
        if (index > 0 && printer.format !== "name") await printer.print("\n");
        await printText(context, one);
      }
    }
  }
  return failed?.exitCode ?? ExitCode.Done;
}

/** The lag costs a look at each partition; it is left out where nobody sees it. */
async function describeOne(
  context: Context,
  client: Client,
  group: DescribedGroup,
): Promise<Described> {
  const { groupId } = group;
  const section = sectionOf(context);
  try {
    if (isMissing(group)) throw await missingGroupOf(client, groupId);
    if (group.error !== undefined) throw groupFailure(group.error, groupId);
    const hasLag = context.printer.isJson || !["members", "history"].includes(section);
    return { groupId, group, lag: hasLag ? await lagOf(client, groupId) : undefined };
  } catch (error) {
    return { groupId, failure: failureOf(error) };
  }
}

/** One csv is one table: that of the lag. */
function sectionOf({ flags, printer }: Context): string {
  const section = flags.text("section") ?? "all";
  return section === "all" && printer.format === "csv" ? "lag" : section;
}

function documentOf({ groupId, group, lag, failure }: Described): object {
  if (failure !== undefined || group === undefined) {
    return { groupId, error: failureDocument(failure ?? new Failure("INTERNAL", "not asked")) };
  }
  const { error: _, history, members, ...rest } = group;
  return {
    ...rest,
    ...(lag === undefined ? {} : totalOf(lag)),
    members,
    partitions: (lag?.partitions ?? []).map(lagItem),
    history: history?.map(({ atMs, ...entry }) => ({ at: timeOf(atMs), ...entry })) ?? null,
  };
}

async function printText(context: Context, { group, lag }: Described): Promise<void> {
  if (group === undefined) return;
  const { printer } = context;
  if (printer.format === "name") return await printer.printLines([group.groupId]);
  const section = sectionOf(context);
  const isWanted = (name: string): boolean => section === "all" || section === name;
  const gap = async (): Promise<void> => {
    if (section === "all") await printer.print("\n");
  };
  if (isWanted("summary") && printer.format !== "csv") {
    await printSummary(printer, group, lag);
  }
  if (isWanted("lag") && lag !== undefined && lag.partitions.length > 0) {
    await gap();
    const table = lagTable(lag.partitions, false);
    await printer.printList({ names: [], items: [], table });
  }
  if (isWanted("members") && group.members.length > 0) {
    await gap();
    const table = membersTable(group.members);
    await printer.printList({ names: [], items: [], table });
  }
  if (isWanted("history")) await printHistory(context, group, gap);
}

async function printSummary(
  printer: Printer,
  group: DescribedGroup,
  lag: GroupLag | undefined,
): Promise<void> {
  const total = lag === undefined ? undefined : totalOf(lag);
  const facts: readonly (readonly [string, string | number | null])[] = [
    ["group", group.groupId],
    ["state", group.state],
    ["type", group.type],
    ["assignor", group.assignor || null],
    ["coordinator", group.coordinatorId],
    ["members", group.members.length],
    ...(total === undefined ? [] : [
      ["lag", total.lag] as const,
      ["seconds", shownSeconds(total.lagSeconds)] as const,
      ["stuck", total.stuckPartitions] as const,
    ]),
  ];
  await printer.printLines(
    facts.map(([name, value]) => `${printer.out.bold(name)}\t${value ?? "-"}`),
  );
}

async function printHistory(
  context: Context,
  { history, groupId }: DescribedGroup,
  gap: () => Promise<void>,
): Promise<void> {
  const { printer } = context;
  if (history === null) {
    if (sectionOf(context) !== "history") return;
    throw new Failure(
      "UNSUPPORTED_VERSION",
      `The coordinator of group ${groupId} keeps no history`,
      {
        hint: "Brokers of mq do; Apache Kafka has its log: grep the broker's log for the group",
      },
    );
  }
  if (history.length === 0) {
    if (sectionOf(context) === "history") printer.say(`no rebalance of group ${groupId} is known`);
    return;
  }
  const newestFirst = history.toSorted((one, other) => other.atMs - one.atMs);
  await gap();
  await printer.printList({
    names: [],
    items: [],
    table: {
      columns: ["TIME", "GENERATION", "MEMBERS", "STOOD-STILL", "REASON"],
      rows: newestFirst.map(({ atMs, generation, memberCount, durationMs, reason }) => [
        timeOf(atMs),
        generation,
        memberCount,
        durationMs < 0 ? "going on" : `${durationMs} ms`,
        reason,
      ]),
    },
  });
}
