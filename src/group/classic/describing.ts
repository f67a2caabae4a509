/** DescribeGroups for one classic group (kafka: GroupMetadataManager.describeGroups). */
import { ErrorCode } from "../../api/error_code.ts";
import type { DescribedGroup } from "../group_request.ts";
import { EMPTY_ASSIGNMENT, metadataOf } from "./classic_member.ts";
import type { ClassicCore } from "./core.ts";

/** What members say of themselves is told of a Stable group only: before, no protocol is agreed on. */
export function describeClassicGroup(core: ClassicCore, includeHistory: boolean): DescribedGroup {
  const protocolData = core.phase === "Stable" ? core.protocolName ?? "" : "";
  return {
    errorCode: ErrorCode.None,
    groupId: core.groupId,
    groupState: core.phase,
    protocolType: core.protocolType ?? "",
    protocolData,
    members: Array.from(core.members.values(), (member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: protocolData === ""
        ? EMPTY_ASSIGNMENT
        : metadataOf(member, protocolData) ?? EMPTY_ASSIGNMENT,
      memberAssignment: member.assignment,
    })),
    ...(includeHistory ? { history: core.history.entries() } : {}),
  };
}
