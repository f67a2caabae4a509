/** `mq cluster status`: the cluster at a glance, once or again and again. */
import { type ClusterView, viewCluster } from "../cluster_view.ts";
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { withClient } from "../session.ts";
import { intervalOf, watch, WATCH_FLAGS } from "../watch.ts";

export const clusterStatus: CommandSpec = {
  path: "cluster status",
  summary: "Show the cluster at a glance: controller, brokers, partitions, what is wrong",
  arguments: [],
  flags: WATCH_FLAGS,
  details: [
    "health is ok, or what is wrong. It says nothing of records: a cluster is well that has an active " +
    "controller, brokers that are heard of, and leaders for all partitions with their replicas in sync.",
    "With --watch a look that fails is told on stderr and the next one is taken; --json then gives an " +
    "object a line.",
  ],
  examples: [
    ["Now", "mq cluster status"],
    ["While something happens", "mq cluster status --watch --interval 500ms"],
    ["For a script", "mq cluster status --json | jq -e .isHealthy"],
  ],
  async run(context): Promise<ExitCode> {
    const intervalMs = intervalOf(context);
    if (context.flags.isSet("watch")) {
      return await watch(context, intervalMs, async (client) => {
        const view = await viewCluster(client);
        return () => print(context, view);
      });
    }
    return await withClient(context, async (client) => {
      await print(context, await viewCluster(client));
      return ExitCode.Done;
    });
  },
};

async function print({ printer }: Context, view: ClusterView): Promise<void> {
  if (printer.format === "ndjson") return await printer.printLines([JSON.stringify(view)]);
  if (printer.isJson) return await printer.printJson(view);
  if (printer.format === "name") return await printer.printLines([view.clusterId]);
  const rows = facts(view);
  if (printer.format === "csv") {
    return await printer.printTable({ columns: ["FACT", "VALUE"], rows });
  }
  await printer.printLines(rows.map(([name, value]) => `${printer.out.bold(name)}\t${value}`));
}

function facts(view: ClusterView): readonly (readonly [string, string])[] {
  const ids = (list: readonly number[]): string => list.join(",") || "-";
  const { term, controllerId, leaderlessPartitions, underReplicatedPartitions } = view;
  return [
    ["cluster", view.clusterId],
    ["controller", controllerId < 0 ? "-" : String(controllerId)],
    ["term", String(term ?? "-")],
    ["voters", ids(view.voters)],
    ["observers", ids(view.observers)],
    ["brokers", ids(view.aliveBrokers)],
    ["fenced", ids(view.fencedBrokers)],
    [
      "features",
      Object.entries(view.features).map(([name, level]) => `${name}=${level}`).join(" ") || "-",
    ],
    ["topics", String(view.topics)],
    ["partitions", String(view.partitions)],
    ["leaderless", String(leaderlessPartitions)],
    ["under-replicated", String(underReplicatedPartitions)],
    ["health", view.isHealthy ? "ok" : view.problems.join("; ")],
  ];
}
