/**
 * A coordinator that had lost its log, given to another broker by an operator, knew nothing of its groups.
 * It answered the heartbeats of their members with GROUP_ID_NOT_FOUND, which members of the consumer
 * protocol took for the end: all consumers of the group stopped for good.
 */
import { expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { ConsumerMembership } from "../../src/client/group/membership_consumer.ts";

test("a member whose group is not there any more joins anew", () => {
  const machine = new ConsumerMembership({
    groupId: "g",
    memberId: "me",
    groupInstanceId: null,
    pattern: null,
    rackId: null,
    remoteAssignor: null,
    rebalanceTimeoutMs: 60_000,
    backoffMs: () => 10,
  });
  const beat = (now: number): unknown => {
    const action = machine.next(now);
    return action?.kind === "ask" && action.what === "consumer-heartbeat"
      ? action.body.memberEpoch
      : action;
  };
  const hear = (now: number, errorCode: ErrorCode, life: number): void => {
    const rest = { errorMessage: null, memberId: "me", assignment: null, throttleTimeMs: 0 };
    const response = { ...rest, errorCode, memberEpoch: 7, heartbeatIntervalMs: 1000 };
    machine.answered(now, { life, what: "consumer-heartbeat", response });
  };
  machine.subscribe(0, ["t"]);
  expect(beat(0)).toBe(0);
  hear(0, ErrorCode.None, 0);
  expect(beat(2000)).toBe(7);
  hear(2000, ErrorCode.GroupIdNotFound, 0);
  const told: unknown[] = [];
  for (let action = beat(9000); action !== undefined; action = beat(9000)) told.push(action);
  expect(told.at(-1)).toBe(0);
});
