/**
 * A broker that will not come back is taken out of the cluster (UnregisterBroker, KIP-500): out of
 * every ISR in which somebody else stays. What only it has is led by nobody until it registers again.
 * It stays a replica: reassigning is a decision of its own.
 * Source: kafka: ReplicationControlManager.unregisterBroker.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { recordsOfLeaving } from "../broker_moves.ts";
import type { Decision } from "../decision.ts";
import type { ClusterImage } from "../image.ts";
import { refuseBelowCluster } from "../level_gate.ts";
import { refusal } from "../refusal.ts";
import type { BrokerValue } from "../topic_config.ts";

export interface UnregisterBrokerRequest {
  readonly brokerId: number;
  readonly brokerValue: BrokerValue;
}

export interface UnregisteredBroker {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

export function decideUnregisterBroker(
  image: ClusterImage,
  { brokerId, brokerValue }: UnregisterBrokerRequest,
): Decision<UnregisteredBroker> {
  const broker = image.broker(brokerId);
  const reason = broker === undefined
    ? refusal(
      ErrorCode.BrokerIdNotRegistered,
      `Broker ID ${brokerId} is not currently registered`,
    )
    : refuseBelowCluster(image, "unregister a broker");
  if (broker === undefined || reason !== undefined) {
    return { records: [], reply: reason as UnregisteredBroker };
  }
  const { brokerEpoch } = broker;
  return {
    records: [
      ...recordsOfLeaving(image, { brokerId, brokerValue, isGone: true }),
      { kind: "unregister-broker", version: 0, brokerId, brokerEpoch },
    ],
    reply: { errorCode: ErrorCode.None, errorMessage: null },
  };
}
