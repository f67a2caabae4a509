/** DescribeCluster: the brokers; controllers are asked on their own listeners (KIP-919). */
import { describeCluster } from "../../api/describe_cluster.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { BrokerContext } from "../broker_context.ts";
import { controllerId } from "../cluster_view.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { CLUSTER_OPERATIONS, NOT_ASKED } from "../operations.ts";

const NOBODY = -1;
const ENDPOINT_BROKERS = 1;
const ENDPOINT_CONTROLLERS = 2;

export const describeClusterHandler = defineHandler({
  api: describeCluster,
  isOfEveryNode: true,
  handle(broker, request, { connection }): Answer<typeof describeCluster> {
    const { isBroker } = broker.self;
    const asksControllers = request.endpointType === ENDPOINT_CONTROLLERS;
    if (asksControllers && (!isBroker || connection.scope === "peers")) return controllers(broker);
    if (request.endpointType !== ENDPOINT_BROKERS) {
      const isKnown = asksControllers;
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
      controllerId: controllerId(broker),
      brokers: broker.image.brokers()
        .filter(({ isFenced }) => !isFenced || request.includeFencedBrokers)
        .map(({ brokerId, host, port, rack, isFenced }) => ({
          brokerId,
          host,
          port,
          rack,
          isFenced,
        })),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? CLUSTER_OPERATIONS
        : NOT_ASKED,
    };
  },
});

/** The voters of the quorum, as one who asks a controller is told (KIP-919). */
function controllers(broker: BrokerContext): Answer<typeof describeCluster> {
  const voters = broker.raft?.status().configuration.voters ?? [];
  return {
    errorCode: ErrorCode.None,
    errorMessage: null,
    endpointType: ENDPOINT_CONTROLLERS,
    clusterId: broker.clusterId,
    controllerId: broker.leaderId() ?? NOBODY,
    brokers: voters.map(({ id, host, port }) => ({ brokerId: id, host, port, rack: null })),
  };
}
