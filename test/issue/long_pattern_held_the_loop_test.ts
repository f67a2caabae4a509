/**
 * A subscription by a pattern of a million characters was compiled, which took a second in which
 * nobody else was served.
 */
import { expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import type { ConsumerGroupHeartbeatRequest, ResponseTo } from "../../src/group/group_request.ts";
import { Coordinator } from "../group/coordinator.ts";
import { consumerHeartbeat } from "../group/requests.ts";

function answerTo(subscribedTopicRegex: string): ResponseTo<ConsumerGroupHeartbeatRequest> {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 1);
  return coordinator.ask(consumerHeartbeat({ subscribedTopicNames: null, subscribedTopicRegex }));
}

test("a pattern has up to 2048 characters", () => {
  expect(answerTo("t".repeat(2048)).errorCode).toBe(ErrorCode.None);
  expect(answerTo("t".repeat(2049)).errorCode).toBe(ErrorCode.InvalidRegularExpression);
});

test("the answer to a longer one does not say it again", () => {
  const { errorCode, errorMessage } = answerTo("t".repeat(1_000_000));
  expect(errorCode).toBe(ErrorCode.InvalidRegularExpression);
  expect(errorMessage?.length).toBeLessThan(100);
});

test("what is no pattern is refused, however short", () => {
  expect(answerTo("[").errorCode).toBe(ErrorCode.InvalidRegularExpression);
});
