/**
 * What the life of a broker asks of the active controller: to be registered with what this node is and
 * has, and to be heard of. Not here: when it asks (`broker_lifecycle.ts`), whom (`ControllerChannel`).
 */
import { brokerHeartbeat } from "../api/own/broker_heartbeat.ts";
import { registerBroker } from "../api/own/register_broker.ts";
import type { Uuid } from "../ground/uuid.ts";
import { supportedFeatures } from "../metadata/feature.ts";
import type { ListenerAddress } from "../metadata/record.ts";
import type { BrokerSettings } from "../runtime/broker_settings.ts";
import type { MetadataDirectories } from "../runtime/log_manager.ts";
import type { LifecycleCalls } from "./broker_lifecycle.ts";
import type { ClusterNode } from "./cluster_node.ts";

export interface LifecycleCallsOptions {
  readonly settings: BrokerSettings;
  readonly node: ClusterNode;
  readonly incarnationId: Uuid;
  readonly directories: Pick<MetadataDirectories, "directoryIds" | "lastBrokerEpoch">;
  /** With the ports that are bound. */
  listeners(): readonly ListenerAddress[];
}

export function lifecycleCalls(
  { settings, node, incarnationId, directories, listeners }: LifecycleCallsOptions,
): LifecycleCalls {
  const brokerId = settings.get("node.id");
  const { directoryIds, lastBrokerEpoch } = directories;
  const timeoutMs = settings.get("broker.session.timeout.ms") / 2;
  return {
    isLeaderHere: () => node.isActiveController,
    register: () =>
      node.channel.call(registerBroker, {
        brokerId,
        incarnationId,
        clusterId: node.clusterId,
        listeners: listeners(),
        rack: settings.get("broker.rack") ?? null,
        features: supportedFeatures(),
        directoryIds,
        previousBrokerEpoch: lastBrokerEpoch,
        isClean: lastBrokerEpoch >= 0,
      }),
    heartbeat: (question) => {
      const { appliedOffset: metadataOffset } = node.view;
      const request = { brokerId, metadataOffset, ...question };
      return node.channel.call(brokerHeartbeat, request, { timeoutMs });
    },
  };
}
