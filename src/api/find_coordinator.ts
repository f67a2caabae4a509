/**
 * FindCoordinator (key 10): which broker coordinates a group or a transactional id.
 *
 * Served: 0–6.
 *
 *   1   key type: 0 = group, 1 = transaction; throttle time and error message (KIP-98)
 *   2   the client does the throttling (KIP-219)
 *   3   flexible (KIP-482)
 *   4   many keys in one request; the single-key fields vanish from both messages (KIP-699)
 *   5   TRANSACTION_ABORTABLE may be answered (KIP-890)
 *   6   key type 2 = share group (KIP-932), which is not served and refused
 */
import { defineApi } from "./schema.ts";

export const findCoordinator = defineApi({
  key: 10,
  name: "FindCoordinator",
  versions: [0, 6],
  flexibleFrom: 3,
  request: [
    { name: "key", type: "string", versions: "0-3", default: "" },
    { name: "keyType", type: "int8", versions: "1+", default: 0 },
    { name: "coordinatorKeys", array: "string", versions: "4+", default: [] },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0-3", default: 0 },
    {
      name: "errorMessage",
      type: "string",
      mayBeCut: true,
      versions: "1-3",
      nullable: "1-3",
      default: "",
    },
    { name: "nodeId", type: "int32", versions: "0-3", default: 0 },
    { name: "host", type: "string", versions: "0-3", default: "" },
    { name: "port", type: "int32", versions: "0-3", default: 0 },
    {
      name: "coordinators",
      array: [
        { name: "key", type: "string", versions: "4+" },
        { name: "nodeId", type: "int32", versions: "4+" },
        { name: "host", type: "string", versions: "4+" },
        { name: "port", type: "int32", versions: "4+" },
        { name: "errorCode", type: "int16", versions: "4+" },
        { name: "errorMessage", type: "string", mayBeCut: true, versions: "4+", nullable: "4+" },
      ],
      versions: "4+",
      default: [],
    },
  ],
});
