/** The options of a group consumer with their defaults, and the machine that they ask for. */
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
      sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
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

function rejectSenseless({ groupId, topics, assignors }: GroupConsumerOptions): void {
  if (groupId === "") throw refused("the group has no name");
  if (Array.isArray(topics) && topics.length === 0) throw refused("no topic was named");
  if (assignors?.length === 0) throw refused("no assignor was named");
}

function refused(reason: string): ClientError {
  return new ClientError("INVALID_REQUEST", `Cannot consume as a group: ${reason}`);
}
