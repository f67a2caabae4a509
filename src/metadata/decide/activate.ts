/**
 * What a new active controller writes before anything else.
 *
 * A log without a `metadata.version` is new, or that of a node alone from before there were clusters.
 * In both nobody else has to agree, so the level of clusters is in force from here on. A level that was
 * decided is only raised by UpdateFeatures, when all nodes know the next one.
 * Source: kafka: ActivationRecordsGenerator.
 */
import type { Decision } from "../decision.ts";
import { LEVEL_CLUSTER, METADATA_VERSION } from "../feature.ts";
import type { ClusterImage } from "../image.ts";

export function decideActivation(image: ClusterImage): Decision<null> {
  if (image.featureLevels().has(METADATA_VERSION)) return { records: [], reply: null };
  return {
    records: [{ kind: "feature-level", version: 0, name: METADATA_VERSION, level: LEVEL_CLUSTER }],
    reply: null,
  };
}
