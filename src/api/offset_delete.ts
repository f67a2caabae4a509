/**
 * OffsetDelete (key 47): removes committed offsets of a group, of topics that it does not subscribe.
 *
 * Served: 0, which is not flexible (KIP-496).
 */
import { defineApi } from "./schema.ts";

export const offsetDelete = defineApi({
  key: 47,
  name: "OffsetDelete",
  versions: [0, 0],
  request: [
    { name: "groupId", type: "string", versions: "0+" },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0+" },
        {
          name: "partitions",
          array: [{ name: "partitionIndex", type: "int32", versions: "0+" }],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
  ],
  response: [
    { name: "errorCode", type: "int16", versions: "0+" },
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "0+" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "errorCode", type: "int16", versions: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
  ],
});
