/** `mq wait group`: returns when a group is in a state, or has caught up. */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure, failureOf, usageFailure } from "../failure.ts";
import { requireState } from "../group_state.ts";
import { isMissing, totalOf } from "../group_view.ts";
import { pause } from "../pause.ts";
import { requireWhole } from "../quantity.ts";
import { type Client, connectFirst, timeoutOf } from "../session.ts";

export const waitGroup: CommandSpec = {
  path: "wait group",
  summary: "Wait until a group is in a state, or has caught up",
  arguments: [{ name: "GROUP" }],
  flags: [
    { name: "state", value: "STATE", summary: "stable, empty, preparing-rebalance, …" },
    { name: "lag", value: "N", summary: "until it is at most N records behind" },
  ],
  details: [
    "Both together: until both hold. A group that is not there is waited for. Without --timeout it waits " +
    "for as long as it takes; with it the command ends with 5.",
  ],
  examples: [
    ["Until all members consume", "mq wait group workers --state stable --timeout 30s"],
    ["Until everything is done", "mq wait group workers --lag 0"],
  ],
  async run(context): Promise<ExitCode> {
    const goal = goalOf(context);
    const [groupId = ""] = context.arguments;
    const { lifeline } = context;
    const timeoutMs = timeoutOf(context);
    const client = await connectFirst(context, lifeline.signal);
    if (timeoutMs !== undefined) lifeline.setDeadline(timeoutMs);
    try {
      return await wait(context, client, groupId, goal);
    } finally {
      await client[Symbol.asyncDispose]();
    }
  },
};

interface Goal {
  readonly state: string | undefined;
  readonly lag: number | undefined;
}

const FIRST_DELAY_MS = 50;
const DELAY_MS_MAX = 1000;

function goalOf({ flags }: Context): Goal {
  const state = flags.text("state");
  const lag = flags.text("lag");
  if (state === undefined && lag === undefined) {
    throw usageFailure(
      "Missing flag --state: what shall be waited for?",
      "--state STATE or --lag N",
    );
  }
  return {
    state: state === undefined ? undefined : requireState(state),
    lag: lag === undefined ? undefined : requireWhole(lag, "lag", [0, Number.MAX_SAFE_INTEGER]),
  };
}

async function wait(
  { io, lifeline, printer }: Context,
  client: Client,
  groupId: string,
  goal: Goal,
): Promise<ExitCode> {
  const { signal } = lifeline;
  let seen = "nothing was heard of it";
  for (let delayMs = FIRST_DELAY_MS; !signal.aborted; delayMs *= 2) {
    try {
      const { isMet, told } = await look(client, groupId, goal);
      seen = told;
      if (isMet) {
        printer.remark(`group ${groupId}: ${told}`);
        return ExitCode.Done;
      }
    } catch (error) {
      if (signal.aborted) break;
      seen = failureOf(error).message;
    }
    await pause(io, Math.min(delayMs, DELAY_MS_MAX), signal);
  }
  if (lifeline.expiredMs === undefined) return lifeline.exitCode ?? ExitCode.Failed;
  const wanted = [
    ...(goal.state === undefined ? [] : [goal.state]),
    ...(goal.lag === undefined ? [] : [`a lag of at most ${goal.lag}`]),
  ].join(" and ");
  throw new Failure(
    "TIMEOUT",
    `Gave up after ${lifeline.expiredMs} ms: group ${groupId} is not at ${wanted}; ${seen}`,
    { hint: `Allow more time with --timeout; see mq group describe ${groupId}`, retriable: true },
  );
}

async function look(
  client: Client,
  groupId: string,
  goal: Goal,
): Promise<{ readonly isMet: boolean; readonly told: string }> {
  const { groups } = client.admin;
  const [group] = await groups.describeGroups([groupId]);
  const isDeadWanted = goal.state === "Dead";
  if (group === undefined || isMissing(group)) {
    return { isMet: isDeadWanted && goal.lag === undefined, told: "it is not there" };
  }
  if (group.error !== undefined) throw group.error;
  const isState = goal.state === undefined || group.state === goal.state;
  if (!isState || goal.lag === undefined) return { isMet: isState, told: `it is ${group.state}` };
  const { lag, uncommittedPartitions } = totalOf(
    await groups.groupLag(groupId, { hasSeconds: false }),
  );
  const isLow = lag !== null && lag <= goal.lag && uncommittedPartitions === 0;
  return { isMet: isLow, told: `its lag is ${lag ?? "not known"}` };
}
