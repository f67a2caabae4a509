/**
 * What the settings make of this node: its roles, the voters of its quorum, whom it asks first.
 *
 *     process.roles          controller.quorum.voters     this node is
 *     broker,controller      none                         a cluster of its own, which may grow
 *     broker,controller      itself among them            a voter that serves clients
 *     controller             itself among them            a voter that has no partitions
 *     broker                 others                       a follower of committed metadata
 *     … with controller      others, or bootstrap only    a voter to be: it waits to be added
 *
 * What contradicts itself is refused here, before anything is touched.
 */
import { type Disk, DiskFault } from "../env/disk.ts";
import type { Address } from "../env/network.ts";
import { IDENTITY_FILE } from "../log/directory/directory_identity.ts";
import type { BrokerSettings } from "../runtime/broker_settings.ts";
import { parseListener, protocolOf } from "./addresses.ts";
import { BrokerFault } from "./broker_fault.ts";

/** A voter as settings name it: the disk that it must have is not known there. */
export interface NamedVoter extends Address {
  readonly id: number;
}

export interface NodePlan {
  readonly nodeId: number;
  readonly isBroker: boolean;
  readonly isController: boolean;
  /** As settings name them; empty where the node stands alone, or is to be added. */
  readonly voters: readonly NamedVoter[];
  /** Controllers to ask first, beside those voters and this node. */
  readonly bootstrap: readonly Address[];
  /** Whether it is among those to ask first. */
  readonly asksItself: boolean;
  /** Where no other node is named: an empty directory begins a cluster of its own. */
  readonly standsAlone: boolean;
  /** Whether settings make it one of the first voters. */
  readonly isFirstVoter: boolean;
}

const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost", "::1"];

/** Throws a `BrokerFault`. */
export function planOf(settings: BrokerSettings): NodePlan {
  const roles = settings.get("process.roles");
  const nodeId = settings.get("node.id");
  const isBroker = roles.includes("broker");
  const isController = roles.includes("controller");
  if (!isBroker && !isController) {
    throw badSetting("Cannot start a node without a role", "set process.roles=broker,controller");
  }
  const voters = (settings.get("controller.quorum.voters") ?? []).map(parseVoter);
  refuseTwice(voters);
  const named = (settings.get("controller.quorum.bootstrap.servers") ?? []).map(parseServer);
  // Apache Kafka's own file names the node's controller listener: whoever asks only itself is alone.
  const own = isController ? ownAddresses(settings) : [];
  const bootstrap = named.filter((address) => !own.some((mine) => isSame(mine, address)));
  const isFirstVoter = voters.some(({ id }) => id === nodeId);
  const standsAlone = bootstrap.length === 0 && voters.every(({ id }) => id === nodeId);
  if (!isController && isFirstVoter) {
    throw badSetting(
      `Cannot start node ${nodeId} as broker only: controller.quorum.voters names it`,
      "add controller to process.roles, or take it out of controller.quorum.voters",
    );
  }
  if (!isController && standsAlone) {
    throw badSetting(
      "Cannot start a broker without controllers",
      "name them in controller.quorum.voters (--controller-quorum ID@HOST:PORT,…), or add " +
        "controller to process.roles",
    );
  }
  return {
    nodeId,
    isBroker,
    isController,
    voters,
    bootstrap,
    asksItself: bootstrap.length < named.length,
    standsAlone,
    isFirstVoter,
  };
}

/**
 * A node that joins others must know which cluster it is of: two nodes that each begin one of their own
 * would never find together. Throws a `BrokerFault`.
 */
export function refuseUnformatted(
  disk: Disk,
  directories: readonly string[],
  { settings, plan }: { readonly settings: BrokerSettings; readonly plan: NodePlan },
): void {
  if (plan.standsAlone) return;
  const isNamed = [settings.get("cluster.id"), settings.get("mq.cluster.id")].some((id) => {
    return id !== undefined && id !== "";
  });
  if (isNamed || directories.some((path) => isFormatted(disk, path))) return;
  throw badSetting(
    `Cannot start node ${plan.nodeId}: ${directories.join(", ")} belongs to no cluster yet`,
    "name the cluster once for all its nodes, with --cluster-id (mq.cluster.id) or with " +
      "mq storage format --cluster-id; mq storage random-id gives a fresh one",
  );
}

/** One that cannot be looked at is told of by whoever opens it. */
function isFormatted(disk: Disk, path: string): boolean {
  try {
    return disk.info(`${path}/${IDENTITY_FILE}`) !== undefined;
  } catch (error) {
    if (error instanceof DiskFault) return true;
    throw error;
  }
}

/** As others could reach this node. */
function ownAddresses(settings: BrokerSettings): readonly Address[] {
  const told = [settings.get("advertised.listeners"), settings.get("listeners")];
  return told.flatMap((listeners) => listeners ?? []).flatMap((text) => {
    const address = parseListener(protocolOf(text, settings));
    return typeof address === "string" ? [] : [address];
  });
}

function isSame(mine: Address, { host, port }: Address): boolean {
  const isHere = LOOPBACK.includes(host) &&
    (mine.host === "0.0.0.0" || LOOPBACK.includes(mine.host));
  return mine.port === port && (mine.host === host || isHere);
}

function parseVoter(text: string): NamedVoter {
  const [id = "", ...rest] = text.split("@");
  return { id: Number(id), ...parseServer(rest.join("@")) };
}

function parseServer(text: string): Address {
  const address = parseListener(text);
  if (typeof address !== "string" && address.port > 0 && !/^:/.test(text)) return address;
  throw badSetting(
    `Invalid address of a controller '${text}'`,
    "write HOST:PORT, in controller.quorum.voters ID@HOST:PORT",
  );
}

function refuseTwice(voters: readonly NamedVoter[]): void {
  const ids = new Set<number>();
  for (const { id } of voters) {
    if (ids.has(id)) {
      throw badSetting(
        `Cannot use controller.quorum.voters: it names node ${id} twice`,
        "give each voter an id of its own",
      );
    }
    ids.add(id);
  }
}

function badSetting(message: string, hint: string): BrokerFault {
  return new BrokerFault("BAD_SETTING", message, hint);
}
