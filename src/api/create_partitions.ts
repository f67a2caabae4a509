/**
 * CreatePartitions (key 37): gives topics more partitions; `count` is how many there are afterwards.
 *
 * Served: 0–3.
 *
 *   1   the client does the throttling (KIP-219)
 *   2   flexible (KIP-482)
 *   3   THROTTLING_QUOTA_EXCEEDED may be answered (KIP-599)
 */
import { defineApi } from "./schema.ts";

export const createPartitions = defineApi({
  key: 37,
  name: "CreatePartitions",
  versions: [0, 3],
  flexibleFrom: 2,
  request: [
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0+" },
        { name: "count", type: "int32", versions: "0+" },
        {
          name: "assignments",
          array: [{ name: "brokerIds", array: "int32", versions: "0+" }],
          versions: "0+",
          nullable: "0+",
        },
      ],
      versions: "0+",
    },
    { name: "timeoutMs", type: "int32", versions: "0+" },
    { name: "validateOnly", type: "bool", versions: "0+" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    {
      name: "results",
      array: [
        { name: "name", type: "string", versions: "0+" },
        { name: "errorCode", type: "int16", versions: "0+" },
        {
          name: "errorMessage",
          type: "string",
          mayBeCut: true,
          versions: "0+",
          nullable: "0+",
          default: null,
        },
      ],
      versions: "0+",
    },
  ],
});
