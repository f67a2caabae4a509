/**
 * ApiVersions (key 18): which APIs and versions this broker serves (KIP-35).
 *
 * Served: 0–4.
 *
 *   1   throttle time (KIP-124)
 *   2   the client does the throttling (KIP-219)
 *   3   flexible; client software name and version (KIP-482, KIP-511); features, tagged (KIP-584)
 *   4   a feature's lowest version may be 0 (KAFKA-17011)
 *
 * The response's header is version 0 in every version, so that a client of any age can read it. A
 * request of a version that is not served is answered in version 0 with UNSUPPORTED_VERSION and the
 * range of this key only (KIP-511). Up to version 3, features whose lowest version is 0 are left out.
 */
import { defineApi } from "./schema.ts";

export const apiVersions = defineApi({
  key: 18,
  name: "ApiVersions",
  versions: [0, 4],
  flexibleFrom: 3,
  request: [
    { name: "clientSoftwareName", type: "string", versions: "3+", default: "" },
    { name: "clientSoftwareVersion", type: "string", versions: "3+", default: "" },
  ],
  response: [
    { name: "errorCode", type: "int16", versions: "0+" },
    {
      name: "apiKeys",
      array: [
        { name: "apiKey", type: "int16", versions: "0+" },
        { name: "minVersion", type: "int16", versions: "0+" },
        { name: "maxVersion", type: "int16", versions: "0+" },
      ],
      versions: "0+",
    },
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0 },
    {
      name: "supportedFeatures",
      array: [
        { name: "name", type: "string", versions: "3+" },
        { name: "minVersion", type: "int16", versions: "3+" },
        { name: "maxVersion", type: "int16", versions: "3+" },
      ],
      versions: "3+",
      tagged: "3+",
      tag: 0,
    },
    {
      name: "finalizedFeaturesEpoch",
      type: "int64",
      versions: "3+",
      tagged: "3+",
      tag: 1,
      default: -1,
    },
    {
      name: "finalizedFeatures",
      array: [
        { name: "name", type: "string", versions: "3+" },
        { name: "maxVersionLevel", type: "int16", versions: "3+" },
        { name: "minVersionLevel", type: "int16", versions: "3+" },
      ],
      versions: "3+",
      tagged: "3+",
      tag: 2,
    },
    {
      name: "zkMigrationReady",
      type: "bool",
      versions: "3+",
      tagged: "3+",
      tag: 3,
      default: false,
    },
  ],
});
