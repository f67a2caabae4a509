/** DescribeCluster: the brokers; controllers are asked on their own listeners (KIP-919). */
import { describeCluster } from "../../api/describe_cluster.ts";
import { ErrorCode } from "../../api/error_code.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { CLUSTER_OPERATIONS, NOT_ASKED } from "../operations.ts";

const ENDPOINT_BROKERS = 1;
const ENDPOINT_CONTROLLERS = 2;

export const describeClusterHandler = defineHandler({
  api: describeCluster,
  handle(broker, request): Answer<typeof describeCluster> {
    if (request.endpointType !== ENDPOINT_BROKERS) {
      const isKnown = request.endpointType === ENDPOINT_CONTROLLERS;
      return {
        errorCode: isKnown ? ErrorCode.MismatchedEndpointType : ErrorCode.UnsupportedEndpointType,
        errorMessage: isKnown
          ? "The request was sent to an endpoint of the wrong type."
          : `Unsupported endpoint type ${request.endpointType}`,
        endpointType: ENDPOINT_BROKERS,
        clusterId: broker.clusterId,
        controllerId: -1,
        brokers: [],
      };
    }
    return {
      errorCode: ErrorCode.None,
      errorMessage: null,
      endpointType: ENDPOINT_BROKERS,
      clusterId: broker.clusterId,
      controllerId: broker.brokerId,
      brokers: broker.image.brokers().map(({ brokerId, host, port, rack }) => ({
        brokerId,
        host,
        port,
        rack,
        isFenced: false,
      })),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? CLUSTER_OPERATIONS
        : NOT_ASKED,
    };
  },
});
