/**
 * RemoveRaftVoter (key 81): takes a node out of the set of those that vote (KIP-853).
 *
 * Served: 0; flexible. The directory id must be the voter's: its successor under the same id stays.
 */
import { defineApi } from "./schema.ts";

export const removeRaftVoter = defineApi({
  key: 81,
  name: "RemoveRaftVoter",
  versions: [0, 0],
  flexibleFrom: 0,
  request: [
    { name: "clusterId", type: "string", versions: "0+", nullable: "0+" },
    { name: "voterId", type: "int32", versions: "0+" },
    { name: "voterDirectoryId", type: "uuid", versions: "0+" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    { name: "errorMessage", type: "string", mayBeCut: true, versions: "0+", nullable: "0+" },
  ],
});
