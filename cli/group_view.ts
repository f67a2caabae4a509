/** Groups as the commands show them: what is asked, what is summed up, and how a missing one is told. */
import type { Context } from "./context.ts";
import { Failure, failureOf } from "./failure.ts";
import type { Client } from "./session.ts";
import { nearest } from "./suggest.ts";
import type { Cell, Table } from "./table.ts";

type GroupAdmin = Client["admin"]["groups"];
export type DescribedGroup = Awaited<ReturnType<GroupAdmin["describeGroups"]>>[number];
export type DescribedMember = DescribedGroup["members"][number];
export type GroupLag = Awaited<ReturnType<GroupAdmin["groupLag"]>>;
export type PartitionLag = GroupLag["partitions"][number];
export type CommittedOffset = Awaited<ReturnType<GroupAdmin["groupOffsets"]>>[number];

const HINTS: Readonly<Record<string, string>> = {
  NON_EMPTY_GROUP: "Stop its members first; mq group members GROUP tells who they are",
  GROUP_SUBSCRIBED_TO_TOPIC: "Stop the members that read the topic first",
  UNKNOWN_MEMBER_ID: "Its members are alive; stop them first, or say --force",
  REBALANCE_IN_PROGRESS: "Try again when it has ended: mq wait group GROUP --state stable",
  COORDINATOR_LOAD_IN_PROGRESS: "Its coordinator has just begun; try again",
};

/** An error about a group, with what can be done about it. */
export function groupFailure(error: unknown, groupId: string): Failure {
  const failure = failureOf(error);
  if (failure.code === "GROUP_ID_NOT_FOUND") return missingGroup(groupId);
  const hint = HINTS[failure.code]?.replaceAll("GROUP", groupId) ?? failure.hint;
  const isNamed = failure.message.includes(groupId);
  const message = isNamed ? failure.message : `Group ${groupId}: ${failure.message}`;
  const { code, retriable, exitCode } = failure;
  return new Failure(code, message, { hint, retriable, exitCode, cause: error });
}

function missingGroup(groupId: string, suggestion?: string): Failure {
  const question = suggestion === undefined ? "" : `. Did you mean '${suggestion}'?`;
  return new Failure("GROUP_ID_NOT_FOUND", `There is no group ${groupId}${question}`, {
    hint: "mq group list lists the groups",
  });
}

/** Asks which name was meant; the question itself must not hide that the group is missing. */
export async function missingGroupOf(client: Client, groupId: string): Promise<Failure> {
  try {
    const { groups } = await client.admin.groups.listGroups();
    return missingGroup(groupId, nearest(groupId, groups.map((group) => group.groupId)));
  } catch {
    return missingGroup(groupId);
  }
}

/** Older brokers call a group that is not there dead. */
export function isMissing(
  { error, state, members }: {
    readonly error?: { readonly code: string };
    readonly state: string;
    readonly members?: readonly unknown[];
  },
): boolean {
  if (error !== undefined) return error.code === "GROUP_ID_NOT_FOUND";
  return state === "Dead" && (members ?? []).length === 0;
}

/** Throws where there is no such group, or it cannot be asked. */
export async function lagOf(client: Client, groupId: string): Promise<GroupLag> {
  const lag = await client.admin.groups.groupLag(groupId).catch((error: unknown) => {
    throw groupFailure(error, groupId);
  });
  if (isMissing(lag) && lag.partitions.length === 0) throw await missingGroupOf(client, groupId);
  if (lag.error !== undefined) throw groupFailure(lag.error, groupId);
  return lag;
}

/** Of all partitions together; null where of none it is known. */
export interface LagTotal {
  readonly lag: number | null;
  /** The oldest of the unread records. */
  readonly lagSeconds: number | null;
  readonly stuckPartitions: number;
  /** Assigned and not empty, but nothing has been committed yet. */
  readonly uncommittedPartitions: number;
  /** Those that nobody could be asked about. */
  readonly failedPartitions: number;
}

export function totalOf({ partitions }: GroupLag): LagTotal {
  const known = (values: readonly (number | null)[]): readonly number[] =>
    values.filter((value) => value !== null);
  // Where there is nothing to read nobody is behind, whether something was committed or not.
  const lags = known(
    partitions.map(({ lag, start, end, error }) =>
      lag ?? (error === undefined && start === end ? 0 : null)
    ),
  );
  const seconds = known(partitions.map(({ lagSeconds }) => lagSeconds));
  return {
    lag: lags.length === 0 ? null : lags.reduce((sum, lag) => sum + lag, 0),
    lagSeconds: seconds.length === 0 ? null : Math.max(...seconds),
    stuckPartitions: partitions.filter(({ isStuck }) => isStuck).length,
    uncommittedPartitions:
      partitions.filter(({ committed, start, end }) => committed === null && start !== end).length,
    failedPartitions: partitions.filter(({ error }) => error !== undefined).length,
  };
}

/** A partition in JSON. */
export function lagItem(partition: PartitionLag): object {
  const { error, isStuck, advancedAtMs, ...rest } = partition;
  return {
    ...rest,
    isStuck,
    advancedAt: timeOf(advancedAtMs),
    stuckSince: isStuck ? timeOf(advancedAtMs) : null,
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  };
}

/** RFC 3339, or null where it is not known. */
export function timeOf(timestamp: number): string | null {
  return timestamp < 0 ? null : new Date(timestamp).toISOString();
}

/** Tenths of a second are enough for people. */
export function shownSeconds(seconds: number | null): number | null {
  return seconds === null ? null : Math.round(seconds * 10) / 10;
}

export function lagTable(partitions: readonly PartitionLag[], onlySeconds: boolean): Table {
  const lagColumns = onlySeconds ? ["SECONDS"] : ["LAG", "SECONDS"];
  return {
    columns: ["TOPIC", "PARTITION", "COMMITTED", "END", ...lagColumns, "MEMBER", "NOTE"],
    rows: partitions.map((one): readonly Cell[] => [
      one.topic,
      one.partition,
      one.committed,
      one.end,
      ...(onlySeconds ? [] : [one.lag]),
      shownSeconds(one.lagSeconds),
      one.groupInstanceId ?? one.memberId,
      noteOf(one),
    ]),
  };
}

function noteOf({ isStuck, advancedAtMs, error }: PartitionLag): string | null {
  if (error !== undefined) return error.code;
  if (!isStuck) return null;
  const since = timeOf(advancedAtMs);
  return since === null ? "STUCK" : `STUCK since ${since}`;
}

/** "orders:0-2,5 jobs:1" */
export function assignmentText(member: DescribedMember): string {
  return member.assignment.map(({ topic, partitions }) => `${topic}:${spans(partitions)}`)
    .join(" ");
}

/** "0-2,5" */
export function spans(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((one, other) => one - other);
  const parts: [first: number, last: number][] = [];
  for (const number of sorted) {
    const open = parts.at(-1);
    if (open !== undefined && number === open[1] + 1) open[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([first, last]) => first === last ? `${first}` : `${first}-${last}`).join(",");
}

export function membersTable(members: readonly DescribedMember[]): Table {
  return {
    columns: ["MEMBER", "CLIENT", "HOST", "INSTANCE", "PARTITIONS", "ASSIGNMENT"],
    rows: members.map((member) => [
      member.memberId,
      member.clientId,
      member.clientHost,
      member.groupInstanceId,
      member.assignment.reduce((sum, { partitions }) => sum + partitions.length, 0),
      assignmentText(member) || null,
    ]),
  };
}

/** One document for one name, `results` for several, as of topics. */
export async function printDocuments(
  { printer }: Context,
  documents: readonly object[],
): Promise<void> {
  const [only] = documents;
  if (printer.format === "ndjson") {
    return await printer.printLines(documents.map((document) => JSON.stringify(document)));
  }
  if (documents.length === 1 && only !== undefined) await printer.printJson(only);
  else await printer.printJson({ results: documents });
}
