/**
 * The level of features is raised or lowered (KIP-584, KIP-778): all of a request, or nothing.
 *
 * A level can be in force only where every broker and every controller knows it; raising it is what ends
 * a rolling upgrade. Lowering is asked for by name: a safe downgrade loses nothing, an unsafe one might.
 * `metadata.version` is only lowered across levels that changed nothing that is written: what a later
 * level wrote could not be read.
 * Source: kafka: FeatureControlManager, QuorumFeatures, QuorumController.updateFeatures.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Decision } from "../decision.ts";
import { type Feature, featureOf, FEATURES, METADATA_VERSION, rangeOf } from "../feature.ts";
import type { ClusterImage } from "../image.ts";
import type { FeatureLevelRecord, FeatureRange } from "../record.ts";
import { type Refusal, refusal } from "../refusal.ts";

/** Kafka: FeatureUpdate.UpgradeType. */
export const UPGRADE_TYPE = { upgrade: 1, safeDowngrade: 2, unsafeDowngrade: 3 } as const;

export interface FeatureUpdate {
  readonly feature: string;
  /** 0 = without the feature. */
  readonly maxVersionLevel: number;
  readonly upgradeType: number;
}

export interface UpdateFeaturesRequest {
  readonly updates: readonly FeatureUpdate[];
  readonly validateOnly: boolean;
  /** The node that decides; its features are those of this release. */
  readonly controllerId: number;
  /** The other voters, with what they told; undefined where one was not heard of yet. */
  readonly otherControllers: readonly {
    readonly nodeId: number;
    readonly features: readonly FeatureRange[] | undefined;
  }[];
  /** What this release knows. */
  readonly features?: readonly Feature[];
}

export interface UpdatedFeatures {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

export function decideUpdateFeatures(
  image: ClusterImage,
  request: UpdateFeaturesRequest,
): Decision<UpdatedFeatures> {
  const names = new Set(request.updates.map(({ feature }) => feature));
  if (names.size !== request.updates.length) {
    const message = "Each feature must be named at most once";
    return { records: [], reply: refusal(ErrorCode.InvalidRequest, message) };
  }
  const records: FeatureLevelRecord[] = [];
  for (const update of request.updates) {
    const reason = refuseUpdate(image, request, update);
    if (reason !== undefined) return { records: [], reply: failed(reason) };
    const { feature: name, maxVersionLevel: level } = update;
    // What is in force by default is written too: it does not change with the next release.
    if (image.featureLevels().get(name) === level) continue;
    records.push({ kind: "feature-level", version: 0, name, level });
  }
  return {
    records: request.validateOnly ? [] : records,
    reply: { errorCode: ErrorCode.None, errorMessage: null },
  };
}

function refuseUpdate(
  image: ClusterImage,
  request: UpdateFeaturesRequest,
  { feature: name, maxVersionLevel: level, upgradeType }: FeatureUpdate,
): string | undefined {
  const invalid = (reason: string): string =>
    `Invalid update version ${level} for feature ${name}. ${reason}`;
  if (!Object.values<number>(UPGRADE_TYPE).includes(upgradeType)) {
    return invalid("The controller does not support the given upgrade type.");
  }
  if (level < 0) return invalid("A feature version cannot be less than 0.");
  const unsupported = reasonNotSupported(image, request, { name, level });
  if (unsupported !== undefined) return invalid(unsupported);
  const present = image.featureLevel(name);
  if (level < present && upgradeType === UPGRADE_TYPE.upgrade) {
    return invalid(
      "Can't downgrade the version of this feature without setting the upgrade type to either " +
        "safe or unsafe downgrade.",
    );
  }
  if (level > present && upgradeType !== UPGRADE_TYPE.upgrade) {
    return invalid("Can't downgrade to a newer version.");
  }
  if (name !== METADATA_VERSION || level >= present) return undefined;
  const { levels } = featureOf(name, request.features) as Feature;
  if (!levels.some((one) => one.level > level && one.level <= present && one.changesMetadata)) {
    return undefined;
  }
  return `Invalid metadata.version ${level}. ` +
    (upgradeType === UPGRADE_TYPE.unsafeDowngrade
      ? "Unsafe metadata downgrade is not supported in this version."
      : "Refusing to perform the requested downgrade because it might delete metadata information.");
}

interface Wanted {
  readonly name: string;
  readonly level: number;
}

/** Why some node could not work with the level, the deciding one first. */
function reasonNotSupported(
  image: ClusterImage,
  { controllerId, otherControllers, features = FEATURES }: UpdateFeaturesRequest,
  wanted: Wanted,
): string | undefined {
  const local = notSupportedBy(`Local controller ${controllerId}`, features.map(rangeOf), wanted);
  if (local !== undefined) return local;
  for (const broker of image.brokers()) {
    const reason = notSupportedBy(`Broker ${broker.brokerId}`, broker.features, wanted);
    if (reason !== undefined) return reason;
  }
  for (const { nodeId, features: ranges } of otherControllers) {
    if (nodeId === controllerId) continue;
    if (ranges === undefined) {
      return `controller ${nodeId} has not registered, and may not support this feature`;
    }
    const reason = notSupportedBy(`Controller ${nodeId}`, ranges, wanted);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** A node that says nothing of a feature can only be without it. */
function notSupportedBy(
  what: string,
  ranges: readonly FeatureRange[],
  { name, level }: Wanted,
): string | undefined {
  const range = ranges.find((one) => one.name === name);
  const { minVersion, maxVersion } = range ?? { minVersion: 0, maxVersion: 0 };
  // Level 0 is the absence of any feature but metadata.version.
  if (level === 0 && name !== METADATA_VERSION && range !== undefined) return undefined;
  if (level >= minVersion && level <= maxVersion) return undefined;
  if (maxVersion === 0) return `${what} does not support this feature.`;
  const versions = minVersion === maxVersion ? minVersion : `${minVersion}-${maxVersion}`;
  return `${what} only supports versions ${versions}`;
}

function failed(reason: string): Refusal {
  return refusal(
    ErrorCode.InvalidUpdateVersion,
    `The update failed for all features since the following feature had an error: ${reason}`,
  );
}
