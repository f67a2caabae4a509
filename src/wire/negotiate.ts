/** Which version of an API two sides speak: the highest that both have. */
import type { Api } from "../api/schema.ts";

/** As an entry of the ApiVersions response tells it. */
export interface BrokerRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

/**
 * Undefined where the broker does not have the API, or no version is common. `versionMax` is lower
 * than the API's own where the caller cannot say what it means in a higher one.
 */
export function negotiate(
  api: Api,
  brokerRange: BrokerRange | undefined,
  versionMax: number = api.versions[1],
): number | undefined {
  if (brokerRange === undefined) return undefined;
  const version = Math.min(versionMax, brokerRange.maxVersion);
  return version >= Math.max(api.versions[0], brokerRange.minVersion) ? version : undefined;
}
