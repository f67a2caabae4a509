/**
 * A static member came back with the consumer protocol, and the group followed it without a new epoch:
 * what the classic leader had not assigned, because it had not synced yet or a topic had grown since,
 * stayed unassigned for ever.
 */
import { expect, test } from "bun:test";
import { writeAssignment, writeSubscription } from "../../src/api/consumer_protocol.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { Coordinator } from "../group/coordinator.ts";
import { consumerHeartbeat, join, sync } from "../group/requests.ts";

const groupInstanceId = "i";
const INSTANCE = { groupInstanceId };

function joined(coordinator: Coordinator): { memberId: string; generationId: number } {
  const metadata = writeSubscription({ topics: ["topic"] });
  const { errorCode, memberId, generationId = -1 } = coordinator.ask(
    join({ ...INSTANCE, protocols: [{ name: "range", metadata }] }),
  );
  expect(errorCode).toBe(ErrorCode.None);
  return { memberId, generationId };
}

function synced(coordinator: Coordinator, partitions: readonly number[]): void {
  const { memberId, generationId } = joined(coordinator);
  const assignment = writeAssignment({ assignedPartitions: [{ topic: "topic", partitions }] });
  const { errorCode } = coordinator.ask(
    sync({ ...INSTANCE, memberId, generationId, assignments: [{ memberId, assignment }] }),
  );
  expect(errorCode).toBe(ErrorCode.None);
}

/** The epoch in which it is, and what it has, once it has come back. */
function comesBack(coordinator: Coordinator): readonly unknown[] {
  const { memberEpoch, assignment } = coordinator.ask(
    consumerHeartbeat({ instanceId: groupInstanceId }),
  );
  return [memberEpoch, ...(assignment?.topicPartitions ?? []).flatMap((one) => one.partitions)];
}

test("a static member that has not synced is assigned what there is when it comes back", () => {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 2);
  joined(coordinator);
  expect(comesBack(coordinator)).toEqual([2, 0, 1]);
});

test("a topic that has grown since the leader assigned is assigned whole", () => {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 2);
  synced(coordinator, [0, 1]);
  coordinator.addPartitions("topic", 3);
  expect(comesBack(coordinator)).toEqual([2, 0, 1, 2]);
});

test("where everything is assigned there is no new epoch", () => {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 2);
  synced(coordinator, [0, 1]);
  expect(comesBack(coordinator)).toEqual([1, 0, 1]);
});
