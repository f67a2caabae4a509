/**
 * A classic group that rebalanced cooperatively went on as a consumer group: what the leader had not
 * assigned to anybody, because its last assignment was void by then, or because it had just taken it
 * away, was given to whoever came, though a member still read it.
 */
import { expect, test } from "bun:test";
import { writeAssignment, writeSubscription } from "../../src/api/consumer_protocol.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import type { JoinGroupRequest } from "../../src/group/group_request.ts";
import { Coordinator } from "../group/coordinator.ts";
import { consumerHeartbeat, describeConsumerGroup, join, sync } from "../group/requests.ts";

const PROTOCOL = "cooperative-sticky";

/** In version 3 nobody is sent back for an id first. */
function joinOwning(
  partitions: readonly number[],
  { memberId = "", generationId = -1 } = {},
): JoinGroupRequest {
  const ownedPartitions = partitions.length === 0 ? [] : [{ topic: "topic", partitions }];
  const metadata = writeSubscription({ topics: ["topic"], ownedPartitions, generationId });
  return join({ apiVersion: 3, memberId, protocols: [{ name: PROTOCOL, metadata }] });
}

/** What each member has, in their order; the newcomer of the consumer protocol last. */
function possessionsAfterUpgrade(coordinator: Coordinator): readonly (readonly number[])[] {
  const { errorCode, assignment } = coordinator.ask(consumerHeartbeat());
  expect(errorCode).toBe(ErrorCode.None);
  const { members = [] } = coordinator.ask(describeConsumerGroup());
  const theirs = members.filter(({ memberId }) => memberId !== "member")
    .map(({ assignment }) => assignment.topicPartitions);
  return [...theirs, assignment?.topicPartitions ?? []]
    .map((topics) => topics.flatMap(({ partitions }) => partitions));
}

test("who rebalances cooperatively keeps what it reads, until it is told to give it back", () => {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 2);
  const { memberId, generationId = -1 } = coordinator.ask(joinOwning([]));
  const assignedPartitions = [{ topic: "topic", partitions: [0, 1] }];
  const { errorCode } = coordinator.ask(sync({
    memberId,
    generationId,
    protocolName: PROTOCOL,
    assignments: [{ memberId, assignment: writeAssignment({ assignedPartitions }) }],
  }));
  expect(errorCode).toBe(ErrorCode.None);
  // A generation in which it has not synced is cut short by the next.
  coordinator.ask(joinOwning([0, 1], { memberId, generationId }));
  coordinator.send(joinOwning([]));
  expect(possessionsAfterUpgrade(coordinator)).toEqual([[0, 1], [], []]);
});

test("of two that say they have the same, the one of the later generation has it", () => {
  const coordinator = new Coordinator({ settings: { groupInitialRebalanceDelayMs: 3000 } });
  coordinator.createTopic("topic", 3);
  const before = coordinator.send(joinOwning([0, 1], { generationId: 5 }));
  const after = coordinator.send(joinOwning([1, 2, 7], { generationId: 6 }));
  coordinator.advance(10_000);
  expect(before.answer?.generationId).toBe(1);
  expect(after.answer?.generationId).toBe(1);
  expect(possessionsAfterUpgrade(coordinator)).toEqual([[0], [1, 2], []]);
});

test("what the leader has just taken away is still read by who had it", () => {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 1);
  const { memberId, generationId = -1 } = coordinator.ask(joinOwning([0], { generationId: 5 }));
  coordinator.ask(sync({ memberId, generationId, protocolName: PROTOCOL }));
  expect(possessionsAfterUpgrade(coordinator)).toEqual([[0], []]);
});
