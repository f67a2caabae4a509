/**
 * IncrementalAlterConfigs (key 44): changes single settings and leaves the others as they are (KIP-339).
 *
 * Served: 0–1.
 *
 *   1   flexible (KIP-482)
 *
 * Operations: 0 = set, 1 = delete (back to the default), 2 = append to a list, 3 = subtract from it.
 * Resource types: 2 = topic, 4 = broker, 8 = broker logger, 16 = client metrics, 32 = group.
 */
import { defineApi } from "./schema.ts";

export const incrementalAlterConfigs = defineApi({
  key: 44,
  name: "IncrementalAlterConfigs",
  versions: [0, 1],
  flexibleFrom: 1,
  request: [
    {
      name: "resources",
      array: [
        { name: "resourceType", type: "int8", versions: "0+" },
        { name: "resourceName", type: "string", versions: "0+" },
        {
          name: "configs",
          array: [
            { name: "name", type: "string", versions: "0+" },
            { name: "configOperation", type: "int8", versions: "0+" },
            { name: "value", type: "string", versions: "0+", nullable: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
    { name: "validateOnly", type: "bool", versions: "0+" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    {
      name: "responses",
      array: [
        { name: "errorCode", type: "int16", versions: "0+" },
        { name: "errorMessage", type: "string", mayBeCut: true, versions: "0+", nullable: "0+" },
        { name: "resourceType", type: "int8", versions: "0+" },
        { name: "resourceName", type: "string", versions: "0+" },
      ],
      versions: "0+",
    },
  ],
});
