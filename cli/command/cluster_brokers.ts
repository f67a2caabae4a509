/** `mq cluster brokers`: who is registered, where, and with how much to do. */
import { quorumIfKnown } from "../cluster_admin.ts";
import { formatAddress } from "../address.ts";
import type { CommandSpec } from "../command_spec.ts";
import { ExitCode } from "../exit_code.ts";
import { withClient } from "../session.ts";

export const clusterBrokers: CommandSpec = {
  path: "cluster brokers",
  aliases: ["broker list"],
  summary: "List brokers: address, rack, state, part in the quorum, partitions",
  arguments: [],
  flags: [],
  details: [
    "STATE is alive or fenced: nothing has been heard of a fenced broker for broker.session.timeout.ms, " +
    "and it leads nothing. A cluster that does not tell of fenced brokers lists those that are alive. " +
    "QUORUM is the part it takes in the metadata quorum: leader, voter or observer.",
  ],
  examples: [
    ["All", "mq cluster brokers"],
    ["Their addresses", "mq cluster brokers --json | jq -r '.[] | \"\\(.host):\\(.port)\"'"],
  ],
  run: (context) =>
    withClient(context, async (client) => {
      const [cluster, quorum, topics] = await Promise.all([
        client.admin.describeCluster({ includesFenced: true }),
        quorumIfKnown(client),
        client.admin.listTopics(),
      ]);
      const partitions = topics.flatMap((topic) => topic.partitions);
      const partOf = (id: number): string | null => {
        if (quorum === undefined) return null;
        if (quorum.leaderId === id) return "leader";
        if (quorum.voters.some(({ nodeId }) => nodeId === id)) return "voter";
        return quorum.observers.some(({ nodeId }) => nodeId === id) ? "observer" : null;
      };
      const items = cluster.brokers.toSorted((one, other) => one.brokerId - other.brokerId)
        .map(({ brokerId, host, port, rack, isFenced }) => ({
          brokerId,
          host,
          port,
          rack,
          isFenced,
          quorum: partOf(brokerId),
          leads: partitions.filter(({ leaderId }) => leaderId === brokerId).length,
          replicas: partitions.filter(({ replicas }) => replicas.includes(brokerId)).length,
        }));
      await context.printer.printList({
        names: items.map(({ brokerId }) => String(brokerId)),
        items,
        table: {
          columns: ["BROKER", "ADDRESS", "RACK", "STATE", "QUORUM", "LEADS", "REPLICAS"],
          rows: items.map((item) => [
            item.brokerId,
            formatAddress(item),
            item.rack,
            item.isFenced ? "fenced" : "alive",
            item.quorum,
            item.leads,
            item.replicas,
          ]),
        },
      });
      return ExitCode.Done;
    }),
};
