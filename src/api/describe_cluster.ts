/**
 * DescribeCluster (key 60): cluster id, controller and brokers (KIP-700).
 *
 * Served: 0–2; flexible from the start.
 *
 *   1   endpoint type: 1 = brokers, 2 = controllers (KIP-919)
 *   2   fenced brokers may be asked for (KIP-1073)
 */
import { defineApi } from "./schema.ts";

export const describeCluster = defineApi({
  key: 60,
  name: "DescribeCluster",
  versions: [0, 2],
  flexibleFrom: 0,
  request: [
    { name: "includeClusterAuthorizedOperations", type: "bool", versions: "0+" },
    { name: "endpointType", type: "int8", versions: "1+", default: 1 },
    { name: "includeFencedBrokers", type: "bool", versions: "2+", default: false },
  ],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    {
      name: "errorMessage",
      type: "string",
      mayBeCut: true,
      versions: "0+",
      nullable: "0+",
      default: null,
    },
    { name: "endpointType", type: "int8", versions: "1+", default: 1 },
    { name: "clusterId", type: "string", versions: "0+" },
    { name: "controllerId", type: "int32", versions: "0+", default: -1 },
    {
      name: "brokers",
      array: [
        { name: "brokerId", type: "int32", versions: "0+" },
        { name: "host", type: "string", versions: "0+" },
        { name: "port", type: "int32", versions: "0+" },
        { name: "rack", type: "string", versions: "0+", nullable: "0+", default: null },
        { name: "isFenced", type: "bool", versions: "2+", default: false },
      ],
      versions: "0+",
    },
    { name: "clusterAuthorizedOperations", type: "int32", versions: "0+", default: -2147483648 },
  ],
});
