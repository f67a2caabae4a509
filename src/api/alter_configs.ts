/**
 * AlterConfigs (key 33): replaces the whole set of a resource's own settings (KIP-133). Kept for old
 * clients: what one does not name is lost, so IncrementalAlterConfigs took its place (KIP-339).
 *
 * Served: 0–2.
 *
 *   1   the client does the throttling (KIP-219)
 *   2   flexible (KIP-482)
 *
 * Resource types: 2 = topic, 4 = broker, 8 = broker logger, 16 = client metrics, 32 = group.
 */
import { defineApi } from "./schema.ts";

export const alterConfigs = defineApi({
  key: 33,
  name: "AlterConfigs",
  versions: [0, 2],
  flexibleFrom: 2,
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
