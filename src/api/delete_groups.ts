/**
 * DeleteGroups (key 42): removes groups without members, with their committed offsets.
 *
 * Served: 0–2.
 *
 *   1   the client does the throttling (KIP-219)
 *   2   flexible (KIP-482)
 */
import { defineApi } from "./schema.ts";

export const deleteGroups = defineApi({
  key: 42,
  name: "DeleteGroups",
  versions: [0, 2],
  flexibleFrom: 2,
  request: [
    { name: "groupsNames", array: "string", versions: "0+" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    {
      name: "results",
      array: [
        { name: "groupId", type: "string", versions: "0+" },
        { name: "errorCode", type: "int16", versions: "0+" },
      ],
      versions: "0+",
    },
  ],
});
