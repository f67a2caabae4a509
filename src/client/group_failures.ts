/** The errors of a group consumer in words. */
import { ErrorCode } from "../api/error_code.ts";
import { ClientError, errorOfCode } from "./client_error.ts";
import type { MembershipAction } from "./group/membership.ts";
import type { TopicPartition } from "./group_options.ts";

/** The coordinator will not have this member, now or later. */
export function endingError(
  groupId: string,
  { errorCode, detail, hint }: Extract<MembershipAction, { readonly kind: "fail" }>,
): ClientError {
  const error = errorOfCode(errorCode, `Cannot be a member of group ${groupId}`, detail);
  const advice = hint ?? error.hint;
  return new ClientError(error.code, error.message, advice === undefined ? {} : { hint: advice });
}

/** It was lost while the application was at it: its next owner reads the same records. */
export function lateError({ topic, partition }: TopicPartition): ClientError {
  const action = `Cannot commit ${topic}-${partition}`;
  return errorOfCode(ErrorCode.UnknownMemberId, action, "it was lost before it was done");
}
