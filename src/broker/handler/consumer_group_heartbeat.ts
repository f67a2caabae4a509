/** ConsumerGroupHeartbeat: a member of a group of KIP-848 joins, stays, reports and leaves. */
import { consumerGroupHeartbeat } from "../../api/consumer_group_heartbeat.ts";
import { ErrorCode } from "../../api/error_code.ts";
import { refuseHeartbeat } from "../../group/consumer/heartbeat_check.ts";
import type { ConsumerGroupHeartbeatRequest } from "../../group/group_request.ts";
import { callerOf } from "../group_call.ts";
import { hasConsumerGroups } from "../consumer_groups.ts";
import { type Answer, defineHandler } from "../handler.ts";

type Beat = Answer<typeof consumerGroupHeartbeat>;

export const consumerGroupHeartbeatHandler = defineHandler({
  api: consumerGroupHeartbeat,
  handle(broker, body, call): Beat | Promise<Beat> {
    if (!hasConsumerGroups(broker)) {
      return { errorCode: ErrorCode.UnsupportedVersion, heartbeatIntervalMs: 0 };
    }
    const caller = callerOf(call);
    const request: ConsumerGroupHeartbeatRequest = { kind: "ConsumerGroupHeartbeat", body, caller };
    // Before a coordinator is looked for, as in Kafka: an empty group id belongs to none.
    const refusal = refuseHeartbeat(request, broker.settings.get("group.consumer.assignors"));
    if (refusal !== undefined) {
      const { errorCode, message: errorMessage } = refusal;
      return { errorCode, errorMessage, heartbeatIntervalMs: 0 };
    }
    // Patterns are judged by an engine that is only loaded when somebody needs it.
    const hasPattern = (body.subscribedTopicRegex ?? "") !== "";
    const loading = hasPattern ? broker.loadRegexes() : undefined;
    return loading === undefined
      ? broker.groups.ask(request)
      : loading.then(() => broker.groups.ask(request));
  },
});
