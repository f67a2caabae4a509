/**
 * ListOffsets (key 2): the offset for a timestamp, or for one of the special ones.
 *
 * Served: 1–10.
 *
 *   1   a single offset, with its timestamp (KIP-79)
 *   2   isolation level and throttle time (KIP-98)
 *   3   the client does the throttling (KIP-219)
 *   4   leader epochs (KIP-320)
 *   5   OFFSET_NOT_AVAILABLE may be answered (KIP-207)
 *   6   flexible (KIP-482)
 *   7   timestamp −3: the offset of the largest timestamp (KIP-734)
 *   8   timestamp −4: the local log start offset (KIP-405)
 *   9   timestamp −5: the last tiered offset (KIP-1005)
 *   10  timeout for look-ups in remote storage (KIP-1075)
 *
 * Timestamp −1 is the end of the log (the last stable offset under read_committed), −2 its start.
 */
import { defineApi } from "./schema.ts";

export const listOffsets = defineApi({
  key: 2,
  name: "ListOffsets",
  versions: [1, 10],
  flexibleFrom: 6,
  request: [
    { name: "replicaId", type: "int32", versions: "0+" },
    { name: "isolationLevel", type: "int8", versions: "2+", default: 0 },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0+" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "currentLeaderEpoch", type: "int32", versions: "4+", default: -1 },
            { name: "timestamp", type: "int64", versions: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
    { name: "timeoutMs", type: "int32", versions: "10+", default: 0 },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "2+", default: 0 },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0+" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "errorCode", type: "int16", versions: "0+" },
            { name: "timestamp", type: "int64", versions: "1+", default: -1 },
            { name: "offset", type: "int64", versions: "1+", default: -1 },
            { name: "leaderEpoch", type: "int32", versions: "4+", default: -1 },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
  ],
});
