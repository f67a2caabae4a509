/**
 * The last member of the consumer protocol was a static one, and came back with the classic protocol.
 * The group went on as a classic one without a rebalance, in which a member that still waited for its
 * partitions was never told of them: nobody read them from then on. Nor did anybody know that it led
 * the group, so that of a topic that grew the new partitions were read by nobody.
 */
import { expect, test } from "bun:test";
import { readAssignment, writeSubscription } from "../../src/api/consumer_protocol.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import type { JoinGroupRequest } from "../../src/group/group_request.ts";
import { Coordinator } from "../group/coordinator.ts";
import {
  consumerHeartbeat,
  describeGroup,
  heartbeat,
  join,
  leave,
  sync,
} from "../group/requests.ts";

function classicJoin(groupInstanceId: string | null, memberId = ""): JoinGroupRequest {
  const metadata = writeSubscription({ topics: ["topic"] });
  // In version 3 nobody is sent back for an id first.
  const apiVersion = groupInstanceId === null ? 3 : 9;
  const protocols = [{ name: "range", metadata }];
  return join({ apiVersion, memberId, groupInstanceId, protocols });
}

function partitionsOf(coordinator: Coordinator, memberId: string, generationId: number): unknown {
  const { errorCode, assignment } = coordinator.ask(sync({ memberId, generationId }));
  expect(errorCode).toBe(ErrorCode.None);
  return readAssignment(assignment ?? new Uint8Array(0))?.assignedPartitions;
}

function stateOf(coordinator: Coordinator): string {
  return coordinator.ask(describeGroup()).groupState;
}

test("who waits for partitions is called back when the group goes on with the classic protocol", () => {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 2);
  coordinator.ask(consumerHeartbeat({ instanceId: "i" }));
  const { memberId, generationId = -1 } = coordinator.ask(classicJoin(null));
  expect(partitionsOf(coordinator, memberId, generationId)).toEqual([]);
  expect(coordinator.ask(heartbeat({ memberId, generationId })).errorCode).toBe(ErrorCode.None);
  coordinator.ask(classicJoin("i"));
  expect(stateOf(coordinator)).toBe("PreparingRebalance");
  expect(coordinator.ask(heartbeat({ memberId, generationId })).errorCode)
    .toBe(ErrorCode.RebalanceInProgress);
});

test("where everybody has its own, the members are called back too: nobody is the leader yet", () => {
  const coordinator = new Coordinator();
  const topicId = coordinator.createTopic("topic", 2);
  const instance = { instanceId: "i" };
  coordinator.ask(consumerHeartbeat(instance));
  const { memberId, generationId: first = -1 } = coordinator.ask(classicJoin(null));
  expect(partitionsOf(coordinator, memberId, first)).toEqual([]);
  const topicPartitions = [{ topicId, partitions: [0] }];
  coordinator.ask(consumerHeartbeat({
    ...instance,
    memberEpoch: 1,
    topicPartitions: [{ topicId, partitions: [0, 1] }],
  }));
  coordinator.ask(consumerHeartbeat({ ...instance, memberEpoch: 1, topicPartitions }));
  const { generationId = -1 } = coordinator.ask(classicJoin(null, memberId));
  expect(partitionsOf(coordinator, memberId, generationId))
    .toEqual([{ topic: "topic", partitions: [1] }]);
  coordinator.ask(classicJoin("i"));
  expect(stateOf(coordinator)).toBe("PreparingRebalance");
});

test("so they are where the targets are out of date", () => {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 2);
  coordinator.ask(consumerHeartbeat({ instanceId: "i" }));
  const { memberId } = coordinator.ask(classicJoin(null));
  coordinator.ask(classicJoin(null));
  coordinator.ask(leave(memberId));
  coordinator.ask(classicJoin("i"));
  expect(stateOf(coordinator)).toBe("PreparingRebalance");
});
