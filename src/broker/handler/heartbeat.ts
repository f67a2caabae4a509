/** Heartbeat: a member of a classic group is alive, and hears whether to join again. */
import { ErrorCode } from "../../api/error_code.ts";
import { heartbeat } from "../../api/heartbeat.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { callerOf } from "../group_call.ts";

export const heartbeatHandler = defineHandler({
  api: heartbeat,
  handle(broker, body, call): Answer<typeof heartbeat> | Promise<Answer<typeof heartbeat>> {
    if (body.groupId === "") return { errorCode: ErrorCode.InvalidGroupId };
    return broker.groups.ask({ kind: "Heartbeat", body, caller: callerOf(call) });
  },
});
