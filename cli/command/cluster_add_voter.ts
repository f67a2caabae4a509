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
const DIRECTORY_ID = /^[A-Za-z0-9_-]{22}$/;

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
    const typed = { address: typedAddress(context), directoryId: typedId(context) };
    return await withClient(context, async (client) => {
      try {
        return await add(context, client, { nodeId, ...typed });
      } catch (error) {
        throw clusterFailure(error);
      }
    });
  },
};

interface Typed {
  readonly nodeId: number;
  readonly address: ReturnType<typeof parseAddress>;
  readonly directoryId: DirectoryId | undefined;
}

async function add(context: Context, { admin }: Client, typed: Typed): Promise<ExitCode> {
  const { nodeId } = typed;
  const quorum = await admin.describeQuorum();
  if (quorum.voters.some((voter) => voter.nodeId === nodeId)) {
    throw new Failure("DUPLICATE_VOTER", `Cannot add node ${nodeId}: it is a voter already`, {
      hint: "One that has a new disk is removed first: mq cluster remove-voter",
    });
  }
  const directoryId = typed.directoryId ?? followedWith(quorum, nodeId);
  const listener = await listenerOf(context, { admin, quorum, typed });
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
  const typed = flags.text("directory-id");
  if (typed === undefined || DIRECTORY_ID.test(typed)) return typed as DirectoryId | undefined;
  throw usageFailure(
    `Invalid directory id '${typed}' for --directory-id: 22 letters, digits, - and _ are wanted`,
    "mq storage info on its machine shows it",
  );
}

function typedAddress({ flags }: Context): Typed["address"] {
  const typed = flags.text("at");
  if (typed === undefined) return undefined;
  const address = parseAddress(typed, { host: "127.0.0.1", port: 9092 });
  if (address !== undefined && address.port > 0) return address;
  throw usageFailure(`Invalid address '${typed}' for --at`, "An address is HOST:PORT");
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
  { admin, quorum, typed: { nodeId, address } }: {
    readonly admin: Client["admin"];
    readonly quorum: QuorumDescription;
    readonly typed: Typed;
  },
): Promise<NamedListener> {
  const known = quorum.nodes.flatMap(({ listeners }) => listeners)[0]?.name;
  const name = flags.text("listener") ?? known ?? DEFAULT_LISTENER;
  if (address !== undefined) return { name, ...address };
  const { brokers } = await admin.describeCluster({ includesFenced: true });
  const broker = brokers.find(({ brokerId }) => brokerId === nodeId);
  if (broker !== undefined) return { name, host: broker.host, port: broker.port };
  throw usageFailure(
    `Missing --at: node ${nodeId} is no broker, so where it is reached is not known`,
    "Give --at HOST:PORT, the address that the other voters dial",
  );
}
