/**
 * UpdateFeatures (key 57): sets the level of features that the whole cluster has finalized (KIP-584).
 *
 * Served: 0–2; flexible from the start.
 *
 *   1   the kind of change in place of `allowDowngrade`; only to try it (KIP-778)
 *   2   one error for all in place of one for each (KIP-1022)
 */
import { defineApi } from "./schema.ts";

export const updateFeatures = defineApi({
  key: 57,
  name: "UpdateFeatures",
  versions: [0, 2],
  flexibleFrom: 0,
  request: [
    { name: "timeoutMs", type: "int32", versions: "0+", default: 60000 },
    {
      name: "featureUpdates",
      array: [
        { name: "feature", type: "string", versions: "0+" },
        { name: "maxVersionLevel", type: "int16", versions: "0+" },
        { name: "allowDowngrade", type: "bool", versions: "0", default: false },
        { name: "upgradeType", type: "int8", versions: "1+", default: 1 },
      ],
      versions: "0+",
    },
    { name: "validateOnly", type: "bool", versions: "1+", default: false },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    { name: "errorMessage", type: "string", mayBeCut: true, versions: "0+", nullable: "0+" },
    {
      name: "results",
      array: [
        { name: "feature", type: "string", versions: "0+" },
        { name: "errorCode", type: "int16", versions: "0+" },
        { name: "errorMessage", type: "string", mayBeCut: true, versions: "0+", nullable: "0+" },
      ],
      versions: "0-1",
      default: [],
    },
  ],
});
