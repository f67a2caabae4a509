/**
 * The last member of the consumer protocol left, the group went on as a classic one and called back
 * its members, and the coordinator failed before they had heard of it: its successor found a Stable
 * group, in which nobody ever got what had been the leaver's.
 */
import { expect, test } from "bun:test";
import { writeSubscription } from "../../src/api/consumer_protocol.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import type { JoinGroupRequest } from "../../src/group/group_request.ts";
import { Coordinator } from "../group/coordinator.ts";
import { consumerHeartbeat, describeGroup, heartbeat, join } from "../group/requests.ts";

const LEAVES = -1;

function classicJoin(memberId = ""): JoinGroupRequest {
  const metadata = writeSubscription({ topics: ["topic"] });
  return join({ apiVersion: 3, memberId, protocols: [{ name: "range", metadata }] });
}

interface Left {
  readonly coordinator: Coordinator;
  readonly memberId: string;
  readonly generationId: number;
}

/** A classic member, after the other one has left. */
function leftAlone(): Left {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 2);
  coordinator.ask(consumerHeartbeat());
  const { memberId, generationId = -1 } = coordinator.ask(classicJoin());
  coordinator.ask(consumerHeartbeat({ memberEpoch: LEAVES }));
  return { coordinator, memberId, generationId };
}

function heartbeatOf({ coordinator, memberId }: Left, generationId: number): ErrorCode {
  return coordinator.ask(heartbeat({ memberId, generationId })).errorCode as ErrorCode;
}

test("as long as the coordinator lives, members are called back without losing anything", () => {
  const left = leftAlone();
  expect(heartbeatOf(left, left.generationId)).toBe(ErrorCode.RebalanceInProgress);
});

test("after a failure members find out by their first heartbeat, and are called back", () => {
  const left = leftAlone();
  const { coordinator, memberId, generationId } = left;
  coordinator.restart();
  expect(heartbeatOf(left, generationId)).toBe(ErrorCode.IllegalGeneration);
  const { errorCode, leader } = coordinator.ask(classicJoin(memberId));
  expect([errorCode, leader]).toEqual([ErrorCode.None, memberId]);
  expect(coordinator.ask(describeGroup()).groupState).toBe("CompletingRebalance");
});

test("a generation that was begun before the failure is not the one that is found after it", () => {
  const left = leftAlone();
  const { coordinator, memberId, generationId } = left;
  const { generationId: begun = -1 } = coordinator.ask(classicJoin(memberId));
  expect(begun).toBeGreaterThan(generationId);
  coordinator.restart();
  expect(coordinator.ask(describeGroup()).groupState).toBe("Stable");
  expect(heartbeatOf(left, begun)).toBe(ErrorCode.IllegalGeneration);
  expect(heartbeatOf(left, generationId)).toBe(ErrorCode.IllegalGeneration);
});
