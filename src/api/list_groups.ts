/**
 * ListGroups (key 16): the groups that a broker coordinates.
 *
 * Served: 0–5.
 *
 *   1   throttle time (KIP-124)
 *   2   the client does the throttling (KIP-219)
 *   3   flexible (KIP-482)
 *   4   filter by state, and the state in the response (KIP-518)
 *   5   filter by type ("classic", "consumer"), and the type in the response (KIP-848)
 *
 * An empty filter lets everything through.
 */
import { defineApi } from "./schema.ts";

export const listGroups = defineApi({
  key: 16,
  name: "ListGroups",
  versions: [0, 5],
  flexibleFrom: 3,
  request: [
    { name: "statesFilter", array: "string", versions: "4+", default: [] },
    { name: "typesFilter", array: "string", versions: "5+", default: [] },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    {
      name: "groups",
      array: [
        { name: "groupId", type: "string", versions: "0+" },
        { name: "protocolType", type: "string", versions: "0+" },
        { name: "groupState", type: "string", versions: "4+", default: "" },
        { name: "groupType", type: "string", versions: "5+", default: "" },
      ],
      versions: "0+",
    },
  ],
});
