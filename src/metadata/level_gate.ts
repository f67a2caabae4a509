/** What needs a later `metadata.version` than the one in force (`feature.ts`). */
import { ErrorCode } from "../api/error_code.ts";
import { LEVEL_CLUSTER, METADATA_VERSION } from "./feature.ts";
import type { ClusterImage } from "./image.ts";
import { type Refusal, refusal } from "./refusal.ts";

/** Whether records that only clusters need may be written yet. */
export function isClusterLevel(image: ClusterImage): boolean {
  return image.metadataVersion() >= LEVEL_CLUSTER;
}

/** Why something of a cluster cannot be done yet; `what` follows "Cannot". */
export function refuseBelowCluster(image: ClusterImage, what: string): Refusal | undefined {
  if (isClusterLevel(image)) return undefined;
  return refusal(
    ErrorCode.UnsupportedVersion,
    `Cannot ${what}: ${METADATA_VERSION} is ${image.metadataVersion()}, and it needs level ` +
      `${LEVEL_CLUSTER}; raise it when all nodes are of a release that knows it`,
  );
}
