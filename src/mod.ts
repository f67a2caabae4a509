/**
 * The public surface of mq as a library: a broker in this process, and a client for any Kafka cluster.
 *
 *     await using broker = await startBroker({ settings: new Map([["log.dirs", "data"]]) });
 *     await using client = await connect({ brokers: [broker.address], env: createHostEnv() });
 */
import { Broker, type BrokerStop } from "./broker/broker.ts";
import { formatAddress, parseListener } from "./broker/addresses.ts";
import { BrokerFault } from "./broker/broker_fault.ts";
import { listenFault } from "./broker/door.ts";
import { type Address, type Listener, PeerFault } from "./env/network.ts";
import type { Env } from "./env/env.ts";
import type { Trace } from "./env/trace.ts";
import { SystemClock } from "./host/clock.ts";
import { createHostEnv } from "./host/host_env.ts";
import { serveHttp } from "./host/http.ts";
import { LineTrace, type TraceOptions } from "./host/trace.ts";

export { BrokerFault } from "./broker/broker_fault.ts";
export { BrokerSettings, type BrokerStop } from "./broker/broker.ts";
export {
  type DumpedControl,
  type DumpedEntry,
  type DumpedFile,
  type DumpVisitor,
  type Finding,
  OfflineFault,
  OfflineTools,
  type OffsetSpan,
  type RepairedPartition,
  type RepairPlan,
  type RepairReport,
  type RepairStep,
  type Severity,
  type StoredDirectory,
  type StoredPartition,
  type VerifyProgress,
  type VerifyReport,
} from "./broker/offline_tools.ts";
export {
  FormatFault,
  type FormatOptions,
  formatStorage,
  type FormattedDirectory,
  randomClusterId,
} from "./broker/format_storage.ts";
export { addressText, parseAddress } from "./client/address.ts";
export type { Admin } from "./client/admin.ts";
export type {
  AlteredConfigs,
  ClusterDescription,
  ConfigChange,
  ConfigChanges,
  ConfigEntry,
  ConfigOperation,
  ConfigResult,
  ConfigSource,
  ConfigSynonym,
  ConfigType,
  CreatedPartitions,
  CreatedTopic,
  DeletedRecords,
  DeletedTopic,
  DescribeConfigsOptions,
  DescribedTopic,
  ElectedLeader,
  ElectionType,
  FeatureChange,
  FeatureDescription,
  FeaturesDescription,
  FeatureUpdate,
  ListedOffset,
  MorePartitions,
  NewTopic,
  NewVoter,
  NodeListener,
  OffsetSpec,
  QuorumDescription,
  QuorumReplica,
  QuorumVoter,
  TopicPartitions,
  UpdatedFeature,
} from "./client/admin_results.ts";
export { type Client, type ClientOptions, connect } from "./client/client.ts";
export { ClientError } from "./client/client_error.ts";
export type { Consumer } from "./client/consumer.ts";
export type {
  Assignment,
  ConsumedRecord,
  ConsumerOptions,
  Isolation,
} from "./client/consumer_options.ts";
export type { FetchedBatch, FetchedRecords } from "./client/fetched_batch.ts";
export type {
  BrokerMetadata,
  ClusterMetadata,
  PartitionMetadata,
  TopicMetadata,
} from "./client/metadata_cache.ts";
export type { GroupAdmin } from "./client/group_admin.ts";
export type { GroupConsumer } from "./client/group_consumer.ts";
export type {
  AssignorName,
  CloseOptions,
  GroupConsumerOptions,
  GroupNotice,
  GroupProtocol,
  TopicPartition,
  TopicPattern,
} from "./client/group_options.ts";
export type {
  CommittedOffset,
  DescribedGroup,
  DescribedMember,
  GroupHistoryEntry,
  GroupLag,
  GroupLagOptions,
  GroupResult,
  GroupType,
  ListedGroup,
  ListedGroups,
  ListGroupsOptions,
  MemberToRemove,
  NewOffset,
  PartitionLag,
  PartitionResult,
  RemovedMember,
  TopicAssignment,
} from "./client/group_results.ts";
export {
  type OffsetPoint,
  type OffsetRange,
  resolveOffsets,
  type ResolveOptions,
} from "./client/offset_range.ts";
export type { Producer } from "./client/producer.ts";
export type {
  BatchReport,
  DeliveryReport,
  OnDelivery,
  ProducerOptions,
  ProducerRecord,
  RecordSlice,
} from "./client/producer_options.ts";
export type { RetryReport } from "./client/retry_report.ts";
export type { Env } from "./env/env.ts";
export type { Trace, TraceFields, TraceLevel } from "./env/trace.ts";
export { createHostEnv, implementations } from "./host/host_env.ts";
export { lockOwner } from "./host/lock_owner.ts";

export interface StartOptions {
  /** Kafka's names and mq's own; `log.dirs` is needed. */
  readonly settings: ReadonlyMap<string, string>;
  readonly env?: Env;
  /** What other nodes of the cluster are told of this program. */
  readonly release?: string;
  /** Ends a start that has not come to its end, as a crash would, and without waiting for disks. */
  readonly signal?: AbortSignal;
}

export interface RunningBroker {
  readonly address: Address;
  /** host:port */
  readonly kafka: string;
  /** http://host:port, or null where there is none. */
  readonly http: string | null;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly stopped: Promise<BrokerStop>;
  /** Gracefully: requests under way are answered, logs are closed. */
  stop(): Promise<void>;
  /** At once, as a crash would. */
  halt(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Log lines for a broker: one JSON object or one line of text for each event. */
export function createTrace(options: Omit<TraceOptions, "clock">): Trace {
  return new LineTrace({ ...options, clock: new SystemClock() });
}

/** Serves when it resolves. Throws a `BrokerFault`. */
export async function startBroker(
  { settings, env, release, signal }: StartOptions,
): Promise<RunningBroker> {
  const broker = new Broker({
    env: env ?? createHostEnv(),
    settings,
    ...(release === undefined ? {} : { release }),
  });
  // Before the logs are opened: a long recovery must be seen to be alive.
  const http = await openHttp(broker);
  let address: Address;
  try {
    address = await started(broker, signal);
  } catch (error) {
    await http?.close();
    throw error;
  }
  const stopped = broker.stopped.finally(() => http?.close());
  const stop = async (): Promise<void> => {
    await broker.stop();
    await stopped;
  };
  return {
    address,
    kafka: formatAddress(address),
    http: http === undefined ? null : `http://${formatAddress(http.address)}`,
    clusterId: broker.clusterId,
    nodeId: broker.nodeId,
    stopped,
    stop,
    halt: () => broker.halt(),
    [Symbol.asyncDispose]: stop,
  };
}

function started(broker: Broker, signal: AbortSignal | undefined): Promise<Address> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      broker.halt();
      reject(new BrokerFault("IO", "Stopped before it was serving", "start it again"));
    };
    signal?.addEventListener("abort", onAbort);
    broker.start().then(resolve, reject)
      .finally(() => signal?.removeEventListener("abort", onAbort));
    if (signal?.aborted === true) onAbort();
  });
}

async function openHttp(broker: Broker): Promise<Listener | undefined> {
  const text = broker.settings.get("mq.http.listener");
  if (text === "off") return undefined;
  const address = parseListener(text);
  if (typeof address === "string") {
    throw new BrokerFault(
      "BAD_SETTING",
      `Invalid mq.http.listener '${text}'`,
      "write HOST:PORT or off",
    );
  }
  try {
    return await serveHttp(address, broker.routes);
  } catch (error) {
    if (error instanceof PeerFault) throw listenFault(error, address);
    throw error;
  }
}
