/**
 * Whether a broker serves, is fenced, or is on its way out: by its heartbeats, and by their absence.
 *
 *                    caught up
 *     fenced ─────────────────────► serving ──────────────► leaving (in controlled shutdown)
 *        ▲  ▲     not heard of,        │      wants to stop      │ its partitions have moved, and
 *        │  └──────────────────────────┘                         ▼ the others know it
 *        └──────────────────────────────────────────────────── fenced, and may stop
 *
 * A broker that leads nothing that somebody else could lead need not wait: it is fenced and may stop.
 * At the level of a node alone brokers are never fenced, and heartbeats write nothing.
 * Source: kafka: BrokerHeartbeatManager.calculateNextBrokerState,
 * ReplicationControlManager.processBrokerHeartbeat.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { refuseBrokerEpoch } from "../broker_epoch.ts";
import { hasLeadershipsToMove, recordsOfLeaving, recordsOfReturning } from "../broker_moves.ts";
import type { Decision } from "../decision.ts";
import type { BrokerImage, ClusterImage } from "../image.ts";
import { isClusterLevel } from "../level_gate.ts";
import type { BrokerChangeRecord, MetadataRecord } from "../record.ts";
import type { BrokerValue } from "../topic_config.ts";

export interface HeartbeatRequest {
  readonly brokerId: number;
  readonly brokerEpoch: number;
  /** Offset behind the last record that the broker has in its image (`ClusterImage.nextOffset`). */
  readonly metadataOffset: number;
  readonly wantFence: boolean;
  readonly wantShutDown: boolean;
  /**
   * Of a broker in controlled shutdown: whether the others have what moved its partitions
   * (`BrokerContacts.haveSeen`). True where left out.
   */
  readonly haveOthersSeen?: boolean;
  readonly brokerValue: BrokerValue;
}

export interface HeartbeatReply {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
  readonly isCaughtUp: boolean;
  readonly isFenced: boolean;
  readonly isInControlledShutdown: boolean;
  readonly shouldShutDown: boolean;
}

/** What it is from now on; `stopped` is fenced, and told that it may stop. */
type BrokerState = "fenced" | "serving" | "leaving" | "stopped";

export function decideBrokerHeartbeat(
  image: ClusterImage,
  request: HeartbeatRequest,
): Decision<HeartbeatReply> {
  const { brokerId, brokerEpoch, metadataOffset } = request;
  const reason = refuseBrokerEpoch(image, brokerId, brokerEpoch);
  if (reason !== undefined) {
    const flags = { isCaughtUp: false, isFenced: true };
    const still = { isInControlledShutdown: false, shouldShutDown: false };
    return { records: [], reply: { ...reason, ...flags, ...still } };
  }
  const broker = image.broker(brokerId) as BrokerImage;
  const isCaughtUp = metadataOffset > brokerEpoch;
  const next = nextState(image, broker, { ...request, isCaughtUp });
  return {
    records: recordsOf(image, broker, next, request.brokerValue),
    reply: {
      errorCode: ErrorCode.None,
      errorMessage: null,
      isCaughtUp,
      isFenced: isClusterLevel(image) && (next === "fenced" || next === "stopped"),
      isInControlledShutdown: next === "leaving",
      shouldShutDown: next === "stopped",
    },
  };
}

export interface FenceRequest {
  readonly brokerId: number;
  /** Another incarnation than the one that was not heard of is left alone. */
  readonly brokerEpoch: number;
  readonly brokerValue: BrokerValue;
}

/** The broker was not heard of for a session. True where it is fenced now. */
export function decideFenceBroker(
  image: ClusterImage,
  { brokerId, brokerEpoch, brokerValue }: FenceRequest,
): Decision<boolean> {
  const broker = image.broker(brokerId);
  if (broker?.brokerEpoch !== brokerEpoch) return { records: [], reply: false };
  const records = recordsOf(image, broker, "fenced", brokerValue);
  return { records, reply: records.length > 0 };
}

function nextState(
  image: ClusterImage,
  broker: BrokerImage,
  request: HeartbeatRequest & { readonly isCaughtUp: boolean },
): BrokerState {
  const { wantFence, wantShutDown, haveOthersSeen = true } = request;
  if (broker.isFenced) {
    if (wantShutDown) return "stopped";
    return !wantFence && request.isCaughtUp ? "serving" : "fenced";
  }
  if (broker.isInControlledShutdown) {
    const mustWait = hasLeadershipsToMove(image, broker.brokerId) || !haveOthersSeen;
    return mustWait ? "leaving" : "stopped";
  }
  if (wantFence) return wantShutDown ? "stopped" : "fenced";
  if (!wantShutDown) return "serving";
  const canWait = isClusterLevel(image) && hasLeadershipsToMove(image, broker.brokerId);
  return canWait ? "leaving" : "stopped";
}

function recordsOf(
  image: ClusterImage,
  broker: BrokerImage,
  next: BrokerState,
  brokerValue: BrokerValue,
): readonly MetadataRecord[] {
  if (!isClusterLevel(image)) return [];
  const { brokerId, brokerEpoch } = broker;
  const change = (to: Partial<BrokerChangeRecord>): BrokerChangeRecord => ({
    kind: "broker-change",
    version: 0,
    brokerId,
    brokerEpoch,
    ...to,
  });
  const leaving = (): readonly MetadataRecord[] =>
    recordsOfLeaving(image, { brokerId, brokerValue });
  switch (next) {
    case "serving":
      if (!broker.isFenced) return [];
      return [
        change({ isFenced: false, isInControlledShutdown: false }),
        ...recordsOfReturning(image, brokerId, brokerValue),
      ];
    case "leaving":
      if (broker.isInControlledShutdown) return leaving();
      return [...leaving(), change({ isInControlledShutdown: true })];
    case "fenced":
    case "stopped":
      return broker.isFenced ? [] : [...leaving(), change({ isFenced: true })];
  }
}
