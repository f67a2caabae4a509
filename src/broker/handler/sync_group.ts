/** SyncGroup: the leader of a classic group hands in the assignments, every member gets its own. */
import { ErrorCode } from "../../api/error_code.ts";
import { syncGroup } from "../../api/sync_group.ts";
import { errorResponse } from "../../group/error_response.ts";
import type { SyncGroupRequest } from "../../group/group_request.ts";
import { callerOf } from "../group_call.ts";
import { type Answer, defineHandler } from "../handler.ts";

/** From this version on both are to be named (KIP-559). */
const PROTOCOL_FROM_VERSION = 5;

export const syncGroupHandler = defineHandler({
  api: syncGroup,
  handle(broker, body, call): Answer<typeof syncGroup> | Promise<Answer<typeof syncGroup>> {
    const request: SyncGroupRequest = { kind: "SyncGroup", body, caller: callerOf(call) };
    const isUnnamed = body.protocolType === null || body.protocolName === null;
    if (call.apiVersion >= PROTOCOL_FROM_VERSION && isUnnamed) {
      return errorResponse(request, ErrorCode.InconsistentGroupProtocol);
    }
    return body.groupId === ""
      ? errorResponse(request, ErrorCode.InvalidGroupId)
      : broker.groups.ask(request);
  },
});
