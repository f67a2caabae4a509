/**
 * DeleteTopics (key 20): deletes topics by name or by id.
 *
 * Served: 1–6.
 *
 *   1   throttle time (KIP-124)
 *   2   the client does the throttling (KIP-219)
 *   3   TOPIC_DELETION_DISABLED may be answered (KIP-322)
 *   4   flexible (KIP-482)
 *   5   error message; THROTTLING_QUOTA_EXCEEDED may be answered (KIP-599)
 *   6   topics as structs of name or id, in place of names (KIP-516)
 */
import { ZERO_UUID } from "../ground/uuid.ts";
import { defineApi } from "./schema.ts";

export const deleteTopics = defineApi({
  key: 20,
  name: "DeleteTopics",
  versions: [1, 6],
  flexibleFrom: 4,
  request: [
    {
      name: "topics",
      array: [
        { name: "name", type: "string", versions: "6+", nullable: "6+", default: null },
        { name: "topicId", type: "uuid", versions: "6+" },
      ],
      versions: "6+",
      default: [],
    },
    { name: "topicNames", array: "string", versions: "0-5", default: [] },
    { name: "timeoutMs", type: "int32", versions: "0+" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0 },
    {
      name: "responses",
      array: [
        { name: "name", type: "string", versions: "0+", nullable: "6+" },
        { name: "topicId", type: "uuid", versions: "6+", default: ZERO_UUID },
        { name: "errorCode", type: "int16", versions: "0+" },
        {
          name: "errorMessage",
          type: "string",
          mayBeCut: true,
          versions: "5+",
          nullable: "5+",
          default: null,
        },
      ],
      versions: "0+",
    },
  ],
});
