/** `mq cluster add-voter`: takes a node that follows the metadata log into those that vote on it. */
import { formatAddress, parseAddress } from "../address.ts";
import {
  clusterFailure,
  knownId,
  type NamedListener,
  nodeIds,
  type QuorumDescription,
  type QuorumReplica,
} from "../cluster_admin.ts";
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit_code.ts";
import { Failure, usageFailure } from "../failure.ts";
import { tellOutcomes } from "../outcomes.ts";
import { type Client, withClient } from "../session.ts";

type DirectoryId = QuorumReplica["directoryId"];

const DEFAULT_LISTENER = "PLAINTEXT";

export const clusterAddVoter: CommandSpec = {
  path: "cluster add-voter",
  summary: "Make a node a voter of the metadata quorum",
  arguments: [{ name: "NODE" }],
  flags: [
    {
      name: "at",
      value: "HOST:PORT",
      summary: "where the other voters reach it (the address that it is registered with)",
    },
    {
      name: "directory-id",
      value: "ID",
      summary: "the disk that it votes with (what it follows the quorum with)",
    },
    {
      name: "listener",
      value: "NAME",
      summary: "name of that listener (that of the present voters)",
    },
    { name: "dry-run", summary: "tell who would be added, but add nobody" },
  ],
  details: [
    "The node must run and follow: started with the roles broker,controller or controller, and with " +
    "--controller-quorum HOST:PORT,… naming controllers of this cluster. It is a voter when it has " +
    "caught up and a majority of the old and of the new voters has agreed; nothing stops meanwhile. " +
    "One voter is added after the other.",
    "Three voters survive the loss of one, five of two. Two survive the loss of none: on the way from " +
    "one to three add both.",
  ],
  examples: [
    ["From one to three", "mq cluster add-voter 2 && mq cluster add-voter 3"],
    ["One that is no broker", "mq cluster add-voter 4 --at h4:9093"],
  ],
  async run(context): Promise<ExitCode> {
    const [nodeId = 0] = nodeIds(context);
    return await withClient(context, async (client) => {
      try {
        return await add(context, client, nodeId);
      } catch (error) {
        throw clusterFailure(error);
      }
    });
  },
};

async function add(context: Context, { admin }: Client, nodeId: number): Promise<ExitCode> {
  const quorum = await admin.describeQuorum();
  if (quorum.voters.some((voter) => voter.nodeId === nodeId)) {
    throw new Failure("DUPLICATE_VOTER", `Cannot add node ${nodeId}: it is a voter already`, {
      hint: "One that has a new disk is removed first: mq cluster remove-voter",
    });
  }
  const directoryId = typedId(context) ?? followedWith(quorum, nodeId);
  const listener = await listenerOf(context, { admin, quorum, nodeId });
  const isDryRun = context.flags.isSet("dry-run");
  if (!isDryRun) await admin.addVoter({ nodeId, directoryId, listeners: [listener] });
  const place = formatAddress(listener);
  return await tellOutcomes(context, [{
    name: String(nodeId),
    failure: undefined,
    facts: { added: !isDryRun, directoryId, address: place, listener: listener.name },
    said: `${
      isDryRun ? "would add" : "added"
    } voter ${nodeId} at ${place}, directory ${directoryId}`,
  }]);
}

function typedId({ flags }: Context): DirectoryId | undefined {
  return flags.text("directory-id") as DirectoryId | undefined;
}

function followedWith({ observers }: QuorumDescription, nodeId: number): DirectoryId {
  const found = observers.find((observer) => observer.nodeId === nodeId);
  if (found === undefined) {
    throw new Failure("NOT_FOUND", `Cannot add node ${nodeId}: it does not follow the quorum`, {
      hint:
        "Start it first, with --controller-quorum naming controllers of this cluster as HOST:PORT",
    });
  }
  const directoryId = knownId(found.directoryId);
  if (directoryId !== null) return directoryId;
  throw new Failure("NOT_FOUND", `Cannot add node ${nodeId}: its directory id is not told`, {
    hint: "Give --directory-id; mq storage info on its machine shows it",
  });
}

async function listenerOf(
  { flags }: Context,
  { admin, quorum, nodeId }: {
    readonly admin: Client["admin"];
    readonly quorum: QuorumDescription;
    readonly nodeId: number;
  },
): Promise<NamedListener> {
  const known = quorum.nodes.flatMap(({ listeners }) => listeners)[0]?.name;
  const name = flags.text("listener") ?? known ?? DEFAULT_LISTENER;
  const typed = flags.text("at");
  if (typed !== undefined) {
    const address = parseAddress(typed, { host: "127.0.0.1", port: 9092 });
    if (address !== undefined && address.port > 0) return { name, ...address };
    throw usageFailure(`Invalid address '${typed}' for --at`, "An address is HOST:PORT");
  }
  const { brokers } = await admin.describeCluster({ includesFenced: true });
  const broker = brokers.find(({ brokerId }) => brokerId === nodeId);
  if (broker !== undefined) return { name, host: broker.host, port: broker.port };
  throw usageFailure(
    `Missing --at: node ${nodeId} is no broker, so where it is reached is not known`,
    "Give --at HOST:PORT, the address that the other voters dial",
  );
}
