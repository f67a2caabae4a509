/** `mq group list`: which consumer groups there are. */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure, failureOf } from "../failure.ts";
import { compileGlob } from "../glob.ts";
import { requireState } from "../group_state.ts";
import { rejectMissingName } from "../missing_name.ts";
import { type Client, withClient } from "../session.ts";

export const groupList: CommandSpec = {
  path: "group list",
  aliases: ["group ls", "groups"],
  summary: "List consumer groups",
  arguments: [{ name: "GLOB", isOptional: true }],
  flags: [
    { name: "state", value: "STATE", summary: "only those: stable, empty, preparing-rebalance, …" },
    {
      name: "type",
      value: "TYPE",
      choices: ["classic", "consumer"],
      summary: "only those of this protocol: classic, consumer",
    },
  ],
  details: [
    "A group is there as long as it has members or committed offsets. Where a broker cannot be asked, " +
    "or a broker is away that alone knows of some, these are missing and the command ends with an error. " +
    "A GLOB that matches nothing is an empty list; a name that is not there is an error (3).",
  ],
  examples: [
    ["All, with their states", "mq group list"],
    ["Delete those of a test", "mq group list 'test-*' -f name | xargs mq group delete --yes"],
  ],
  async run(context): Promise<ExitCode> {
    const state = context.flags.text("state");
    const wanted = state === undefined ? undefined : requireState(state);
    return await withClient(context, (client) => list(context, client, wanted));
  },
};

async function list(
  { printer, flags, arguments: [pattern] }: Context,
  client: Client,
  state: string | undefined,
): Promise<ExitCode> {
  const matches = compileGlob(pattern ?? "*");
  const type = flags.text("type");
  const { groups, errors } = await client.admin.groups.listGroups(
    state === undefined ? {} : { states: [state] },
  );
  const failures = errors.map(({ error }) => failureOf(error));
  const missing = await missingCoordinators(client);
  if (missing !== undefined) failures.push(missing);
  // Where a state is asked for, or a broker is away, it may be there all the same.
  if (state === undefined && failures.length === 0) {
    rejectMissingName("group", pattern, groups.map(({ groupId }) => groupId));
  }
  const items = groups
    .filter((group) => matches(group.groupId) && (type === undefined || group.type === type))
    .toSorted((one, other) => one.groupId < other.groupId ? -1 : 1);
  const isWide = printer.format === "wide";
  await printer.printList({
    names: items.map(({ groupId }) => groupId),
    items,
    table: {
      columns: ["GROUP", "STATE", "TYPE", ...(isWide ? ["PROTOCOL-TYPE", "COORDINATOR"] : [])],
      rows: items.map((group) => [
        group.groupId,
        group.state,
        group.type,
        ...(isWide ? [group.protocolType || null, group.coordinatorId] : []),
      ]),
    },
  });
  for (const failure of failures) printer.complain(failure);
  return failures[0]?.exitCode ?? ExitCode.Done;
}

const OFFSETS_TOPIC = "__consumer_offsets";

/** A broker that the cluster has given up is not asked, and its groups have nobody else. */
async function missingCoordinators(client: Client): Promise<Failure | undefined> {
  const [described] = await client.admin.describeTopics([OFFSETS_TOPIC]);
  const partitions = described?.topic?.partitions ?? []; // no topic, no groups
  const count = partitions.filter(({ leaderId }) => leaderId < 0).length;
  if (count === 0) return undefined;
  return new Failure(
    "COORDINATOR_NOT_AVAILABLE",
    `Groups are missing: ${count} of ${partitions.length} partitions of ${OFFSETS_TOPIC} have no leader`,
    { hint: "mq cluster status tells which brokers are away", retriable: true },
  );
}
