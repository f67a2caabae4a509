/**
 * The quorum of the metadata log, the features of the cluster, its brokers and voters: asked for and
 * changed. Changes go to the active controller; a broker passes them on.
 */
import { addRaftVoter } from "../api/add_raft_voter.ts";
import { apiVersions } from "../api/api_versions.ts";
import { describeQuorum } from "../api/describe_quorum.ts";
import { ErrorCode } from "../api/error_code.ts";
import { removeRaftVoter } from "../api/remove_raft_voter.ts";
import type { ResponseOf } from "../api/schema.ts";
import { unregisterBroker } from "../api/unregister_broker.ts";
import { updateFeatures } from "../api/update_features.ts";
import type {
  FeatureChange,
  FeaturesDescription,
  FeatureUpdate,
  NewVoter,
  QuorumDescription,
  QuorumReplica,
  QuorumVoter,
  UpdatedFeature,
} from "./admin_results.ts";
import { ClientError, errorOfCode, errorOfResult } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Connection } from "./connection.ts";
import { SOFTWARE_NAME, SOFTWARE_VERSION } from "./handshake.ts";
import { askRetrying, giveOrder } from "./orders.ts";

const METADATA_TOPIC = "__cluster_metadata";

/** Kafka: FeatureUpdate.UpgradeType. */
const CHANGES: Readonly<Record<FeatureChange, number>> = {
  "upgrade": 1,
  "safe-downgrade": 2,
  "unsafe-downgrade": 3,
};

/** Of the time of a request: so much the controller has, and the rest is the way there and back. */
const CONTROLLER_SHARE = 0.9;

export async function quorumOf(tools: ClientTools): Promise<QuorumDescription> {
  const action = "Cannot describe quorum";
  const { topics, nodes } = await askRetrying(tools, async () => {
    const connection = await tools.pool.any();
    const answer = await connection.request(describeQuorum, {
      topics: [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }],
    });
    reject(answer, action);
    const [partition] = answer.topics[0]?.partitions ?? [];
    if (partition !== undefined) reject(partition, action);
    return answer;
  });
  const [partition] = topics[0]?.partitions ?? [];
  if (partition === undefined) {
    throw new ClientError("PROTOCOL", `${action}: the broker's answer leaves it out`);
  }
  const { leaderId, leaderEpoch, highWatermark, currentVoters, observers } = partition;
  return {
    leaderId,
    leaderEpoch,
    highWatermark,
    voters: currentVoters.map(replicaOf),
    observers: observers.map(replicaOf),
    nodes,
  };
}

function replicaOf(
  replica: ResponseOf<typeof describeQuorum>["topics"][number]["partitions"][number][
    "observers"
  ][number],
): QuorumReplica {
  return {
    nodeId: replica.replicaId,
    directoryId: replica.replicaDirectoryId,
    logEndOffset: replica.logEndOffset,
    lastFetchTimestamp: replica.lastFetchTimestamp,
    lastCaughtUpTimestamp: replica.lastCaughtUpTimestamp,
  };
}

/** What ApiVersions tells, asked anew: the answer of the handshake may be old. */
export async function featuresOf(
  tools: ClientTools,
  dial: () => Promise<Connection>,
): Promise<FeaturesDescription> {
  const answer = await askRetrying(tools, async () => {
    const body = { clientSoftwareName: SOFTWARE_NAME, clientSoftwareVersion: SOFTWARE_VERSION };
    const answer = await (await dial()).request(apiVersions, body);
    reject({ ...answer, errorMessage: null }, "Cannot describe features");
    return answer;
  });
  const levels = new Map(
    answer.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]),
  );
  return {
    finalizedEpoch: answer.finalizedFeaturesEpoch,
    features: answer.supportedFeatures
      .map((feature) => ({ ...feature, finalizedLevel: levels.get(feature.name) ?? 0 }))
      .sort((left, right) => left.name < right.name ? -1 : 1),
  };
}

/** From version 2 on all are changed or none, and why not is thrown. */
export async function changeFeatures(
  tools: ClientTools,
  updates: readonly FeatureUpdate[],
  validateOnly: boolean,
): Promise<readonly UpdatedFeature[]> {
  const answer = await giveOrder(tools, {
    api: updateFeatures,
    body: {
      timeoutMs: controllerTimeoutMs(tools),
      featureUpdates: updates.map(({ name, level, change = "upgrade" }) => ({
        feature: name,
        maxVersionLevel: level,
        allowDowngrade: change !== "upgrade",
        upgradeType: CHANGES[change],
      })),
      validateOnly,
    },
    errorCodes: ({ errorCode, results }) => [errorCode, ...results.map((each) => each.errorCode)],
    isIdempotent: true,
  });
  reject(answer, "Cannot change features");
  const results = new Map(answer.results.map((result) => [result.feature, result]));
  return updates.map(({ name }) => {
    const result = results.get(name);
    return result === undefined
      ? { name }
      : { name, ...errorOfResult(result, `Cannot change feature ${name}`) };
  });
}

export async function forgetBroker(tools: ClientTools, brokerId: number): Promise<void> {
  const answer = await giveOrder(tools, {
    api: unregisterBroker,
    body: { brokerId },
    errorCodes: ({ errorCode }) => [errorCode],
  });
  reject(answer, `Cannot unregister broker ${brokerId}`);
}

export async function takeInVoter(
  tools: ClientTools,
  { nodeId, directoryId, clusterId, listeners }: NewVoter,
): Promise<void> {
  const answer = await giveOrder(tools, {
    api: addRaftVoter,
    body: {
      clusterId: clusterId ?? null,
      timeoutMs: controllerTimeoutMs(tools),
      voterId: nodeId,
      voterDirectoryId: directoryId,
      listeners,
    },
    errorCodes: ({ errorCode }) => [errorCode],
  });
  reject(answer, `Cannot add voter ${nodeId}`);
}

export async function dropVoter(
  tools: ClientTools,
  { nodeId, directoryId, clusterId }: QuorumVoter,
): Promise<void> {
  const answer = await giveOrder(tools, {
    api: removeRaftVoter,
    body: { clusterId: clusterId ?? null, voterId: nodeId, voterDirectoryId: directoryId },
    errorCodes: ({ errorCode }) => [errorCode],
  });
  reject(answer, `Cannot remove voter ${nodeId}`);
}

function controllerTimeoutMs({ requestTimeoutMs }: ClientTools): number {
  return Math.ceil(requestTimeoutMs * CONTROLLER_SHARE);
}

/** Throws what the codes of an answer stand for, where it is not success. */
function reject(
  { errorCode, errorMessage }: {
    readonly errorCode: number;
    readonly errorMessage: string | null;
  },
  action: string,
): void {
  if (errorCode !== ErrorCode.None) throw errorOfCode(errorCode, action, errorMessage);
}
