/** What the coordinator's error codes mean to a member. */
import { ErrorCode, errorName } from "../../api/error_code.ts";

const PASSING: ReadonlySet<number> = new Set([
  ErrorCode.CoordinatorLoadInProgress,
  ErrorCode.CoordinatorNotAvailable,
  ErrorCode.NotCoordinator,
  ErrorCode.RequestTimedOut,
  ErrorCode.UnstableOffsetCommit,
]);

/** Nothing was done, and the same question may be answered later, or by another broker. */
export function isPassing(errorCode: number): boolean {
  return PASSING.has(errorCode);
}

/** The broker that was asked is not, or not yet, the coordinator: another one is to be looked for. */
export function isElsewhere(errorCode: number): boolean {
  return errorCode === ErrorCode.NotCoordinator || errorCode === ErrorCode.CoordinatorNotAvailable;
}

/** Of a member that has been thrown out: nothing has to be done. */
export function expelledText(errorCode: number): string {
  return `The group went on without this member, which joins again: ${errorName(errorCode)}`;
}

const HINTS: ReadonlyMap<number, string> = new Map<number, string>([
  [
    ErrorCode.InconsistentGroupProtocol,
    "The members of a group must have an assignor in common: name the one that the others use",
  ],
  [
    ErrorCode.InvalidSessionTimeout,
    "Take a session timeout within the broker's group.min.session.timeout.ms and group.max.session.timeout.ms",
  ],
  [ErrorCode.InvalidGroupId, "Name the group"],
  [ErrorCode.GroupMaxSizeReached, "The group is full: see the broker's group.max.size"],
  [ErrorCode.UnsupportedAssignor, "Name an assignor of the broker's group.consumer.assignors"],
  [ErrorCode.InvalidRegularExpression, "Write the pattern in RE2's syntax"],
]);

/** What can be done about it, for an error that ends a membership. */
export function hintOf(
  errorCode: number,
  groupInstanceId: string | null,
): { readonly hint?: string } {
  if (errorCode === ErrorCode.FencedInstanceId) {
    return {
      hint: `Another consumer has taken over as ${groupInstanceId ?? "this instance"}: ` +
        "every instance id may run once",
    };
  }
  if (errorCode === ErrorCode.UnreleasedInstanceId) {
    return {
      hint: `${groupInstanceId ?? "This instance"} is in use: end the other consumer, or wait ` +
        "until its session has timed out",
    };
  }
  const hint = HINTS.get(errorCode);
  return hint === undefined ? {} : { hint };
}
