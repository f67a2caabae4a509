/**
 * Whether a broker that asks is the incarnation that is registered (KIP-903).
 * Source: kafka: ClusterControlManager.checkBrokerEpoch.
 */
import { ErrorCode } from "../api/error_code.ts";
import type { ClusterImage } from "./image.ts";
import { type Refusal, refusal } from "./refusal.ts";

export function refuseBrokerEpoch(
  image: ClusterImage,
  brokerId: number,
  brokerEpoch: number,
): Refusal | undefined {
  const broker = image.broker(brokerId);
  if (broker === undefined) {
    const message = `No broker registration found for broker id ${brokerId}`;
    return refusal(ErrorCode.StaleBrokerEpoch, message);
  }
  if (broker.brokerEpoch === brokerEpoch) return undefined;
  return refusal(
    ErrorCode.StaleBrokerEpoch,
    `Expected broker epoch ${broker.brokerEpoch}, but got broker epoch ${brokerEpoch}`,
  );
}
