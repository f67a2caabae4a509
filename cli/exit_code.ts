/**
 * Exit codes of `mq`, and which error ends with which of them.
 *
 * They are a contract with shell scripts (`mq help exit-codes`): a code never changes its meaning,
 * and a failure of one target among several is a failure.
 */
export const ExitCode = {
  /** Done; also when the reader of stdout closed the pipe. */
  Done: 0,
  Failed: 1,
  Usage: 2,
  NotFound: 3,
  NotAuthorised: 4,
  Unreachable: 5,
  /** Asked, and the answer is no. */
  No: 10,
  Interrupted: 130,
  Terminated: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Names of errors, Kafka's and our own, that do not end with `Failed`. */
const exitCodes: ReadonlyMap<string, ExitCode> = new Map<string, ExitCode>([
  ["USAGE", ExitCode.Usage],
  ["BAD_SETTING", ExitCode.Usage],
  ["INVALID_CONFIG", ExitCode.Usage],
  ["INVALID_PARTITIONS", ExitCode.Usage],
  ["INVALID_UPDATE_VERSION", ExitCode.Usage],
  ["INVALID_TOPIC_EXCEPTION", ExitCode.Usage],
  ["NOT_FOUND", ExitCode.NotFound],
  ["UNKNOWN_TOPIC_OR_PARTITION", ExitCode.NotFound],
  ["UNKNOWN_TOPIC_ID", ExitCode.NotFound],
  ["RESOURCE_NOT_FOUND", ExitCode.NotFound],
  ["GROUP_ID_NOT_FOUND", ExitCode.NotFound],
  ["TRANSACTIONAL_ID_NOT_FOUND", ExitCode.NotFound],
  ["BROKER_ID_NOT_REGISTERED", ExitCode.NotFound],
  ["VOTER_NOT_FOUND", ExitCode.NotFound],
  ["SASL_AUTHENTICATION_FAILED", ExitCode.NotAuthorised],
  ["UNSUPPORTED_SASL_MECHANISM", ExitCode.NotAuthorised],
  ["SECURITY_DISABLED", ExitCode.NotAuthorised],
  ["UNREACHABLE", ExitCode.Unreachable],
  ["TIMEOUT", ExitCode.Unreachable],
  ["REQUEST_TIMED_OUT", ExitCode.Unreachable],
  ["NETWORK_EXCEPTION", ExitCode.Unreachable],
  ["BROKER_NOT_AVAILABLE", ExitCode.Unreachable],
  ["LEADER_NOT_AVAILABLE", ExitCode.Unreachable],
  ["COORDINATOR_NOT_AVAILABLE", ExitCode.Unreachable],
]);

export function exitCodeOf(errorName: string): ExitCode {
  if (errorName.endsWith("_AUTHORIZATION_FAILED")) return ExitCode.NotAuthorised;
  return exitCodes.get(errorName) ?? ExitCode.Failed;
}
