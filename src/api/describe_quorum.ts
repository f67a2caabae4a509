/**
 * DescribeQuorum (key 55): who leads the metadata log, and how far everybody who keeps it has come.
 *
 * Served: 0–2; flexible from the start (KIP-595).
 *
 *   1   when a replica last fetched and when it was last caught up (KIP-836)
 *   2   error messages, directory ids, where the voters are (KIP-853)
 */
import { ZERO_UUID } from "../ground/uuid.ts";
import { defineApi } from "./schema.ts";

const REPLICA_STATE = [
  { name: "replicaId", type: "int32", versions: "0+" },
  { name: "replicaDirectoryId", type: "uuid", versions: "2+", default: ZERO_UUID },
  { name: "logEndOffset", type: "int64", versions: "0+" },
  { name: "lastFetchTimestamp", type: "int64", versions: "1+", default: -1 },
  { name: "lastCaughtUpTimestamp", type: "int64", versions: "1+", default: -1 },
] as const;

export const describeQuorum = defineApi({
  key: 55,
  name: "DescribeQuorum",
  versions: [0, 2],
  flexibleFrom: 0,
  request: [
    {
      name: "topics",
      array: [
        { name: "topicName", type: "string", versions: "0+" },
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
    {
      name: "errorMessage",
      type: "string",
      mayBeCut: true,
      versions: "2+",
      nullable: "2+",
      default: "",
    },
    {
      name: "topics",
      array: [
        { name: "topicName", type: "string", versions: "0+" },
        {
          name: "partitions",
          array: [
            { name: "partitionIndex", type: "int32", versions: "0+" },
            { name: "errorCode", type: "int16", versions: "0+" },
            {
              name: "errorMessage",
              type: "string",
              mayBeCut: true,
              versions: "2+",
              nullable: "2+",
              default: "",
            },
            { name: "leaderId", type: "int32", versions: "0+" },
            { name: "leaderEpoch", type: "int32", versions: "0+" },
            { name: "highWatermark", type: "int64", versions: "0+" },
            { name: "currentVoters", array: REPLICA_STATE, versions: "0+" },
            { name: "observers", array: REPLICA_STATE, versions: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
    {
      name: "nodes",
      array: [
        { name: "nodeId", type: "int32", versions: "2+" },
        {
          name: "listeners",
          array: [
            { name: "name", type: "string", versions: "2+" },
            { name: "host", type: "string", versions: "2+" },
            { name: "port", type: "uint16", versions: "2+" },
          ],
          versions: "2+",
        },
      ],
      versions: "2+",
      default: [],
    },
  ],
});
