/**
 * DescribeConfigs (key 32): the settings of topics and brokers, and where each comes from (KIP-133).
 *
 * Served: 1–4.
 *
 *   1   config source and synonyms (KIP-226)
 *   2   the client does the throttling (KIP-219)
 *   3   type and documentation of a setting (KIP-569)
 *   4   flexible (KIP-482)
 *
 * Resource types: 2 = topic, 4 = broker, 8 = broker logger.
 */
import { defineApi } from "./schema.ts";

export const describeConfigs = defineApi({
  key: 32,
  name: "DescribeConfigs",
  versions: [1, 4],
  flexibleFrom: 4,
  request: [
    {
      name: "resources",
      array: [
        { name: "resourceType", type: "int8", versions: "0+" },
        { name: "resourceName", type: "string", versions: "0+" },
        { name: "configurationKeys", array: "string", versions: "0+", nullable: "0+" },
      ],
      versions: "0+",
    },
    { name: "includeSynonyms", type: "bool", versions: "1+", default: false },
    { name: "includeDocumentation", type: "bool", versions: "3+", default: false },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    {
      name: "results",
      array: [
        { name: "errorCode", type: "int16", versions: "0+" },
        { name: "errorMessage", type: "string", mayBeCut: true, versions: "0+", nullable: "0+" },
        { name: "resourceType", type: "int8", versions: "0+" },
        { name: "resourceName", type: "string", versions: "0+" },
        {
          name: "configs",
          array: [
            { name: "name", type: "string", versions: "0+" },
            { name: "value", type: "string", versions: "0+", nullable: "0+" },
            { name: "readOnly", type: "bool", versions: "0+" },
            { name: "configSource", type: "int8", versions: "1+", default: -1 },
            { name: "isSensitive", type: "bool", versions: "0+" },
            {
              name: "synonyms",
              array: [
                { name: "name", type: "string", versions: "1+" },
                { name: "value", type: "string", versions: "1+", nullable: "0+" },
                { name: "source", type: "int8", versions: "1+" },
              ],
              versions: "1+",
            },
            { name: "configType", type: "int8", versions: "3+", default: 0 },
            { name: "documentation", type: "string", versions: "3+", nullable: "0+", default: "" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
  ],
});
