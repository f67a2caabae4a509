/**
 * DeleteRecords (key 21): moves the start of partitions forward; what is below it is gone (KIP-107).
 *
 * Served: 0–2.
 *
 *   1   the client does the throttling (KIP-219)
 *   2   flexible (KIP-482)
 *
 * Offset −1 is the high watermark. The low watermark of the answer is the smallest log start offset of
 * the replicas that are alive.
 */
import { defineApi } from "./schema.ts";

export const deleteRecords = defineApi({
  key: 21,
  name: "DeleteRecords",
  versions: [0, 2],
  flexibleFrom: 2,
  request: [
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0+" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "offset", type: "int64", versions: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
    { name: "timeoutMs", type: "int32", versions: "0+" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0+" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "lowWatermark", type: "int64", versions: "0+" },
            { name: "errorCode", type: "int16", versions: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
  ],
});
