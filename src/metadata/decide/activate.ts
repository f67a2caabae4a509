/**
 * What a new active controller writes before anything else.
 *
 * A log without a `metadata.version` is new, or that of a node alone from before there were clusters.
 * In both nobody else has to agree, so all levels of this release are in force from here on. A level
 * that was decided is only raised by UpdateFeatures, when all nodes know the next one.
 * Source: kafka: ActivationRecordsGenerator.
 */
import type { Decision } from "../decision.ts";
import {
  GROUP_VERSION,
  LEVEL_CONSUMER_GROUPS,
  LEVEL_GROUPS,
  METADATA_VERSION,
} from "../feature.ts";
import type { ClusterImage } from "../image.ts";

export function decideActivation(image: ClusterImage): Decision<null> {
  if (image.featureLevels().has(METADATA_VERSION)) return { records: [], reply: null };
  return {
    records: [
      { kind: "feature-level", version: 0, name: METADATA_VERSION, level: LEVEL_GROUPS },
      { kind: "feature-level", version: 0, name: GROUP_VERSION, level: LEVEL_CONSUMER_GROUPS },
    ],
    reply: null,
  };
}
