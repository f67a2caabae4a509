/** `mq cluster quorum`: who leads the metadata log, who votes, and how far everybody has come. */
import { formatAddress } from "../address.ts";
import {
  clusterFailure,
  knownId,
  type QuorumDescription,
  type QuorumReplica,
} from "../cluster_admin.ts";
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { withClient } from "../session.ts";

export const clusterQuorum: CommandSpec = {
  path: "cluster quorum",
  summary: "Show the metadata quorum: leader, term, voters and observers with their lag",
  arguments: [],
  flags: [],
  details: [
    "Any broker answers, and any controller. LAG is by how many records of metadata a node is behind the " +
    "leader. A majority of the voters must be there for topics to be created, altered or deleted.",
    "--json gives one object, with nodes under voters and observers.",
  ],
  examples: [
    ["Now", "mq cluster quorum"],
    ["The active controller", "mq cluster quorum --json | jq .leaderId"],
  ],
  run: (context) =>
    withClient(context, async (client) => {
      const quorum = await client.admin.describeQuorum().catch((error: unknown) => {
        throw clusterFailure(error);
      });
      await print(context, quorum);
      return ExitCode.Done;
    }),
};

interface ShownReplica {
  readonly nodeId: number;
  readonly role: "leader" | "voter" | "observer";
  readonly directoryId: string | null;
  /** host:port of each of its listeners; empty where it is not told. */
  readonly addresses: readonly string[];
  readonly logEndOffset: number;
  readonly lag: number;
  readonly lastFetch: string | null;
  readonly lastCaughtUp: string | null;
}

async function print({ printer }: Context, quorum: QuorumDescription): Promise<void> {
  const { leaderId, leaderEpoch: term, highWatermark } = quorum;
  const voters = quorum.voters.map((replica) => shown(replica, quorum, "voter"));
  const observers = quorum.observers.map((replica) => shown(replica, quorum, "observer"));
  const nodes = [...voters, ...observers];
  if (printer.isJson) {
    return await printer.printJson({ leaderId, term, highWatermark, voters, observers });
  }
  if (printer.format === "text" || printer.format === "wide") {
    const facts = [["leader", leaderId < 0 ? "-" : leaderId], ["term", term], [
      "high-watermark",
      highWatermark,
    ]];
    await printer.printLines(
      facts.map(([name, value]) => `${printer.out.bold(String(name))}\t${value}`),
    );
    await printer.print("\n");
  }
  await printer.printList({
    names: nodes.map(({ nodeId }) => String(nodeId)),
    items: nodes,
    table: {
      columns: ["NODE", "ROLE", "ADDRESS", "DIRECTORY-ID", "END-OFFSET", "LAG", "LAST-CAUGHT-UP"],
      rows: nodes.map((node) => [
        node.nodeId,
        node.role,
        node.addresses.join(",") || null,
        node.directoryId,
        node.logEndOffset,
        node.lag,
        node.lastCaughtUp,
      ]),
    },
  });
}

function shown(
  replica: QuorumReplica,
  { leaderId, voters, nodes }: QuorumDescription,
  role: "voter" | "observer",
): ShownReplica {
  const leader = voters.find(({ nodeId }) => nodeId === leaderId);
  const listeners = nodes.find(({ nodeId }) => nodeId === replica.nodeId)?.listeners ?? [];
  return {
    nodeId: replica.nodeId,
    role: replica.nodeId === leaderId ? "leader" : role,
    directoryId: knownId(replica.directoryId),
    addresses: listeners.map(formatAddress),
    logEndOffset: replica.logEndOffset,
    lag: Math.max((leader?.logEndOffset ?? replica.logEndOffset) - replica.logEndOffset, 0),
    lastFetch: timeText(replica.lastFetchTimestamp),
    lastCaughtUp: timeText(replica.lastCaughtUpTimestamp),
  };
}

function timeText(timestamp: number): string | null {
  return timestamp < 0 ? null : new Date(timestamp).toISOString();
}
