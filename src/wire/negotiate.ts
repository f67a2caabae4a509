/** Which version of an API two sides speak: the highest that both have. */
import type { Api } from "../api/schema.ts";

/** As an entry of the ApiVersions response tells it. */
export interface BrokerRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** Undefined where the broker does not have the API, or no version is common. */
export function negotiate(api: Api, brokerRange: BrokerRange | undefined): number | undefined {
  if (brokerRange === undefined) return undefined;
  const version = Math.min(api.versions[1], brokerRange.maxVersion);
  return version >= Math.max(api.versions[0], brokerRange.minVersion) ? version : undefined;
}
