/**
 * Features: what nodes of several releases agree on before they use it (KIP-584, KIP-778).
 *
 * A node tells which levels of a feature it can work with; the cluster works with one level, which
 * only goes up when every node knows the next one. `metadata.version` says which forms of metadata
 * records may be written, so that a node of an earlier release never meets one that it does not know.
 *
 *     level 1  a node alone: topics, partitions, settings, producer ids, brokers that are never fenced
 *     level 2  clusters: listeners, fencing, moving leaders, reassignment, features, settings of brokers
 *     level 3  settings of groups
 *
 * The levels are mq's own and unlike Kafka's: the records are not Kafka's either. A new form of record
 * is a new level, one line here, and its number in the table of `record.ts`.
 */
import type { FeatureRange } from "./record.ts";

export interface FeatureLevel {
  readonly level: number;
  /** Whether going back below it loses something that was written. */
  readonly changesMetadata: boolean;
}

export interface Feature {
  readonly name: string;
  /** In force where no record says otherwise; 0 = the cluster is without it. */
  readonly levelAtFirst: number;
  /** In their order, without holes. */
  readonly levels: readonly FeatureLevel[];
}

export const METADATA_VERSION = "metadata.version";
/** Level 1: groups of KIP-848, whose members the coordinator assigns. */
export const GROUP_VERSION = "group.version";

/** Of `metadata.version`: one node, as it was before there were clusters. */
export const LEVEL_ALONE = 1;
export const LEVEL_CLUSTER = 2;
export const LEVEL_GROUPS = 3;
/** Of `group.version`. */
export const LEVEL_CONSUMER_GROUPS = 1;

// deno-fmt-ignore
export const FEATURES: readonly Feature[] = [
  {
    name: METADATA_VERSION,
    levelAtFirst: LEVEL_ALONE,
    levels: [
      { level: LEVEL_ALONE, changesMetadata: true },
      { level: LEVEL_CLUSTER, changesMetadata: true },
      { level: LEVEL_GROUPS, changesMetadata: true },
    ],
  },
  {
    name: GROUP_VERSION,
    levelAtFirst: 0,
    levels: [{ level: LEVEL_CONSUMER_GROUPS, changesMetadata: false }],
  },
];

/** What this release can work with, as a broker tells it when it registers. */
export function supportedFeatures(
  features: readonly Feature[] = FEATURES,
): readonly FeatureRange[] {
  return features.map(rangeOf);
}

export function rangeOf({ name, levels }: Feature): FeatureRange {
  return {
    name,
    minVersion: levels[0]?.level ?? 0,
    maxVersion: levels.at(-1)?.level ?? 0,
  };
}

export function featureOf(
  name: string,
  features: readonly Feature[] = FEATURES,
): Feature | undefined {
  return features.find((feature) => feature.name === name);
}

/** Why this release cannot work with the level, or undefined where it can. */
export function refuseLevel(name: string, level: number): string | undefined {
  const feature = featureOf(name);
  if (feature === undefined) return `this release does not know the feature ${name}`;
  const { minVersion, maxVersion } = rangeOf(feature);
  if (level >= minVersion && level <= maxVersion) return undefined;
  // Level 0 is the absence of a feature; only metadata.version cannot be absent.
  if (level === 0 && feature.levelAtFirst === 0) return undefined;
  return `this release knows ${name} from level ${minVersion} to ${maxVersion}, and not level ${level}`;
}
