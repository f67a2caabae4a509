/** `mq group seek`: moves the committed offsets of a group, after showing the plan. */
import type { CommandSpec } from "../command_spec.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure } from "../failure.ts";
import { groupFailure } from "../group_view.ts";
import { pause } from "../pause.ts";
import { failureDocument } from "../printer.ts";
import { planSeek, type SeekChange, seekScopeOf, seekTargetOf } from "../seek_plan.ts";
import { type Client, withClient } from "../session.ts";

export const groupSeek: CommandSpec = {
  path: "group seek",
  summary: "Move a group to other offsets: a point, a time, another group's, a file's",
  arguments: [{ name: "GROUP" }],
  flags: [
    {
      name: "to",
      value: "POINT",
      summary: "start, end, N, +N behind the start, -N before the end, @TIME (mq help offsets)",
    },
    { name: "to-group", value: "GROUP", summary: "where this other group is" },
    {
      name: "to-file",
      value: "FILE",
      summary: "lines 'topic partition offset', as mq group export writes them; - is stdin",
    },
    {
      name: "topics",
      value: "LIST",
      isList: true,
      summary: "only these, a,b; also such of which the group has committed nothing yet",
    },
    { name: "partition", short: "p", value: "LIST", summary: "only these partitions: 0,2,4-6" },
    { name: "dry-run", summary: "show the plan, but change nothing" },
    {
      name: "force",
      summary: "also while members are live: they are taken out of the group first",
    },
    { name: "yes", short: "y", summary: "do not ask" },
  ],
  details: [
    "The plan is shown first: what is committed, and what would be. A group that is not there yet is " +
    "made by --topics. While members are live it is refused, because they would go on from where they " +
    "are and commit over it; --force takes them out of the group, and those that join again go on from " +
    "the new offsets.",
  ],
  examples: [
    ["What would an hour back mean?", "mq group seek workers --to @-1h --dry-run"],
    ["Everything again", "mq group seek workers --to start --yes"],
    ["A second deployment, where the first one is", "mq group seek green --to-group blue --yes"],
    [
      "Back to where it was",
      "mq group export workers > before; mq group seek workers --to-file before -y",
    ],
  ],
  async run(context): Promise<ExitCode> {
    const [groupId = ""] = context.arguments;
    const target = await seekTargetOf(context);
    const scope = seekScopeOf(context);
    return await withClient(context, async (client) => {
      const plan = await planSeek(context, client, { groupId, target, scope });
      return await carryOut(context, client, groupId, plan);
    });
  },
};

async function carryOut(
  context: Context,
  client: Client,
  groupId: string,
  plan: readonly SeekChange[],
): Promise<ExitCode> {
  const { flags, lifeline, printer } = context;
  const isDryRun = flags.isSet("dry-run");
  const members = isDryRun ? 0 : await memberCount(client, groupId);
  if (members > 0 && !flags.isSet("force")) throw rejectLive(groupId, members);
  if (isDryRun) return await tell(context, groupId, plan);
  const possible = plan.filter(({ failure }) => failure === undefined);
  if (!flags.isSet("yes")) {
    if (!printer.isJson) await printTable(context, plan);
    lifeline.clearDeadline(); // people think longer than clusters
    const count = `${possible.length} partition${possible.length === 1 ? "" : "s"}`;
    await confirm(context, `Move group ${groupId} in ${count}`);
  }
  const moved = possible.length === 0
    ? []
    : await move(context, client, { groupId, possible, hasMembers: members > 0 });
  const results = new Map(moved.map((one) => [`${one.topic} ${one.partition}`, one]));
  return await tell(
    context,
    groupId,
    plan.map((change) => results.get(`${change.topic} ${change.partition}`) ?? change),
  );
}

async function memberCount(client: Client, groupId: string): Promise<number> {
  const [group] = await client.admin.groups.describeGroups([groupId]);
  if (group === undefined || group.error?.code === "GROUP_ID_NOT_FOUND") return 0;
  if (group.error !== undefined) throw groupFailure(group.error, groupId);
  // One that is just joining is not told of before it has been given something.
  const isSettling = ["PreparingRebalance", "CompletingRebalance"].includes(group.state);
  return Math.max(group.members.length, isSettling ? 1 : 0);
}

function rejectLive(groupId: string, members: number): Failure {
  const count = `${members} live member${members === 1 ? "" : "s"}`;
  return new Failure("NON_EMPTY_GROUP", `Cannot move group ${groupId}: it has ${count}`, {
    hint:
      `Stop them first (mq group members ${groupId}), or say --force; a static member that has ` +
      "ended counts until its session timeout has passed",
  });
}

const FORCE_TRIES_MAX = 10;
const FORCE_DELAY_MS = 50;
/** What a coordinator says where a member has been quicker. */
const LIVE = new Set(["UNKNOWN_MEMBER_ID", "NON_EMPTY_GROUP", "REBALANCE_IN_PROGRESS"]);

async function move(
  { io, lifeline }: Context,
  client: Client,
  { groupId, possible, hasMembers }: {
    readonly groupId: string;
    readonly possible: readonly SeekChange[];
    readonly hasMembers: boolean;
  },
): Promise<readonly SeekChange[]> {
  const { groups } = client.admin;
  const offsets = possible.map(({ topic, partition, to }) => ({ topic, partition, offset: to }));
  for (let tries = 1;; tries++) {
    if (hasMembers) await groups.removeMembers(groupId, null, "mq group seek --force");
    const results = await groups.alterGroupOffsets(groupId, offsets);
    const isLive = results.some(({ error }) => error !== undefined && LIVE.has(error.code));
    if (!isLive || !hasMembers || tries === FORCE_TRIES_MAX) {
      return possible.map((change) => {
        const error = results.find(({ topic, partition }) =>
          topic === change.topic && partition === change.partition
        )?.error;
        return error === undefined ? change : { ...change, failure: groupFailure(error, groupId) };
      });
    }
    // deno-lint-ignore no-await-in-loop -- a member that joins again has been quicker
    await pause(io, FORCE_DELAY_MS * tries, lifeline.signal);
  }
}

async function tell(
  context: Context,
  groupId: string,
  changes: readonly SeekChange[],
): Promise<ExitCode> {
  const { printer, flags } = context;
  const failed = changes.find(({ failure }) => failure !== undefined)?.failure;
  if (changes.length === 1 && failed !== undefined) throw failed;
  for (const { failure } of changes) if (failure !== undefined) printer.complain(failure);
  const isDryRun = flags.isSet("dry-run");
  if (printer.isJson) {
    await printer.printJson({
      groupId,
      dryRun: isDryRun,
      changes: changes.map(({ failure, ...change }) =>
        failure === undefined ? change : { ...change, error: failureDocument(failure) }
      ),
    });
  } else {
    // Where the plan was asked about it stands there already.
    if (isDryRun || flags.isSet("yes")) await printTable(context, changes);
    const done = changes.filter(({ failure }) => failure === undefined).length;
    const verb = isDryRun ? "would move" : "moved";
    if (done > 0) {
      printer.say(`${verb} group ${groupId} in ${done} partition${done === 1 ? "" : "s"}`);
    }
  }
  return failed?.exitCode ?? ExitCode.Done;
}

async function printTable({ printer }: Context, changes: readonly SeekChange[]): Promise<void> {
  const shown = changes.filter(({ failure }) => failure === undefined);
  await printer.printList({
    names: shown.map(({ topic, partition }) => `${topic}-${partition}`),
    items: [],
    table: {
      columns: ["TOPIC", "PARTITION", "FROM", "TO", "CHANGE"],
      rows: shown.map(({ topic, partition, from, to }) => {
        const change = from === null ? null : to - from;
        const signed = change === null ? null : change > 0 ? `+${change}` : String(change);
        return [topic, partition, from, to, signed];
      }),
    },
  });
}
