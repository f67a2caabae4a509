/**
 * A commit of 50,000 partitions, one of 28 MiB of metadata, a deletion of one offset named 90,000 times
 * and a subscription to 90,000 names each took the event loop for a good part of a second, the last one
 * again with every change of its group.
 */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import { startWithGroups } from "../broker/group_requests.ts";
import { Coordinator } from "../group/coordinator.ts";
import { commit, consumerHeartbeat, deleteOffsets } from "../group/requests.ts";

const COMMIT_VERSION = 9;

async function committed(count: number, committedMetadata: string): Promise<readonly number[]> {
  const { connection } = await startWithGroups();
  const partition = { partitionIndex: 0, committedOffset: 1, committedMetadata };
  const partitions = Array.from({ length: count }, () => partition);
  const topics = [{ name: "orders", partitions }];
  const answer = await connection.ask(offsetCommit, COMMIT_VERSION, { groupId: "g", topics });
  return answer.topics.flatMap((topic) => topic.partitions.map((one) => one.errorCode));
}

describe("what one request may ask of a group", () => {
  test("is a commit of no more partitions, and no more metadata, than can be dealt with at once", async () => {
    const tooLarge = (count: number): number[] =>
      Array.from({ length: count }, () => ErrorCode.InvalidCommitOffsetSize);
    expect(await committed(10_001, "")).toEqual(tooLarge(10_001));
    expect(await committed(1025, "m".repeat(4096))).toEqual(tooLarge(1025));
    expect(new Set(await committed(1024, "m".repeat(4096)))).toEqual(new Set([ErrorCode.None]));
  });

  test("is one tombstone for an offset, however often it is named", () => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 1);
    coordinator.ask(commit());
    const before = coordinator.log.length;
    coordinator.ask(deleteOffsets("topic", Array.from({ length: 1000 }, () => 0)));
    // That of the offset, and that of the group, which has nothing else.
    expect(coordinator.log.length - before).toBeLessThanOrEqual(2);
  });

  test("is a subscription to 10,000 names; a pattern stands for more", () => {
    const coordinator = new Coordinator();
    const names = Array.from({ length: 10_001 }, (_, at) => `t${at}`);
    const refused = coordinator.ask(consumerHeartbeat({ subscribedTopicNames: names }));
    expect(refused.errorCode).toBe(ErrorCode.InvalidRequest);
    expect(refused.errorMessage).toContain("10001 names");
    const taken = coordinator.ask(consumerHeartbeat({ subscribedTopicNames: names.slice(1) }));
    expect(taken.errorCode).toBe(ErrorCode.None);
  });
});
