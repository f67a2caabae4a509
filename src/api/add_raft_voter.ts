/**
 * AddRaftVoter (key 80): takes a node into the set of those that vote in the metadata quorum (KIP-853).
 *
 * Served: 0–1; flexible from the start.
 *
 *   1   whether to answer only when the new set is committed, as version 0 always does (KIP-1186)
 */
import { defineApi } from "./schema.ts";

export const addRaftVoter = defineApi({
  key: 80,
  name: "AddRaftVoter",
  versions: [0, 1],
  flexibleFrom: 0,
  request: [
    { name: "clusterId", type: "string", versions: "0+", nullable: "0+" },
    { name: "timeoutMs", type: "int32", versions: "0+" },
    { name: "voterId", type: "int32", versions: "0+" },
    { name: "voterDirectoryId", type: "uuid", versions: "0+" },
    {
      name: "listeners",
      array: [
        { name: "name", type: "string", versions: "0+" },
        { name: "host", type: "string", versions: "0+" },
        { name: "port", type: "uint16", versions: "0+" },
      ],
      versions: "0+",
    },
    { name: "ackWhenCommitted", type: "bool", versions: "1+", default: true },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    { name: "errorMessage", type: "string", mayBeCut: true, versions: "0+", nullable: "0+" },
  ],
});
