/** The options of a group consumer with their defaults, and the machine that they ask for. */
import { bytesOf } from "../ground/text.ts";
import { uuidFromEntropy } from "../ground/uuid.ts";
import { ClientError } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import { type ConsumerSettings, consumerSettings, type Isolation } from "./consumer_options.ts";
import type { Membership, MembershipOptions } from "./group/membership.ts";
import { ClassicMembership } from "./group/membership_classic.ts";
import { ConsumerMembership } from "./group/membership_consumer.ts";
import type { GroupConsumerOptions } from "./group_options.ts";
import type { OffsetPoint } from "./offset_range.ts";
import { backoffMs } from "./retry.ts";

export interface GroupSettings {
  readonly isClassic: boolean;
  readonly topics: readonly string[];
  /** Instead of topics. */
  readonly pattern: string | undefined;
  /** Of "classic"; under "consumer" Kafka's, since the coordinator does not tell its own. */
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly maxProcessingMs: number;
  readonly from: OffsetPoint;
  readonly isolation: Isolation;
  readonly isAuto: boolean;
  readonly autoCommitIntervalMs: number;
  readonly metadataMaxAgeMs: number;
  readonly consumer: ConsumerSettings;
}

const REBALANCE_TIMEOUT_MS = 5 * 60_000; // Kafka's max.poll.interval.ms
const SESSION_TIMEOUT_MS = 45_000;
const HEARTBEAT_INTERVAL_MS = 3000;
const AUTO_COMMIT_INTERVAL_MS = 5000;
const METADATA_MAX_AGE_MS = 5 * 60_000;
/** What the protocol has room for. */
const STRING_BYTES_MAX = 0x7fff;
/** As for the name of a topic. */
const INSTANCE_LENGTH_MAX = 249;
const SHOWN_LENGTH_MAX = 40;

/** Throws a `ClientError` where the options make no sense together. */
export function groupSettings(
  options: GroupConsumerOptions,
  requestTimeoutMs: number,
): GroupSettings {
  rejectSenseless(options);
  const { topics, from = { kind: "end" }, rebalanceTimeoutMs = REBALANCE_TIMEOUT_MS } = options;
  const pattern = "pattern" in topics ? topics.pattern : undefined;
  const onOutOfRange = options.onOutOfRange ?? (from.kind === "end" ? "end" : "start");
  const retry = options.onRetry === undefined ? {} : { onRetry: options.onRetry.bind(options) };
  const { protocol = "classic", commit = "auto", isolation = "read_uncommitted" } = options;
  return {
    isClassic: protocol === "classic",
    topics: "pattern" in topics ? [] : topics,
    pattern,
    sessionTimeoutMs: sessionTimeoutOf(options),
    rebalanceTimeoutMs,
    maxProcessingMs: options.maxProcessingMs ?? rebalanceTimeoutMs,
    from,
    isolation,
    isAuto: commit === "auto",
    autoCommitIntervalMs: options.autoCommitIntervalMs ?? AUTO_COMMIT_INTERVAL_MS,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? METADATA_MAX_AGE_MS,
    consumer: consumerSettings(
      { ...fetchOptions(options), assignments: [], onOutOfRange, ...retry },
      requestTimeoutMs,
    ),
  };
}

function sessionTimeoutOf({ protocol, sessionTimeoutMs }: GroupConsumerOptions): number {
  const isTold = protocol !== "consumer" && sessionTimeoutMs !== undefined;
  return isTold ? sessionTimeoutMs : SESSION_TIMEOUT_MS;
}

type FetchOptionName =
  | "isolation"
  | "maxBytes"
  | "partitionMaxBytes"
  | "minBytes"
  | "maxWaitMs"
  | "checkCrcs"
  | "inflatedBytesMax";

function fetchOptions(options: GroupConsumerOptions): Pick<GroupConsumerOptions, FetchOptionName> {
  const { isolation, maxBytes, partitionMaxBytes, minBytes, maxWaitMs, checkCrcs } = options;
  const { inflatedBytesMax } = options;
  const given = {
    isolation,
    maxBytes,
    partitionMaxBytes,
    minBytes,
    maxWaitMs,
    checkCrcs,
    inflatedBytesMax,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export function newMembership(
  { env }: ClientTools,
  options: GroupConsumerOptions,
  settings: GroupSettings,
): Membership {
  const shared: MembershipOptions = {
    groupId: options.groupId,
    groupInstanceId: options.instanceId ?? null,
    rackId: options.rackId ?? null,
    rebalanceTimeoutMs: settings.rebalanceTimeoutMs,
    backoffMs: (attempt) => backoffMs(attempt, env.random),
  };
  if (settings.isClassic) {
    return new ClassicMembership({
      ...shared,
      assignors: options.assignors ?? ["cooperative-sticky"],
      sessionTimeoutMs: settings.sessionTimeoutMs,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MS,
    });
  }
  return new ConsumerMembership({
    ...shared,
    memberId: uuidFromEntropy(env.crypto.randomBytes(16)),
    remoteAssignor: options.remoteAssignor ?? null,
    pattern: settings.pattern ?? null,
  });
}

/**
 * What a broker would refuse, or cut the connection for, is refused before anything is sent.
 * Source: kafka GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid,
 * JoinGroupRequest.validateGroupInstanceId.
 */
function rejectSenseless(options: GroupConsumerOptions): void {
  const { groupId, instanceId, rackId, topics, assignors, protocol } = options;
  if (groupId === "") throw refused("the group has no name");
  const nameBytes = bytesOf(groupId).length;
  if (nameBytes > STRING_BYTES_MAX) {
    throw refused(`the group's name has ${nameBytes} bytes, at most ${STRING_BYTES_MAX} may be`);
  }
  if (protocol === "consumer" && isBlank(groupId)) throw refused("the group's name is blank");
  if (instanceId !== undefined) rejectInstance(instanceId);
  if (rackId !== undefined && isBlank(rackId)) throw refused("the rack's name is blank");
  if (Array.isArray(topics) && topics.length === 0) throw refused("no topic was named");
  if (assignors?.length === 0) throw refused("no assignor was named");
}

function rejectInstance(instanceId: string): void {
  const isNamed = /^[a-zA-Z0-9._-]+$/.test(instanceId) && instanceId !== "." && instanceId !== "..";
  if (isNamed && instanceId.length <= INSTANCE_LENGTH_MAX) return;
  const shown = instanceId.length > SHOWN_LENGTH_MAX
    ? `${instanceId.slice(0, SHOWN_LENGTH_MAX)}…`
    : instanceId;
  throw refused(
    `the instance id "${shown}" is none`,
    `Use letters, digits, '.', '_' and '-', at most ${INSTANCE_LENGTH_MAX} of them`,
  );
}

/** As Java's trim sees it. */
function isBlank(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x20) return false;
  return true;
}

function refused(reason: string, hint?: string): ClientError {
  const message = `Cannot consume as a group: ${reason}`;
  return new ClientError("INVALID_REQUEST", message, hint === undefined ? {} : { hint });
}
