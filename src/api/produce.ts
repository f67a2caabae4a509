/**
 * Produce (key 0): appends record batches to partitions.
 *
 * Served: 3–11. Advertised: 0–11, because librdkafka before 2.11.1 compresses only where it sees
 * version 0 (KAFKA-18659); requests of versions 0–2 are refused.
 *
 *   3   transactional id, record batch v2 only (KIP-98)
 *   4   KAFKA_STORAGE_ERROR may be answered (KIP-112)
 *   5   log start offset in the response
 *   6   the client does the throttling (KIP-219)
 *   7   zstd may be used (KIP-110)
 *   8   record errors and error message in the response (KIP-467)
 *   9   flexible (KIP-482)
 *   10  current leader and node endpoints, tagged (KIP-951)
 *   11  TRANSACTION_ABORTABLE may be answered (KIP-890)
 *
 * Not served: 12, which asks for implicit enrolment in transactions (KIP-890 part 2), and 13, topic
 * ids (KIP-516). With acks = 0 there is no response at all. The throttle time stands behind the
 * topics, unlike almost everywhere else.
 */
import { defineApi } from "./schema.ts";

export const produce = defineApi({
  key: 0,
  name: "Produce",
  versions: [3, 11],
  advertised: [0, 11],
  flexibleFrom: 9,
  request: [
    { name: "transactionalId", type: "string", versions: "3+", nullable: "3+", default: null },
    { name: "acks", type: "int16", versions: "0+" },
    { name: "timeoutMs", type: "int32", versions: "0+" },
    {
      name: "topicData",
      array: [
        { name: "name", type: "string", versions: "0-12" },
        {
          name: "partitionData",
          array: [
            { name: "index", type: "int32", versions: "0+" },
            { name: "records", type: "records", versions: "0+", nullable: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
  ],
  response: [
    {
      name: "responses",
      array: [
        { name: "name", type: "string", versions: "0-12" },
        {
          name: "partitionResponses",
          array: [
            { name: "index", type: "int32", versions: "0+" },
            { name: "errorCode", type: "int16", versions: "0+" },
            { name: "baseOffset", type: "int64", versions: "0+" },
            { name: "logAppendTimeMs", type: "int64", versions: "2+", default: -1 },
            { name: "logStartOffset", type: "int64", versions: "5+", default: -1 },
            {
              name: "recordErrors",
              array: [
                { name: "batchIndex", type: "int32", versions: "8+" },
                {
                  name: "batchIndexErrorMessage",
                  type: "string",
                  mayBeCut: true,
                  versions: "8+",
                  nullable: "8+",
                  default: null,
                },
              ],
              versions: "8+",
              default: [],
            },
            {
              name: "errorMessage",
              type: "string",
              mayBeCut: true,
              versions: "8+",
              nullable: "8+",
              default: null,
            },
            {
              name: "currentLeader",
              struct: [
                { name: "leaderId", type: "int32", versions: "10+", default: -1 },
                { name: "leaderEpoch", type: "int32", versions: "10+", default: -1 },
              ],
              versions: "10+",
              tagged: "10+",
              tag: 0,
            },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0 },
    {
      name: "nodeEndpoints",
      array: [
        { name: "nodeId", type: "int32", versions: "10+" },
        { name: "host", type: "string", versions: "10+" },
        { name: "port", type: "int32", versions: "10+" },
        { name: "rack", type: "string", versions: "10+", nullable: "10+", default: null },
      ],
      versions: "10+",
      tagged: "10+",
      tag: 0,
    },
  ],
});
