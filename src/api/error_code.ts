/**
 * The error codes of the Kafka protocol, with their names and what clients make of them.
 *
 * The list is Kafka 4.1's (`org.apache.kafka.common.protocol.Errors`): the codes, and which of them
 * are retriable, which means that the same request may succeed later, perhaps after a refresh of the
 * metadata. The sentences for people are in `error_message.ts`.
 */
import { errorMessages } from "./error_message.ts";

export const ErrorCode = {
  UnknownServerError: -1,
  None: 0,
  OffsetOutOfRange: 1,
  CorruptMessage: 2,
  UnknownTopicOrPartition: 3,
  InvalidFetchSize: 4,
  LeaderNotAvailable: 5,
  NotLeaderOrFollower: 6,
  RequestTimedOut: 7,
  BrokerNotAvailable: 8,
  ReplicaNotAvailable: 9,
  MessageTooLarge: 10,
  StaleControllerEpoch: 11,
  OffsetMetadataTooLarge: 12,
  NetworkException: 13,
  CoordinatorLoadInProgress: 14,
  CoordinatorNotAvailable: 15,
  NotCoordinator: 16,
  InvalidTopicException: 17,
  RecordListTooLarge: 18,
  NotEnoughReplicas: 19,
  NotEnoughReplicasAfterAppend: 20,
  InvalidRequiredAcks: 21,
  IllegalGeneration: 22,
  InconsistentGroupProtocol: 23,
  InvalidGroupId: 24,
  UnknownMemberId: 25,
  InvalidSessionTimeout: 26,
  RebalanceInProgress: 27,
  InvalidCommitOffsetSize: 28,
  TopicAuthorizationFailed: 29,
  GroupAuthorizationFailed: 30,
  ClusterAuthorizationFailed: 31,
  InvalidTimestamp: 32,
  UnsupportedSaslMechanism: 33,
  IllegalSaslState: 34,
  UnsupportedVersion: 35,
  TopicAlreadyExists: 36,
  InvalidPartitions: 37,
  InvalidReplicationFactor: 38,
  InvalidReplicaAssignment: 39,
  InvalidConfig: 40,
  NotController: 41,
  InvalidRequest: 42,
  UnsupportedForMessageFormat: 43,
  PolicyViolation: 44,
  OutOfOrderSequenceNumber: 45,
  DuplicateSequenceNumber: 46,
  InvalidProducerEpoch: 47,
  InvalidTxnState: 48,
  InvalidProducerIdMapping: 49,
  InvalidTransactionTimeout: 50,
  ConcurrentTransactions: 51,
  TransactionCoordinatorFenced: 52,
  TransactionalIdAuthorizationFailed: 53,
  SecurityDisabled: 54,
  OperationNotAttempted: 55,
  KafkaStorageError: 56,
  LogDirNotFound: 57,
  SaslAuthenticationFailed: 58,
  UnknownProducerId: 59,
  ReassignmentInProgress: 60,
  DelegationTokenAuthDisabled: 61,
  DelegationTokenNotFound: 62,
  DelegationTokenOwnerMismatch: 63,
  DelegationTokenRequestNotAllowed: 64,
  DelegationTokenAuthorizationFailed: 65,
  DelegationTokenExpired: 66,
  InvalidPrincipalType: 67,
  NonEmptyGroup: 68,
  GroupIdNotFound: 69,
  FetchSessionIdNotFound: 70,
  InvalidFetchSessionEpoch: 71,
  ListenerNotFound: 72,
  TopicDeletionDisabled: 73,
  FencedLeaderEpoch: 74,
  UnknownLeaderEpoch: 75,
  UnsupportedCompressionType: 76,
  StaleBrokerEpoch: 77,
  OffsetNotAvailable: 78,
  MemberIdRequired: 79,
  PreferredLeaderNotAvailable: 80,
  GroupMaxSizeReached: 81,
  FencedInstanceId: 82,
  EligibleLeadersNotAvailable: 83,
  ElectionNotNeeded: 84,
  NoReassignmentInProgress: 85,
  GroupSubscribedToTopic: 86,
  InvalidRecord: 87,
  UnstableOffsetCommit: 88,
  ThrottlingQuotaExceeded: 89,
  ProducerFenced: 90,
  ResourceNotFound: 91,
  DuplicateResource: 92,
  UnacceptableCredential: 93,
  InconsistentVoterSet: 94,
  InvalidUpdateVersion: 95,
  FeatureUpdateFailed: 96,
  PrincipalDeserializationFailure: 97,
  SnapshotNotFound: 98,
  PositionOutOfRange: 99,
  UnknownTopicId: 100,
  DuplicateBrokerRegistration: 101,
  BrokerIdNotRegistered: 102,
  InconsistentTopicId: 103,
  InconsistentClusterId: 104,
  TransactionalIdNotFound: 105,
  FetchSessionTopicIdError: 106,
  IneligibleReplica: 107,
  NewLeaderElected: 108,
  OffsetMovedToTieredStorage: 109,
  FencedMemberEpoch: 110,
  UnreleasedInstanceId: 111,
  UnsupportedAssignor: 112,
  StaleMemberEpoch: 113,
  MismatchedEndpointType: 114,
  UnsupportedEndpointType: 115,
  UnknownControllerId: 116,
  UnknownSubscriptionId: 117,
  TelemetryTooLarge: 118,
  InvalidRegistration: 119,
  TransactionAbortable: 120,
  InvalidRecordState: 121,
  ShareSessionNotFound: 122,
  InvalidShareSessionEpoch: 123,
  FencedStateEpoch: 124,
  InvalidVoterKey: 125,
  DuplicateVoter: 126,
  VoterNotFound: 127,
  InvalidRegularExpression: 128,
  RebootstrapRequired: 129,
  StreamsInvalidTopology: 130,
  StreamsInvalidTopologyEpoch: 131,
  StreamsTopologyFenced: 132,
  ShareSessionLimitReached: 133,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];
type Key = keyof typeof ErrorCode;

const RETRIABLE: ReadonlySet<Key> = new Set<Key>([
  "CorruptMessage",
  "UnknownTopicOrPartition",
  "LeaderNotAvailable",
  "NotLeaderOrFollower",
  "RequestTimedOut",
  "ReplicaNotAvailable",
  "NetworkException",
  "CoordinatorLoadInProgress",
  "CoordinatorNotAvailable",
  "NotCoordinator",
  "NotEnoughReplicas",
  "NotEnoughReplicasAfterAppend",
  "NotController",
  "ConcurrentTransactions",
  "KafkaStorageError",
  "FetchSessionIdNotFound",
  "InvalidFetchSessionEpoch",
  "ListenerNotFound",
  "FencedLeaderEpoch",
  "UnknownLeaderEpoch",
  "OffsetNotAvailable",
  "PreferredLeaderNotAvailable",
  "EligibleLeadersNotAvailable",
  "ElectionNotNeeded",
  "UnstableOffsetCommit",
  "ThrottlingQuotaExceeded",
  "UnknownTopicId",
  "InconsistentTopicId",
  "FetchSessionTopicIdError",
  "ShareSessionNotFound",
  "InvalidShareSessionEpoch",
  "ShareSessionLimitReached",
]);

/** What is known about a code. */
export interface ErrorFacts {
  readonly code: ErrorCode;
  /** Kafka's name, "OFFSET_OUT_OF_RANGE". */
  readonly name: string;
  readonly retriable: boolean;
  /** One sentence for people. */
  readonly message: string;
}

/** Every code, in the order of the codes. */
export const errorTable: readonly ErrorFacts[] = (Object.keys(ErrorCode) as Key[]).map((key) => ({
  code: ErrorCode[key],
  name: key.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase(),
  retriable: RETRIABLE.has(key),
  message: errorMessages[key],
}));

const factsByCode = new Map<number, ErrorFacts>(errorTable.map((facts) => [facts.code, facts]));
const codeByName = new Map<string, ErrorCode>(errorTable.map(({ name, code }) => [name, code]));

/** What is known about `code`; a code of a newer Kafka is an UNKNOWN_SERVER_ERROR, as in Kafka. */
export function errorFacts(code: number): ErrorFacts {
  return factsByCode.get(code) ?? factsByCode.get(ErrorCode.UnknownServerError) as ErrorFacts;
}

/** Kafka's name of a code; a code that Kafka 4.1 does not have keeps its number. */
export function errorName(code: number): string {
  return factsByCode.get(code)?.name ?? `UNKNOWN_ERROR_CODE_${code}`;
}

/** Whether the same request may succeed later. */
export function isRetriable(code: number): boolean {
  return factsByCode.get(code)?.retriable ?? false;
}

/** The code that Kafka calls `name`. */
export function errorCodeOf(name: string): ErrorCode | undefined {
  return codeByName.get(name);
}
