/** Whether groups of KIP-848 are served: by the cluster's level, and by the settings of this broker. */
import { GROUP_VERSION } from "../metadata/feature.ts";
import type { BrokerContext } from "./broker_context.ts";

export function hasConsumerGroups({ image, settings }: BrokerContext): boolean {
  return image.featureLevel(GROUP_VERSION) >= 1 &&
    settings.get("group.coordinator.rebalance.protocols").includes("consumer");
}
