/**
 * When a pattern was last looked at is written down. A coordinator that started with a clock behind that
 * time, because the one before it had been ahead, did not look again until its clock had come that far:
 * for hours nobody was given a topic that was new.
 */
import { expect, test } from "bun:test";
import { toMs } from "../../src/ground/numbers.ts";
import { Coordinator, START } from "../group/coordinator.ts";
import { consumerHeartbeat } from "../group/requests.ts";

const HOUR_MS = 3_600_000;

test("a pattern is looked at again by a coordinator whose clock is behind", () => {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic-1", 1);
  const joined = coordinator.ask(
    consumerHeartbeat({ subscribedTopicNames: null, subscribedTopicRegex: "topic-.*" }),
  );
  coordinator.now = toMs(START - 7 * HOUR_MS);
  coordinator.restart();
  coordinator.createTopic("topic-2", 1);
  const { assignment } = coordinator.ask(
    consumerHeartbeat({
      memberEpoch: joined.memberEpoch ?? 0,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      topicPartitions: null,
    }),
  );
  expect(assignment?.topicPartitions).toHaveLength(2);
});
