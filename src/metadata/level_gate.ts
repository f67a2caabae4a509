/** What needs a later `metadata.version` than the one in force (`feature.ts`). */
import { ErrorCode } from "../api/error_code.ts";
import { LEVEL_CLUSTER, LEVEL_GROUPS, METADATA_VERSION } from "./feature.ts";
import type { ClusterImage } from "./image.ts";
import { type Refusal, refusal } from "./refusal.ts";

/** Whether records that only clusters need may be written yet. */
export function isClusterLevel(image: ClusterImage): boolean {
  return image.metadataVersion() >= LEVEL_CLUSTER;
}

/** Why something of a cluster cannot be done yet; `what` follows "Cannot". */
export function refuseBelowCluster(image: ClusterImage, what: string): Refusal | undefined {
  return refuseBelow(image, LEVEL_CLUSTER, what);
}

/** The same of what settings of groups need. */
export function refuseBelowGroups(image: ClusterImage, what: string): Refusal | undefined {
  return refuseBelow(image, LEVEL_GROUPS, what);
}

function refuseBelow(image: ClusterImage, level: number, what: string): Refusal | undefined {
  if (image.metadataVersion() >= level) return undefined;
  return refusal(
    ErrorCode.UnsupportedVersion,
    `Cannot ${what}: ${METADATA_VERSION} is ${image.metadataVersion()}, and it needs level ` +
      `${level}; raise it when all nodes are of a release that knows it`,
  );
}
