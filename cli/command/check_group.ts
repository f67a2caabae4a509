/** `mq check group`: whether a group keeps up; the answer is the exit code. */
import { CHECK_FORMAT_FLAG, type CheckResult, runCheck } from "../check_result.ts";
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit_code.ts";
import { usageFailure } from "../failure.ts";
import { lagOf, type LagTotal, shownSeconds, totalOf } from "../group_view.ts";
import { requireDuration, requireWhole } from "../quantity.ts";
import { withClient } from "../session.ts";

export const checkGroup: CommandSpec = {
  path: "check group",
  summary: "Ask whether a group keeps up: exit code 0, or 10 where it does not",
  arguments: [{ name: "GROUP" }],
  flags: [
    {
      name: "max-lag",
      value: "N",
      summary: "at most N records behind, all partitions together",
    },
    {
      name: "max-age",
      value: "DURATION",
      summary: "the first unread record is not older than that",
    },
    { name: "max-stuck", value: "N", summary: "at most N partitions are stuck" },
    CHECK_FORMAT_FLAG,
  ],
  details: [
    "The answer is no where one of the limits is not kept, and where that cannot be said: of a partition " +
    "that has records of which the group has committed nothing, or whose leader does not answer. Apache " +
    "Kafka does not tell whether a partition is stuck; there none counts as stuck.",
    "A group that is not there is an error (3). With --format nagios the exit codes are those of Nagios: " +
    "0 OK, 2 CRITICAL, 3 UNKNOWN.",
  ],
  examples: [
    ["Nobody waits longer than a minute", "mq check group workers --max-age 1m"],
    ["For Nagios", "mq check group workers --max-lag 10000 --format nagios"],
    ["Nothing is stuck", "mq check group workers --max-stuck 0 -q || notify-someone"],
  ],
  async run(context): Promise<ExitCode> {
    const limits = limitsOf(context);
    const [groupId = ""] = context.arguments;
    return await runCheck(
      context,
      () =>
        withClient(context, async (client): Promise<CheckResult> => {
          const total = totalOf(await lagOf(client, groupId));
          const { lag, lagSeconds, stuckPartitions } = total;
          const unknown = unknownOf(total);
          const measure = { unit: "" } as const;
          return {
            subject: `group ${groupId}`,
            labels: { consumergroup: groupId },
            names: { groupId },
            ...(unknown === undefined ? {} : { unknown }),
            measures: [
              {
                ...measure,
                name: "lag",
                metric: "kafka_consumergroup_lag_sum",
                value: lag,
                limit: limits.lag,
              },
              {
                name: "seconds",
                metric: "mq_group_lag_seconds",
                value: shownSeconds(lagSeconds),
                unit: "s",
                limit: limits.seconds,
              },
              {
                ...measure,
                name: "stuck",
                metric: "mq_group_stuck_partitions",
                value: stuckPartitions,
                limit: limits.stuck,
              },
            ],
          };
        }),
    );
  },
};

/** Words for partitions of which nobody knows how far behind the group is. */
function unknownOf({ uncommittedPartitions, failedPartitions }: LagTotal): string | undefined {
  const words = [
    ...(uncommittedPartitions === 0
      ? []
      : [`nothing committed yet in ${partitionsText(uncommittedPartitions)}`]),
    ...(failedPartitions === 0 ? [] : [`no answer about ${partitionsText(failedPartitions)}`]),
  ];
  return words.length === 0 ? undefined : words.join(", ");
}

function partitionsText(count: number): string {
  return `${count} partition${count === 1 ? "" : "s"}`;
}

interface Limits {
  readonly lag: number | undefined;
  readonly seconds: number | undefined;
  readonly stuck: number | undefined;
}

function limitsOf({ flags }: Context): Limits {
  const whole = (name: string): number | undefined => {
    const text = flags.text(name);
    return text === undefined ? undefined : requireWhole(text, name, [0, Number.MAX_SAFE_INTEGER]);
  };
  const age = flags.text("max-age");
  const limits = {
    lag: whole("max-lag"),
    seconds: age === undefined ? undefined : requireDuration(age, "--max-age") / 1000,
    stuck: whole("max-stuck"),
  };
  if (Object.values(limits).some((limit) => limit !== undefined)) return limits;
  throw usageFailure(
    "Missing flag --max-lag: what is the group measured by?",
    "One or more of --max-lag N, --max-age DURATION, --max-stuck N",
  );
}
