/**
 * A broker tells who it is and where it can be reached (KIP-631). Every start is a new incarnation with
 * a new broker epoch, the offset of its registration; it is fenced until it has caught up.
 *
 * A broker that comes back may have lost the newest of what it had, and nothing of it is reachable: it
 * leaves every ISR in which somebody else stays. While the incarnation before is heard of, another one
 * of the same id is refused: two processes must not take turns.
 * Source: kafka: ClusterControlManager.registerBroker, ReplicationControlManager.handleBrokerShutdown.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { RegisterBrokerRequest as BrokerRegistration } from "../../api/own/register_broker.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import { recordsOfLeaving, recordsOfReturning } from "../broker_moves.ts";
import type { Decision } from "../decision.ts";
import { METADATA_VERSION } from "../feature.ts";
import type { BrokerImage, ClusterImage } from "../image.ts";
import { isClusterLevel } from "../level_gate.ts";
import type { ListenerAddress, MetadataRecord, RegisterBrokerRecord } from "../record.ts";
import { type Refusal, refusal } from "../refusal.ts";
import type { BrokerValue } from "../topic_config.ts";

export interface RegisterBrokerRequest extends BrokerRegistration {
  /** What the broker's own must be. */
  readonly expectedClusterId: string;
  /**
   * Whether the incarnation that is registered was heard of within its session. False for the node
   * that decides: what was there before is itself.
   */
  readonly isInContact: boolean;
  /**
   * It serves at once: for the node that decides, which has all that it could wait for. So the start
   * of a node alone is one record.
   */
  readonly startsUnfenced?: boolean;
  readonly brokerValue: BrokerValue;
}

export interface RegisteredBroker {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
  /** Undefined = the offset of the record, as `image.broker(brokerId)` tells when it is replayed. */
  readonly brokerEpoch: number | undefined;
}

export function decideRegisterBroker(
  image: ClusterImage,
  request: RegisterBrokerRequest,
): Decision<RegisteredBroker> {
  const existing = image.broker(request.brokerId);
  const reason = refuseRegistration(image, request, existing) ?? refuseFeatures(image, request);
  if (reason !== undefined) return { records: [], reply: { ...reason, brokerEpoch: -1 } };
  const isSame = existing?.incarnationId === request.incarnationId;
  return {
    records: isSame ? amended(image, request, existing) : registered(image, request, existing),
    reply: {
      errorCode: ErrorCode.None,
      errorMessage: null,
      brokerEpoch: isSame ? existing.brokerEpoch : undefined,
    },
  };
}

function refuseRegistration(
  image: ClusterImage,
  request: RegisterBrokerRequest,
  existing: BrokerImage | undefined,
): Refusal | undefined {
  const { clusterId, expectedClusterId } = request;
  if (clusterId !== expectedClusterId) {
    return refusal(
      ErrorCode.InconsistentClusterId,
      `Expected cluster ID ${expectedClusterId}, but got cluster ID ${clusterId}`,
    );
  }
  const isOther = existing !== undefined && existing.incarnationId !== request.incarnationId;
  // A fenced one has no session (kafka: BrokerHeartbeatManager.hasValidSession).
  if (isOther && !existing.isFenced && request.isInContact) {
    return refusal(
      ErrorCode.DuplicateBrokerRegistration,
      "Another broker is registered with that broker id. If the broker was recently restarted " +
        "this should self-resolve once the heartbeat manager expires the broker's session.",
    );
  }
  const wrong = wrongDirectory(image, request) ?? wrongCard(request);
  return wrong === undefined ? undefined : refusal(ErrorCode.InvalidRegistration, wrong);
}

function wrongCard({ listeners, features }: BrokerRegistration): string | undefined {
  if (listeners.length === 0) return "No listeners specified in request";
  if (listeners.some(({ name, host }) => name === "" || host === "")) {
    return "A listener without a name or a host in request";
  }
  if (features.some(({ name }) => name === "")) return "A feature without a name in request";
  return features.some(({ name }) => name === METADATA_VERSION)
    ? undefined
    : `Request features do not contain '${METADATA_VERSION}'`;
}

function wrongDirectory(
  image: ClusterImage,
  { brokerId, directoryIds }: BrokerRegistration,
): string | undefined {
  if (directoryIds.length === 0) return "No directories specified in request";
  if (directoryIds.includes(ZERO_UUID)) return "Reserved directory ID in request";
  if (new Set(directoryIds).size !== directoryIds.length) {
    return "Duplicate directory ID in request";
  }
  for (const other of image.brokers()) {
    if (other.brokerId === brokerId) continue;
    const shared = directoryIds.find((directoryId) => other.directoryIds.includes(directoryId));
    if (shared !== undefined) {
      return `Broker ${other.brokerId} is already registered with directory ${shared}`;
    }
  }
  return undefined;
}

/** Every feature in force must be one that the broker can work with. */
function refuseFeatures(
  image: ClusterImage,
  { features }: BrokerRegistration,
): Refusal | undefined {
  const inForce = new Map(image.featureLevels());
  inForce.set(METADATA_VERSION, image.metadataVersion());
  for (const [name, level] of inForce) {
    const range = features.find((feature) => feature.name === name);
    const { minVersion, maxVersion } = range ?? { minVersion: 0, maxVersion: 0 };
    if (level >= minVersion && level <= maxVersion) continue;
    return refusal(
      ErrorCode.UnsupportedVersion,
      `Unable to register because the broker does not support finalized version ${level} of ` +
        `${name}. The broker wants a version between ${minVersion} and ${maxVersion}, inclusive.`,
    );
  }
  return undefined;
}

/** The same incarnation tells something else of itself: it stays what it is otherwise. */
function amended(
  image: ClusterImage,
  request: RegisterBrokerRequest,
  existing: BrokerImage,
): readonly MetadataRecord[] {
  const { brokerEpoch, isFenced, isInControlledShutdown } = existing;
  const isChanged = JSON.stringify(describe(request)) !== JSON.stringify(describe(existing));
  if (!isChanged || !isClusterLevel(image)) return [];
  return [{
    kind: "register-broker",
    version: 1,
    ...describe(request),
    isFenced,
    ...(isInControlledShutdown ? { isInControlledShutdown } : {}),
    brokerEpoch,
  }];
}

function registered(
  image: ClusterImage,
  request: RegisterBrokerRequest,
  existing: BrokerImage | undefined,
): readonly MetadataRecord[] {
  if (!isClusterLevel(image)) return [atFirst(request)];
  const { brokerId, brokerValue, previousBrokerEpoch, isClean } = request;
  const isFenced = request.startsUnfenced !== true;
  const isIntact = isClean && previousBrokerEpoch === existing?.brokerEpoch;
  const mayHaveLost = !isIntact;
  const leaving = recordsOfLeaving(image, {
    brokerId,
    brokerValue,
    mayHaveLost,
    isBack: !isFenced,
  });
  const record: RegisterBrokerRecord = {
    kind: "register-broker",
    version: 1,
    ...describe(request),
    isFenced,
  };
  if (isFenced) return [...leaving, record];
  // No partition is in both: what it leaves it leads, or somebody else stays in the ISR; what it takes
  // over nobody can lead.
  return [...leaving, record, ...recordsOfReturning(image, brokerId, brokerValue)];
}

function atFirst({ brokerId, incarnationId, listeners, rack }: BrokerRegistration): MetadataRecord {
  const { host, port } = listeners[0] as ListenerAddress;
  return { kind: "register-broker", version: 0, brokerId, incarnationId, host, port, rack };
}

type Described = Pick<
  BrokerRegistration,
  "brokerId" | "incarnationId" | "listeners" | "rack" | "features" | "directoryIds"
>;

function describe(
  { brokerId, incarnationId, listeners, rack, features, directoryIds }: Described,
): Described {
  return { brokerId, incarnationId, listeners, rack, features, directoryIds };
}
