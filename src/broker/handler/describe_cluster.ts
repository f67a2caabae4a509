/**
 * DescribeCluster: the brokers; or the controllers, where a controller is asked (KIP-919). A listener
 * that is for everybody is one of either kind. Controllers tell of brokers too, unlike Kafka's.
 */
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
    const { endpointType } = request;
    if (endpointType !== ENDPOINT_BROKERS && endpointType !== ENDPOINT_CONTROLLERS) {
      const errorMessage = `Unsupported endpoint type ${endpointType}`;
      return refused(broker, { errorCode: ErrorCode.UnsupportedEndpointType, errorMessage });
    }
    if (endpointType === ENDPOINT_CONTROLLERS) {
      const isController = broker.raft !== undefined && connection.scope !== "clients";
      return isController ? controllers(broker) : refused(broker, {
        errorCode: ErrorCode.MismatchedEndpointType,
        errorMessage: "The request was sent to an endpoint of type BROKER, but we wanted an " +
          "endpoint of type CONTROLLER",
      });
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

function refused(
  { clusterId }: BrokerContext,
  refusal: { readonly errorCode: ErrorCode; readonly errorMessage: string },
): Answer<typeof describeCluster> {
  return {
    ...refusal,
    endpointType: ENDPOINT_BROKERS,
    clusterId,
    controllerId: NOBODY,
    brokers: [],
  };
}

/** The voters of the quorum, as one who asks a controller is told (KIP-919). */
function controllers(broker: BrokerContext): Answer<typeof describeCluster> {
  const voters = broker.raft?.status().configuration.voters ?? [];
  return {
    errorCode: ErrorCode.None,
    errorMessage: null,
    endpointType: ENDPOINT_CONTROLLERS,
    clusterId: broker.clusterId,
    controllerId: voters.find(({ id }) => id === broker.leaderId())?.id ?? NOBODY,
    brokers: voters.map((voter) => {
      // One that was alone when it was first started may have had any free port.
      const { host, port } = voter.port > 0 ? voter : broker.image.broker(voter.id) ?? voter;
      return { brokerId: voter.id, host, port, rack: null };
    }),
  };
}
