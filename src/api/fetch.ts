/**
 * Fetch (key 1): reads record batches; consumers and follower replicas alike.
 *
 * Served: 4–17.
 *
 *   4   isolation level, last stable offset, aborted transactions (KIP-98)
 *   5   log start offset (KIP-107)
 *   6   KAFKA_STORAGE_ERROR may be answered (KIP-112)
 *   7   fetch sessions (KIP-227)
 *   8   the client does the throttling (KIP-219)
 *   9   current leader epoch in the request (KIP-320)
 *   10  zstd may be answered (KIP-110)
 *   11  rack id and preferred read replica (KIP-392)
 *   12  flexible; last fetched epoch, diverging epoch, current leader (KIP-482, KIP-595)
 *   13  topic ids in place of topic names (KIP-516)
 *   14  OFFSET_MOVED_TO_TIERED_STORAGE may be answered (KIP-405)
 *   15  the replica's id moves into a tagged struct beside its broker epoch (KIP-903)
 *   16  node endpoints, tagged (KIP-951)
 *   17  directory id of the replica, tagged (KIP-853)
 *
 * Not served: 18, a follower's high watermark (KIP-1166).
 * `abortedTransactions` is null where the reader did not ask for read_committed.
 */
import { ZERO_UUID } from "../ground/uuid.ts";
import { defineApi } from "./schema.ts";

export const fetch = defineApi({
  key: 1,
  name: "Fetch",
  versions: [4, 17],
  flexibleFrom: 12,
  request: [
    {
      name: "clusterId",
      type: "string",
      versions: "12+",
      nullable: "12+",
      tagged: "12+",
      tag: 0,
      default: null,
    },
    { name: "replicaId", type: "int32", versions: "0-14", default: -1 },
    {
      name: "replicaState",
      struct: [
        { name: "replicaId", type: "int32", versions: "15+", default: -1 },
        { name: "replicaEpoch", type: "int64", versions: "15+", default: -1 },
      ],
      versions: "15+",
      tagged: "15+",
      tag: 1,
    },
    { name: "maxWaitMs", type: "int32", versions: "0+" },
    { name: "minBytes", type: "int32", versions: "0+" },
    { name: "maxBytes", type: "int32", versions: "3+", default: 2147483647 },
    { name: "isolationLevel", type: "int8", versions: "4+", default: 0 },
    { name: "sessionId", type: "int32", versions: "7+", default: 0 },
    { name: "sessionEpoch", type: "int32", versions: "7+", default: -1 },
    {
      name: "topics",
      array: [
        { name: "topic", type: "string", versions: "0-12", default: "" },
        { name: "topicId", type: "uuid", versions: "13+", default: ZERO_UUID },
        {
          name: "partitions",
          array: [
            { name: "partition", type: "int32", versions: "0+" },
            { name: "currentLeaderEpoch", type: "int32", versions: "9+", default: -1 },
            { name: "fetchOffset", type: "int64", versions: "0+" },
            { name: "lastFetchedEpoch", type: "int32", versions: "12+", default: -1 },
            { name: "logStartOffset", type: "int64", versions: "5+", default: -1 },
            { name: "partitionMaxBytes", type: "int32", versions: "0+" },
            { name: "replicaDirectoryId", type: "uuid", versions: "17+", tagged: "17+", tag: 0 },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
    {
      name: "forgottenTopicsData",
      array: [
        { name: "topic", type: "string", versions: "7-12", default: "" },
        { name: "topicId", type: "uuid", versions: "13+", default: ZERO_UUID },
        { name: "partitions", array: "int32", versions: "7+" },
      ],
      versions: "7+",
      default: [],
    },
    { name: "rackId", type: "string", versions: "11+", default: "" },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "1+", default: 0 },
    { name: "errorCode", type: "int16", versions: "7+", default: 0 },
    { name: "sessionId", type: "int32", versions: "7+", default: 0 },
    {
      name: "responses",
      array: [
        { name: "topic", type: "string", versions: "0-12", default: "" },
        { name: "topicId", type: "uuid", versions: "13+", default: ZERO_UUID },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "errorCode", type: "int16", versions: "0+" },
            { name: "highWatermark", type: "int64", versions: "0+" },
            { name: "lastStableOffset", type: "int64", versions: "4+", default: -1 },
            { name: "logStartOffset", type: "int64", versions: "5+", default: -1 },
            {
              name: "divergingEpoch",
              struct: [
                { name: "epoch", type: "int32", versions: "12+", default: -1 },
                { name: "endOffset", type: "int64", versions: "12+", default: -1 },
              ],
              versions: "12+",
              tagged: "12+",
              tag: 0,
            },
            {
              name: "currentLeader",
              struct: [
                { name: "leaderId", type: "int32", versions: "12+", default: -1 },
                { name: "leaderEpoch", type: "int32", versions: "12+", default: -1 },
              ],
              versions: "12+",
              tagged: "12+",
              tag: 1,
            },
            {
              name: "snapshotId",
              struct: [
                { name: "endOffset", type: "int64", versions: "0+", default: -1 },
                { name: "epoch", type: "int32", versions: "0+", default: -1 },
              ],
              versions: "12+",
              tagged: "12+",
              tag: 2,
            },
            {
              name: "abortedTransactions",
              array: [
                { name: "producerId", type: "int64", versions: "4+" },
                { name: "firstOffset", type: "int64", versions: "4+" },
              ],
              versions: "4+",
              nullable: "4+",
            },
            { name: "preferredReadReplica", type: "int32", versions: "11+", default: -1 },
            { name: "records", type: "records", versions: "0+", nullable: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
    {
      name: "nodeEndpoints",
      array: [
        { name: "nodeId", type: "int32", versions: "16+" },
        { name: "host", type: "string", versions: "16+" },
        { name: "port", type: "int32", versions: "16+" },
        { name: "rack", type: "string", versions: "16+", nullable: "16+", default: null },
      ],
      versions: "16+",
      tagged: "16+",
      tag: 0,
    },
  ],
});
