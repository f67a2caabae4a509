/** Whether somebody is who it says it is (kafka: ClassicGroup.validateMember). */
import { ErrorCode } from "../../api/error_code.ts";
import type { ClassicCore } from "./core.ts";

/** A static name that another member id has by now fences the one who had it before (KIP-345). */
export function refuseMember(
  { members }: ClassicCore,
  memberId: string,
  groupInstanceId: string | null,
): ErrorCode | undefined {
  if (groupInstanceId !== null) {
    const ownerId = members.staticId(groupInstanceId);
    if (ownerId === undefined) return ErrorCode.UnknownMemberId;
    if (ownerId !== memberId) return ErrorCode.FencedInstanceId;
  }
  return members.get(memberId) === undefined ? ErrorCode.UnknownMemberId : undefined;
}
