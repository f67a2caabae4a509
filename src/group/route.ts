/** From the kind of a request to what is done about it. */
import { unreachable } from "../ground/assert.ts";
import type { AnyGroup } from "./group_classes.ts";
import {
  type AnyQuestion,
  routeConsumerDescribe,
  routeConsumerHeartbeat,
  routeDescribe,
  routeHeartbeat,
  routeJoin,
  routeLeave,
  routeSync,
} from "./group_routes.ts";
import { routeCommit, routeDelete, routeFetch, routeOffsetDelete } from "./offset_routes.ts";
import type { ShardTurn } from "./shard_turn.ts";

/** Gives the group that the request makes, if it makes one. */
export function route(turn: ShardTurn, question: AnyQuestion): AnyGroup | undefined {
  switch (question.kind) {
    case "JoinGroup":
      return routeJoin(turn, question);
    case "ConsumerGroupHeartbeat":
      return routeConsumerHeartbeat(turn, question);
    case "SyncGroup":
      return void routeSync(turn, question);
    case "Heartbeat":
      return void routeHeartbeat(turn, question);
    case "LeaveGroup":
      return void routeLeave(turn, question);
    case "OffsetCommit":
      return void routeCommit(turn, question);
    case "OffsetFetch":
      return void routeFetch(turn, question);
    case "OffsetDelete":
      return void routeOffsetDelete(turn, question);
    case "DescribeGroup":
      return void routeDescribe(turn, question);
    case "ConsumerGroupDescribe":
      return void routeConsumerDescribe(turn, question);
    case "DeleteGroup":
      return void routeDelete(turn, question);
    default:
      return unreachable(question);
  }
}
