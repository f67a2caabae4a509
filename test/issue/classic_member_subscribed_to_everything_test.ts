/**
 * How many names a member of a consumer group may be subscribed to was asked in its heartbeat alone: one of
 * the classic protocol brought a million, by JoinGroup or with its group, and every change of the group
 * looks at all of them.
 */
import { expect, test } from "bun:test";
import { writeSubscription } from "../../src/api/consumer_protocol.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { Coordinator } from "../group/coordinator.ts";
import { consumerHeartbeat, join, sync } from "../group/requests.ts";

function joinWith(nameCount: number): ReturnType<typeof join> {
  const topics = Array.from({ length: nameCount }, (_, at) => `topic${at}`);
  const metadata = writeSubscription({ topics });
  return join({ apiVersion: 3, protocols: [{ name: "range", metadata }] });
}

test("a classic member of a consumer group has as many names as the others", () => {
  const coordinator = new Coordinator();
  coordinator.ask(consumerHeartbeat({ memberId: "a" }));
  expect(coordinator.ask(joinWith(10_000)).errorCode).toBe(ErrorCode.None);
  expect(coordinator.ask(joinWith(10_001)).errorCode).toBe(ErrorCode.InvalidRequest);
});

test("a classic group of a member with more stays what it is", () => {
  const coordinator = new Coordinator();
  const { memberId } = coordinator.ask(joinWith(10_001));
  coordinator.ask(sync({ memberId, generationId: 1, assignments: [] }));
  const { errorCode, errorMessage } = coordinator.ask(consumerHeartbeat({ memberId: "a" }));
  expect(errorCode).toBe(ErrorCode.GroupIdNotFound);
  expect(errorMessage ?? "").toMatch("a member subscribes to over 10000 topics");
});
