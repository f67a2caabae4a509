/** `mq cluster elect`: has leaders of partitions chosen anew, the preferred ones or any that are there. */
import { clusterFailure } from "../cluster_admin.ts";
import type { CommandSpec } from "../command_spec.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit_code.ts";
import { type Failure, failureOf } from "../failure.ts";
import { type Outcome, tellOutcomes } from "../outcomes.ts";
import { type Client, withClient } from "../session.ts";

type ElectedLeader = Awaited<ReturnType<Client["admin"]["electLeaders"]>>[number];

const NOT_NEEDED = "ELECTION_NOT_NEEDED";

export const clusterElect: CommandSpec = {
  path: "cluster elect",
  summary: "Give partitions back to their preferred leaders, or a leader to those without one",
  arguments: [{ name: "TOPIC", isOptional: true, isMany: true }],
  flags: [
    {
      name: "unclean",
      summary: "only partitions without a leader: any replica that is there, records may be lost",
    },
    { name: "yes", short: "y", summary: "do not ask (with --unclean)" },
  ],
  details: [
    "The preferred leader of a partition is its first replica. When a broker was away, others lead what " +
    "it had led: this gives it back, where it is alive and in sync. Without TOPIC, of all topics.",
    "--unclean makes a replica the leader that may lack records that were acknowledged: they are gone " +
    "then. It is for partitions whose replicas in sync are lost for good, and asks first.",
  ],
  examples: [
    ["After a rolling restart", "mq cluster elect"],
    ["Of two topics", "mq cluster elect orders payments"],
    ["The disk of the only replica in sync is lost", "mq cluster elect orders --unclean --yes"],
  ],
  async run(context): Promise<ExitCode> {
    const names = [...new Set(context.arguments)];
    const type = context.flags.isSet("unclean") ? "unclean" : "preferred";
    if (type === "unclean") {
      const where = names.length === 0 ? "all topics" : names.join(", ");
      await confirm(context, `Elect leaders that may lack acknowledged records, in ${where}`);
    }
    return await withClient(context, async (client) => {
      const { partitions, missing } = await partitionsOf(client, names);
      const elected = await client.admin.electLeaders(partitions, { type })
        .catch((error: unknown) => {
          throw clusterFailure(error);
        });
      return await tell(context, [...missing, ...elected.map(outcomeOf)]);
    });
  },
};

interface Asked {
  /** Null = all. */
  readonly partitions: Parameters<Client["admin"]["electLeaders"]>[0];
  /** Topics that are not there. */
  readonly missing: readonly Outcome[];
}

async function partitionsOf(client: Client, names: readonly string[]): Promise<Asked> {
  if (names.length === 0) return { partitions: null, missing: [] };
  const described = await client.admin.describeTopics(names);
  return {
    partitions: described.flatMap(({ name, topic }) =>
      topic === undefined
        ? []
        : [{ name, partitions: topic.partitions.map(({ partition }) => partition) }]
    ),
    missing: described.flatMap(({ name, error }) =>
      error === undefined
        ? []
        : [{ name, failure: failureOf(error), facts: { elected: false }, said: "" }]
    ),
  };
}

async function tell(context: Context, outcomes: readonly Outcome[]): Promise<ExitCode> {
  const { printer } = context;
  if (!printer.isJson && outcomes.every(({ failure, said }) => failure === undefined && !said)) {
    printer.say("no partition needs an election");
    return await tellOutcomes(context, []);
  }
  const isTold = ({ failure, said }: Outcome): boolean => failure !== undefined || said !== "";
  return await tellOutcomes(context, printer.isJson ? outcomes : outcomes.filter(isTold));
}

/** One that needs no election is told of in JSON only. */
function outcomeOf({ name, partition, error }: ElectedLeader): Outcome {
  const full = `${name}-${partition}`;
  const isNeeded = error?.code !== NOT_NEEDED;
  return {
    name: full,
    failure: error === undefined || !isNeeded ? undefined : remedied(error),
    facts: { topic: name, partition, elected: error === undefined },
    said: isNeeded ? `elected a leader of ${full}` : "",
  };
}

function remedied(error: NonNullable<ElectedLeader["error"]>): Failure {
  return clusterFailure(
    error,
    error.code === "ELIGIBLE_LEADERS_NOT_AVAILABLE"
      ? "None of its replicas is alive: mq cluster brokers lists who is"
      : error.code === "PREFERRED_LEADER_NOT_AVAILABLE"
      ? "Its first replica is not alive, or not in sync: mq topic describe shows the replicas"
      : undefined,
  );
}
