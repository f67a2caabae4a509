/** What handlers are given, made from the parts of a node; and what metadata says of that node. */
import type { Api } from "../api/schema.ts";
import { allocateProducerIds } from "../api/own/allocate_producer_ids.ts";
import { ErrorCode, errorName } from "../api/error_code.ts";
import type { Env } from "../env/env.ts";
import { Prng } from "../ground/prng.ts";
import type { Uuid } from "../ground/uuid.ts";
import { GroupShard } from "../group/group_shard.ts";
import { groupConfigValue } from "../metadata/group_config.ts";
import { compressWith, decompressWith } from "../record/compression.ts";
import type { BrokerSettings } from "../runtime/broker_settings.ts";
import { GroupCoordinator } from "../runtime/coordinator/coordinator.ts";
import { groupSettingsOf } from "../runtime/coordinator/group_settings_of.ts";
import { LazyRegexes } from "../runtime/coordinator/lazy_regexes.ts";
import type { LogManager } from "../runtime/log_manager.ts";
import type { AppendTools } from "../runtime/partition_append.ts";
import { CallFault } from "../runtime/peers/call_fault.ts";
import { type AllocatedIds, ProducerIds } from "../runtime/producer_ids.ts";
import type { MetadataView } from "../runtime/quorum/metadata_view.ts";
import type { Retention } from "../runtime/retention.ts";
import type { BrokerContext, SelfInCluster } from "./broker_context.ts";
import type { BrokerMetrics } from "./broker_metrics.ts";
import type { ClusterNode } from "./cluster_node.ts";
import { Forwarder } from "./forwarder.ts";
import type { NodePlan } from "./node_plan.ts";

/** A client that was told of something finds it where it was told, or waits no longer than that. */
const FOLLOW_MS = 5000;

export interface ContextParts {
  readonly env: Env;
  readonly settings: BrokerSettings;
  readonly node: ClusterNode;
  readonly self: Self;
  readonly logs: LogManager;
  readonly retention: Retention;
  readonly metrics: BrokerMetrics;
  readonly served: readonly Api[];
  readonly brokerEpoch: () => number;
}

export function newContext(parts: ContextParts): BrokerContext {
  const { env, settings, node, self, logs, retention, metrics, served } = parts;
  const tools = appendTools(env, settings);
  const regexes = new LazyRegexes(env.clock);
  return {
    env,
    settings,
    self,
    logs,
    retention,
    metrics,
    served,
    clusterId: logs.clusterId,
    brokerId: self.brokerId,
    image: node.view.image,
    quorum: node.decider,
    raft: node.raft,
    forwarder: new Forwarder({
      calls: node.channel,
      view: node.view,
      followMs: FOLLOW_MS,
      frameBytesMax: settings.get("mq.peer.request.max.bytes"),
    }),
    partitions: logs.partitions,
    producerIds: new ProducerIds(() => allocate(parts)),
    groups: newCoordinator(parts, tools, regexes),
    loadRegexes: () => regexes.load(),
    appendTools: tools,
    featuresOf: (nodeId) => node.featuresOf(nodeId),
    observers: () => node.observers(),
    leaderId: () => node.leaderId(),
  };
}

/** What metadata says of this node. */
export class Self implements SelfInCluster {
  readonly brokerId: number;
  readonly incarnationId: Uuid;
  readonly isBroker: boolean;
  #mayServe = false;

  constructor(
    { brokerId, incarnationId, plan }: {
      readonly brokerId: number;
      readonly incarnationId: Uuid;
      readonly plan: NodePlan;
    },
  ) {
    this.brokerId = brokerId;
    this.incarnationId = incarnationId;
    this.isBroker = plan.isBroker;
  }

  get mayServe(): boolean {
    return this.#mayServe;
  }

  follow(view: MetadataView): void {
    const look = (): void => {
      const self = view.image.broker(this.brokerId);
      this.#mayServe = self?.incarnationId === this.incarnationId && !self.isFenced;
    };
    look();
    view.onImageReplaced(look);
    view.onReplayed((record) => {
      if ("brokerId" in record && record.brokerId === this.brokerId) look();
    });
  }
}

function newCoordinator(
  { env, settings, node: { view }, self, logs, metrics }: ContextParts,
  tools: AppendTools,
  regexes: LazyRegexes,
): GroupCoordinator<GroupShard> {
  const groupSettings = groupSettingsOf(settings);
  const brokerValue = (name: string): string | undefined => settings.text(name);
  return new GroupCoordinator({
    env,
    view,
    tools,
    partitions: logs.partitions,
    mayServe: () => self.mayServe,
    regexes,
    onLoaded: (seconds) => metrics.groupLoadSeconds.observe(seconds),
    newShard: () =>
      new GroupShard({
        settings: groupSettings,
        image: view.image,
        random: new Prng(env.random.u32()),
        regexes,
        configOf: (groupId) => {
          const own = view.image.groupConfig(groupId);
          return {
            consumerSessionTimeoutMs: groupConfigValue(
              "consumer.session.timeout.ms",
              own,
              brokerValue,
            ),
            consumerHeartbeatIntervalMs: groupConfigValue(
              "consumer.heartbeat.interval.ms",
              own,
              brokerValue,
            ),
          };
        },
      }),
  });
}

async function allocate({ node, self, brokerEpoch }: ContextParts): Promise<AllocatedIds> {
  const request = { brokerId: self.brokerId, brokerEpoch: brokerEpoch() };
  const { errorCode, ...block } = await node.channel.call(allocateProducerIds, request);
  if (errorCode === ErrorCode.None) return block;
  const reason = errorName(errorCode as ErrorCode);
  throw new CallFault("refused", `Cannot get producer ids: ${reason}`, true);
}

function appendTools(env: Env, settings: BrokerSettings): AppendTools {
  return {
    clock: env.clock,
    crc32c: env.crc32c,
    compress: compressWith(env.compressors),
    decompress: decompressWith(env.compressors),
    inflatedBytesMax: settings.get("mq.decompression.max.bytes"),
  };
}
