/**
 * ElectLeaders (key 43): chooses the leaders of partitions anew: the preferred ones (type 0), or
 * whoever is there for those that have none (type 1). Null topics are all of them.
 *
 * Served: 0–2.
 *
 *   1   the type of the election, and an error for the whole request (KIP-460)
 *   2   flexible (KIP-482)
 */
import { defineApi } from "./schema.ts";

export const electLeaders = defineApi({
  key: 43,
  name: "ElectLeaders",
  versions: [0, 2],
  flexibleFrom: 2,
  request: [
    { name: "electionType", type: "int8", versions: "1+" },
    {
      name: "topicPartitions",
      array: [
        { name: "topic", type: "string", versions: "0+" },
        { name: "partitions", array: "int32", versions: "0+" },
      ],
      versions: "0+",
      nullable: "0+",
    },
    { name: "timeoutMs", type: "int32", versions: "0+", default: 60_000 },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    { name: "errorCode", type: "int16", versions: "1+" },
    {
      name: "replicaElectionResults",
      array: [
        { name: "topic", type: "string", versions: "0+" },
        {
          name: "partitionResult",
          array: [
            { name: "partitionId", type: "int32", versions: "0+" },
            { name: "errorCode", type: "int16", versions: "0+" },
            {
              name: "errorMessage",
              type: "string",
              mayBeCut: true,
              versions: "0+",
              nullable: "0+",
            },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
  ],
});
