/** What the commands about a cluster ask of it, and how they take a cluster that does not know the question. */
import type { Context } from "./context.ts";
import { Failure, failureOf, usageFailure } from "./failure.ts";
import type { Client } from "./session.ts";

/** A cluster whose voters stand in their files does not know their directories. */
const NO_ID = "A".repeat(22);

export type QuorumDescription = Awaited<ReturnType<Client["admin"]["describeQuorum"]>>;
export type QuorumReplica = QuorumDescription["voters"][number];
export type NamedListener = QuorumDescription["nodes"][number]["listeners"][number];
export type FeaturesDescription = Awaited<ReturnType<Client["admin"]["describeFeatures"]>>;
export type FeatureChange = Parameters<Client["admin"]["updateFeatures"]>[0][number];

/** Null where it is not known. */
export function knownId(directoryId: QuorumReplica["directoryId"]): typeof directoryId | null {
  return directoryId === NO_ID ? null : directoryId;
}

/** Undefined where the cluster has no such question (Apache Kafka with ZooKeeper). */
export async function quorumIfKnown(client: Client): Promise<QuorumDescription | undefined> {
  try {
    return await client.admin.describeQuorum();
  } catch (error) {
    if (failureOf(error).code === "UNSUPPORTED_VERSION") return undefined;
    throw error;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  UNSUPPORTED_VERSION:
    "This cluster does not know that request; for changes of voters Apache Kafka wants kraft.version 1",
  BROKER_ID_NOT_REGISTERED: "mq cluster brokers lists those that are registered",
  VOTER_NOT_FOUND: "mq cluster quorum lists the voters and their directory ids",
  DUPLICATE_VOTER: "mq cluster quorum lists the voters; one that has a new disk is removed first",
  INVALID_UPDATE_VERSION: "mq cluster features lists what every node supports",
  FEATURE_UPDATE_FAILED: "mq cluster features lists what every node supports",
  NOT_CONTROLLER:
    "There is no active controller at this moment: try again, or see mq cluster quorum",
};

/** The failure with a remedy, where the cluster gave none. */
export function clusterFailure(error: unknown, remedy?: string): Failure {
  const failure = failureOf(error);
  const hint = failure.hint ?? remedy ?? HINTS[failure.code];
  const { code, message, retriable } = failure;
  return hint === failure.hint
    ? failure
    : new Failure(code, message, { hint, retriable, cause: error });
}

const NODE_ID_MAX = 2 ** 31 - 1;

/** Arguments that are ids of nodes, each once. */
export function nodeIds({ arguments: typed }: Context): readonly number[] {
  return [...new Set(typed)].map((text) => {
    const id = /^\d+$/.test(text) ? Number(text) : NaN;
    if (id <= NODE_ID_MAX) return id;
    throw usageFailure(`Invalid node id '${text}': a whole number from 0 is wanted`);
  });
}
