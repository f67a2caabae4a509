import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import type { OffsetFetchGroup } from "../../src/group/group_request.ts";
import { Coordinator, START } from "./coordinator.ts";
import {
  commit,
  deleteGroup,
  deleteOffsets,
  describeConsumerGroup,
  describeGroup,
  fetchOffsets,
  GROUP,
  heartbeat,
  leave,
  sync,
} from "./requests.ts";

function withTopic(settings = {}): Coordinator {
  const coordinator = new Coordinator({ settings });
  coordinator.createTopic("topic", 4);
  return coordinator;
}

function committed({ topics }: OffsetFetchGroup): readonly string[] {
  return topics.flatMap(({ name = "", partitions }) =>
    partitions.map((partition) =>
      `${name}-${partition.partitionIndex}=${partition.committedOffset}`
    )
  );
}

function errorsOf(
  { topics }: {
    readonly topics: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[];
  },
): readonly number[] {
  return topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
}

describe("OffsetCommit of a consumer without membership", () => {
  test("is kept with metadata, leader epoch, time and the id of its topic", () => {
    const coordinator = withTopic();
    const answer = coordinator.ask(
      commit({ partition: 2, offset: 41, metadata: "mine", leaderEpoch: 3 }),
    );
    expect(errorsOf(answer)).toEqual([ErrorCode.None]);
    expect(coordinator.log).toEqual([{
      kind: "OffsetCommit",
      key: { group: GROUP, topic: "topic", partition: 2 },
      value: {
        offset: 41,
        leaderEpoch: 3,
        metadata: "mine",
        commitTimestamp: START,
        expireTimestamp: -1,
        topicId: coordinator.image.topic("topic")?.topicId ?? ZERO_UUID,
        advanceTimestamp: -1,
      },
    }]);
    const [topic] = coordinator.ask(fetchOffsets()).topics;
    expect(topic?.partitions).toEqual([{
      partitionIndex: 2,
      committedOffset: 41,
      committedLeaderEpoch: 3,
      metadata: "mine",
      errorCode: ErrorCode.None,
    }]);
  });

  test("with metadata that is too long is refused for that partition alone", () => {
    const coordinator = withTopic({ offsetMetadataMaxBytes: 4 });
    const request = commit({ metadata: "four" });
    const topics = request.body.topics.map((topic) => ({
      ...topic,
      partitions: ["12345", "1234", null].map((committedMetadata, partitionIndex) => ({
        partitionIndex,
        committedOffset: 7,
        committedLeaderEpoch: -1,
        committedMetadata,
      })),
    }));
    const answer = coordinator.ask({ ...request, body: { ...request.body, topics } });
    expect(errorsOf(answer)).toEqual([
      ErrorCode.OffsetMetadataTooLarge,
      ErrorCode.None,
      ErrorCode.None,
    ]);
    expect(committed(coordinator.ask(fetchOffsets()))).toEqual(["topic-1=7", "topic-2=7"]);
  });

  test("of a generation is refused, by what the client knows of errors", () => {
    const coordinator = withTopic();
    const ofGeneration = { generationIdOrMemberEpoch: 1, memberId: "somebody" };
    expect(errorsOf(coordinator.ask(commit({ ...ofGeneration, apiVersion: 9 }))))
      .toEqual([ErrorCode.GroupIdNotFound]);
    expect(errorsOf(coordinator.ask(commit({ ...ofGeneration, apiVersion: 8 }))))
      .toEqual([ErrorCode.IllegalGeneration]);
    coordinator.ask(commit());
    expect(errorsOf(coordinator.ask(commit({ ...ofGeneration, offset: 9 }))))
      .toEqual([ErrorCode.UnknownMemberId]);
    expect(committed(coordinator.ask(fetchOffsets()))).toEqual(["topic-0=1"]);
  });

  test("that the log refuses changes nothing and is answered so", () => {
    const coordinator = withTopic();
    coordinator.ask(commit({ offset: 1 }));
    coordinator.isFull = true;
    expect(errorsOf(coordinator.ask(commit({ offset: 2 }))))
      .toEqual([ErrorCode.CoordinatorNotAvailable]);
    expect(committed(coordinator.ask(fetchOffsets()))).toEqual(["topic-0=1"]);
  });

  test("may go back, and be any number: the coordinator does not judge it", () => {
    const coordinator = withTopic();
    for (const offset of [9, 3, -5]) {
      coordinator.ask(commit({ offset }));
      expect(committed(coordinator.ask(fetchOffsets()))).toEqual([`topic-0=${offset}`]);
    }
  });
});

describe("OffsetFetch", () => {
  test("of a group that is not there has no offsets and no error", () => {
    const coordinator = withTopic();
    expect(coordinator.ask(fetchOffsets())).toEqual({ groupId: GROUP, topics: [], errorCode: 0 });
    const named = coordinator.ask(fetchOffsets({
      topics: [{ name: "topic", topicId: ZERO_UUID, partitionIndexes: [0, 3] }],
    }));
    expect(committed(named)).toEqual(["topic-0=-1", "topic-3=-1"]);
    expect(named.topics[0]?.partitions[0]?.metadata).toBe("");
    expect(named.errorCode).toBe(ErrorCode.None);
  });

  test("gives no offset that was committed to another topic of the same name", () => {
    const coordinator = withTopic();
    coordinator.ask(commit({ offset: 5 }));
    const topicId = coordinator.image.topic("topic")?.topicId ?? ZERO_UUID;
    const asked = [ZERO_UUID, topicId, "AAAAAAAAAAAAAAAAAAAAAQ" as typeof topicId].map((id) =>
      coordinator.ask(fetchOffsets({
        topics: [{ name: "topic", topicId: id, partitionIndexes: [0] }],
      }))
    );
    expect(asked.map((answer) => committed(answer)[0]))
      .toEqual(["topic-0=5", "topic-0=5", "topic-0=-1"]);
    expect(asked[1]?.topics[0]?.topicId).toBe(topicId);
  });

  test("tells when an offset was committed, and when it last moved, where it is asked", () => {
    const coordinator = withTopic();
    coordinator.ask(commit({ offset: 5 }));
    coordinator.advance(1000);
    coordinator.ask(commit({ offset: 6 }));
    coordinator.advance(1000);
    coordinator.ask(commit({ offset: 6 }));
    const progressOf = (includeProgress: boolean): unknown =>
      coordinator.ask(fetchOffsets({ includeProgress })).topics[0]?.partitions[0]?.progress;
    expect(progressOf(false)).toBeUndefined();
    const progress = { committedAtMs: START + 2000, advancedAtMs: START + 1000 };
    expect(progressOf(true)).toEqual(progress);
    coordinator.restart();
    expect(progressOf(true)).toEqual(progress);
  });
});

describe("OffsetDelete", () => {
  test("of a group that is not there is GROUP_ID_NOT_FOUND", () => {
    expect(withTopic().ask(deleteOffsets("topic", [0])))
      .toEqual({ errorCode: ErrorCode.GroupIdNotFound, topics: [] });
  });

  test("removes what is there, and does not mind what is not", () => {
    const coordinator = withTopic();
    coordinator.ask(commit({ partition: 0 }));
    coordinator.ask(commit({ partition: 1 }));
    const written = coordinator.log.length;
    const answer = coordinator.ask(deleteOffsets("topic", [0, 3]));
    expect(answer.errorCode).toBe(ErrorCode.None);
    expect(errorsOf(answer)).toEqual([ErrorCode.None, ErrorCode.None]);
    expect(coordinator.log.length).toBe(written + 1);
    expect(committed(coordinator.ask(fetchOffsets()))).toEqual(["topic-1=1"]);
  });
});

describe("a consumer without membership", () => {
  test("is an empty classic group without a protocol type", () => {
    const coordinator = withTopic();
    coordinator.ask(commit());
    expect(coordinator.shard.listGroups(START, { statesFilter: [], typesFilter: [] })).toEqual([
      { groupId: GROUP, protocolType: "", groupState: "Empty", groupType: "classic" },
    ]);
    expect(coordinator.ask(describeGroup())).toEqual({
      errorCode: ErrorCode.None,
      groupId: GROUP,
      groupState: "Empty",
      protocolType: "",
      protocolData: "",
      members: [],
    });
    const asConsumers = coordinator.ask(describeConsumerGroup());
    expect(asConsumers.errorCode).toBe(ErrorCode.GroupIdNotFound);
    expect(asConsumers.errorMessage).toBe(`Group ${GROUP} is not a consumer group.`);
  });

  test("has no members who could sync, heartbeat or leave", () => {
    const coordinator = withTopic();
    coordinator.ask(commit());
    const errorCode = ErrorCode.UnknownMemberId;
    expect(coordinator.ask(sync({ memberId: "m", generationId: 1 })).errorCode).toBe(errorCode);
    expect(coordinator.ask(heartbeat({ memberId: "m", generationId: 1 })).errorCode).toBe(
      errorCode,
    );
    expect(coordinator.ask(leave("m"))).toEqual({
      errorCode: ErrorCode.None,
      members: [{ memberId: "m", groupInstanceId: null, errorCode }],
    });
    expect(coordinator.ask(leave("m", { apiVersion: 2 })).errorCode).toBe(errorCode);
  });

  test("is gone when its last offset is deleted", () => {
    const coordinator = withTopic();
    coordinator.ask(commit());
    coordinator.ask(deleteOffsets("topic", [0]));
    expect(coordinator.ask(describeGroup()).errorCode).toBe(ErrorCode.GroupIdNotFound);
    const toOldClient = coordinator.ask(describeGroup(5));
    expect(toOldClient.errorCode).toBe(ErrorCode.None);
    expect(toOldClient.groupState).toBe("Dead");
  });
});

describe("DeleteGroups", () => {
  test("removes all offsets, and does not find the group again", () => {
    const coordinator = withTopic();
    coordinator.ask(commit({ partition: 0 }));
    coordinator.ask(commit({ partition: 1 }));
    expect(coordinator.ask(deleteGroup())).toEqual({ groupId: GROUP, errorCode: ErrorCode.None });
    expect(committed(coordinator.ask(fetchOffsets()))).toEqual([]);
    expect(coordinator.ask(deleteGroup()).errorCode).toBe(ErrorCode.GroupIdNotFound);
    expect(coordinator.dump()).toEqual([]);
  });

  test("does not let its answer go before the tombstones are safe", () => {
    const coordinator = withTopic();
    coordinator.ask(commit());
    expect(coordinator.shard.writtenOf(GROUP)).toBe(1);
    expect(coordinator.shard.writtenOf("another")).toBe(0);
    coordinator.ask(deleteGroup());
    expect(coordinator.shard.writtenOf(GROUP)).toBe(2);
  });
});
