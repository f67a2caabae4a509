/**
 * In a burst a commit waits for its turn. Where its topic was deleted meanwhile, the offset was written
 * behind the deletion of all offsets of that topic, and stayed.
 */
import { expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { Coordinator } from "../group/coordinator.ts";
import { commit, fetchOffsets } from "../group/requests.ts";

test("a commit that was let in before its topic was deleted is refused behind it", () => {
  const coordinator = new Coordinator();
  const topicId = coordinator.createTopic("topic", 1);
  const topics = commit().body.topics.map((topic) => ({ ...topic, topicId }));
  coordinator.deleteTopic("topic");
  for (
    const [apiVersion, refusal] of [
      [9, ErrorCode.UnknownTopicOrPartition],
      [10, ErrorCode.UnknownTopicId],
    ] as const
  ) {
    const answer = coordinator.ask(commit({ apiVersion, topics }));
    expect(answer.topics[0]?.partitions[0]?.errorCode).toBe(refusal);
  }
  const named = [{ name: "topic", topicId: ZERO_UUID, partitionIndexes: [0] }];
  const [found] = coordinator.ask(fetchOffsets({ topics: named })).topics;
  expect(found?.partitions[0]?.committedOffset).toBe(-1);
});
