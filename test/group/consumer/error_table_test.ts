/**
 * Every way in which a consumer group refuses, with Kafka 4.1's code and words.
 *
 * Long because it is one table.
 */
import { describe, expect, test } from "bun:test";
import { writeSubscription } from "../../../src/api/consumer_protocol.ts";
import { ErrorCode, errorName } from "../../../src/api/error_code.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { toMs } from "../../../src/ground/numbers.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import { ConsumerGroup } from "../../../src/group/consumer/consumer_group.ts";
import {
  DEFAULT_GROUP_SETTINGS,
  defaultGroupConfig,
  type GroupSettings,
} from "../../../src/group/group_settings.ts";
import type {
  ConsumerGroupHeartbeatRequest,
  ResponseTo,
} from "../../../src/group/group_request.ts";
import type { Turn } from "../../../src/group/turn.ts";
import { ClusterImage } from "../../../src/metadata/image.ts";
import { Coordinator } from "../coordinator.ts";
import {
  caller,
  commit,
  consumerHeartbeat,
  deleteGroup,
  fetchOffsets,
  heartbeat,
  join,
  leave,
  sync,
} from "../requests.ts";

type HeartbeatFields = Parameters<typeof consumerHeartbeat>[0];

/** Members "a" at epoch 2, the static "s" with the name "one" at epoch 2, and the classic "c". */
function group(
  settings: Partial<GroupSettings> = {},
): { coordinator: Coordinator; classicId: string } {
  const coordinator = new Coordinator({ settings });
  coordinator.createTopic("topic", 3);
  coordinator.ask(consumerHeartbeat({ memberId: "a" }));
  coordinator.ask(consumerHeartbeat({ memberId: "s", instanceId: "one" }));
  const { memberId } = coordinator.ask(classicJoin({ apiVersion: 3 }));
  for (let round = 0; round < 3; round++) {
    coordinator.ask(beat({ memberId: "a", memberEpoch: round === 0 ? 1 : 3, topicPartitions: [] }));
  }
  return { coordinator, classicId: memberId };
}

function beat(fields: HeartbeatFields): ConsumerGroupHeartbeatRequest {
  return consumerHeartbeat({ rebalanceTimeoutMs: -1, subscribedTopicNames: null, ...fields });
}

function classicJoin(fields: Parameters<typeof join>[0] = {}): ReturnType<typeof join> {
  const metadata = writeSubscription({ topics: ["topic"] });
  return join({ protocols: [{ name: "range", metadata }], ...fields });
}

interface Row {
  readonly says: string;
  readonly fields: HeartbeatFields;
  readonly apiVersion?: number;
  readonly code: keyof typeof ErrorCode;
  readonly message: string;
}

const REJOIN = "The member must abandon all its partitions and rejoin.";

const HEARTBEATS: readonly Row[] = [
  {
    says: "a member without an id, from version 1 on",
    fields: { memberId: "" },
    code: "InvalidRequest",
    message: "MemberId can't be empty.",
  },
  {
    says: "a member without an id that is in the group",
    fields: { memberId: " ", memberEpoch: 1 },
    apiVersion: 0,
    code: "InvalidRequest",
    message: "MemberId can't be empty.",
  },
  {
    says: "a member without an id that leaves",
    fields: { memberId: "", memberEpoch: -1 },
    apiVersion: 0,
    code: "InvalidRequest",
    message: "MemberId can't be empty.",
  },
  {
    says: "an empty instance id",
    fields: { instanceId: "" },
    code: "InvalidRequest",
    message: "InstanceId can't be empty.",
  },
  {
    says: "an empty rack",
    fields: { rackId: " " },
    code: "InvalidRequest",
    message: "RackId can't be empty.",
  },
  {
    says: "a join without a rebalance timeout",
    fields: { rebalanceTimeoutMs: -1 },
    code: "InvalidRequest",
    message: "RebalanceTimeoutMs must be provided in first request.",
  },
  {
    says: "a join that does not say that it has nothing",
    fields: { topicPartitions: null },
    code: "InvalidRequest",
    message: "TopicPartitions must be empty when (re-)joining.",
  },
  {
    says: "a join that has something",
    fields: { topicPartitions: [{ topicId: ZERO_UUID, partitions: [0] }] },
    code: "InvalidRequest",
    message: "TopicPartitions must be empty when (re-)joining.",
  },
  {
    says: "a join without a subscription",
    fields: { subscribedTopicNames: null },
    code: "InvalidRequest",
    message:
      "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.",
  },
  {
    says: "a static leave without a name",
    fields: { memberEpoch: -2 },
    code: "InvalidRequest",
    message: "InstanceId can't be null.",
  },
  {
    says: "an epoch that means nothing",
    fields: { memberEpoch: -3 },
    code: "InvalidRequest",
    message: "MemberEpoch is invalid.",
  },
  {
    says: "an assignor that is not served",
    fields: { serverAssignor: "mine" },
    code: "UnsupportedAssignor",
    message: "ServerAssignor mine is not supported. Supported assignors: uniform, range.",
  },
  {
    says: "a member that is not in the group",
    fields: { memberId: "x", memberEpoch: 1 },
    code: "UnknownMemberId",
    message: "Member x is not a member of group group.",
  },
  {
    says: "a leave of a member that is not in the group",
    fields: { memberId: "x", memberEpoch: -1 },
    code: "UnknownMemberId",
    message: "Member x is not a member of group group.",
  },
  {
    says: "a static member that nobody knows",
    fields: { memberId: "x", memberEpoch: 1, instanceId: "two" },
    code: "UnknownMemberId",
    message: "Instance id two is unknown.",
  },
  {
    says: "a static leave that nobody knows",
    fields: { memberId: "x", memberEpoch: -2, instanceId: "two" },
    code: "UnknownMemberId",
    message: "Instance id two is unknown.",
  },
  {
    says: "a static member whose name another has",
    fields: { memberId: "x", memberEpoch: 1, instanceId: "one" },
    code: "FencedInstanceId",
    message: "Static member x with instance id one was fenced by member s.",
  },
  {
    says: "a static leave of a name that another has",
    fields: { memberId: "x", memberEpoch: -1, instanceId: "one" },
    code: "FencedInstanceId",
    message: "Static member x with instance id one was fenced by member s.",
  },
  {
    says: "a join under a name that is in use",
    fields: { memberId: "x", instanceId: "one" },
    code: "UnreleasedInstanceId",
    message: "Static member x with instance id one cannot join the group because the instance id " +
      "is owned by s member.",
  },
  {
    says: "an epoch to come",
    fields: { memberId: "a", memberEpoch: 9 },
    code: "FencedMemberEpoch",
    message: "The consumer group member has a greater member epoch (9) than the one known by the " +
      `group coordinator (3). ${REJOIN}`,
  },
  {
    says: "an epoch of long ago",
    fields: { memberId: "a", memberEpoch: 2 },
    code: "FencedMemberEpoch",
    message: "The consumer group member has a smaller member epoch (2) than the one known by the " +
      `group coordinator (3). ${REJOIN}`,
  },
  {
    says: "an epoch of long ago of a static member",
    fields: { memberId: "s", instanceId: "one", memberEpoch: 1 },
    code: "FencedMemberEpoch",
    message: "The consumer group member has a smaller member epoch (1) than the one known by the " +
      `group coordinator (2). ${REJOIN}`,
  },
];

describe("ConsumerGroupHeartbeat", () => {
  for (const { says, fields, apiVersion = 1, code, message } of HEARTBEATS) {
    test(`${says}: ${errorName(ErrorCode[code])}`, () => {
      const { coordinator } = group();
      const before = JSON.stringify(coordinator.log.length);
      const { errorCode, errorMessage } = coordinator.ask({
        ...consumerHeartbeat(fields),
        caller: caller(apiVersion),
      });
      expect(errorName(errorCode as ErrorCode)).toBe(errorName(ErrorCode[code]));
      expect(errorMessage).toBe(message);
      expect(JSON.stringify(coordinator.log.length)).toBe(before);
    });
  }

  test("of version 0 gets a member id where it has none", () => {
    const { coordinator } = group();
    const { errorCode, memberId } = coordinator.ask({
      ...consumerHeartbeat({ memberId: "" }),
      caller: caller(0),
    });
    expect(errorCode).toBe(ErrorCode.None);
    expect(memberId).toMatch(/^[\w-]{22}$/);
  });

  test("of a full group is refused, but for those in it", () => {
    const { coordinator } = group({ consumerGroupMaxSize: 3 });
    const refused = coordinator.ask(consumerHeartbeat({ memberId: "x" }));
    expect(refused.errorCode).toBe(ErrorCode.GroupMaxSizeReached);
    expect(refused.errorMessage).toBe(
      "The consumer group has reached its maximum capacity of 3 members.",
    );
    const inIt = coordinator.ask(beat({ memberId: "a", memberEpoch: 3, topicPartitions: null }));
    expect(inIt.errorCode).toBe(ErrorCode.None);
  });

  test("with a pattern that is not RE2's is refused, and nothing is written", () => {
    const written: unknown[] = [];
    let answer: ResponseTo<ConsumerGroupHeartbeatRequest> | undefined;
    const turn: Turn = {
      now: toMs(1),
      settings: DEFAULT_GROUP_SETTINGS,
      image: new ClusterImage(),
      random: new Prng(1),
      regexes: { compile: () => undefined },
      configOf: () => defaultGroupConfig(DEFAULT_GROUP_SETTINGS),
      write: (record) => written.push(record),
      reply: (_, response) => answer = response as ResponseTo<ConsumerGroupHeartbeatRequest>,
      become: () => {},
    };
    const request = consumerHeartbeat({
      subscribedTopicRegex: "(?=a)",
      subscribedTopicNames: null,
    });
    new ConsumerGroup("group").heartbeat(turn, request, { id: 1 });
    expect(answer?.errorCode).toBe(ErrorCode.InvalidRegularExpression);
    expect(answer?.errorMessage).toMatch(
      /^SubscribedTopicRegex `\(\?=a\)` is not a valid regular expression: /,
    );
    expect(written).toEqual([]);
  });
});

describe("classic members in a consumer group", () => {
  test("JoinGroup", () => {
    const { coordinator, classicId } = group();
    const code = (fields: Parameters<typeof join>[0]): string =>
      errorName(coordinator.ask(classicJoin(fields)).errorCode as ErrorCode);
    expect(code({})).toBe("MEMBER_ID_REQUIRED");
    expect(code({ memberId: classicId })).toBe("NONE");
    expect(code({ protocolType: "connect" })).toBe("INCONSISTENT_GROUP_PROTOCOL");
    expect(code({ protocols: [] })).toBe("INCONSISTENT_GROUP_PROTOCOL");
    expect(code({ protocols: [{ name: "other", metadata: new Uint8Array(0) }] })).toBe(
      "INCONSISTENT_GROUP_PROTOCOL",
    );
    const malformed = [{ name: "range", metadata: new Uint8Array(1) }];
    expect(code({ protocols: malformed })).toBe("MEMBER_ID_REQUIRED");
    expect(code({ protocols: malformed, memberId: classicId })).toBe("UNKNOWN_SERVER_ERROR");
    expect(code({ memberId: "x", groupInstanceId: "two" })).toBe("UNKNOWN_MEMBER_ID");
    expect(code({ memberId: "x", groupInstanceId: "one" })).toBe("FENCED_INSTANCE_ID");
    const full = group({ consumerGroupMaxSize: 3 }).coordinator;
    expect(full.ask(classicJoin({ memberId: "x" })).errorCode).toBe(ErrorCode.GroupMaxSizeReached);
  });

  test("SyncGroup and Heartbeat", () => {
    const { coordinator, classicId: memberId } = group();
    const generationId = 3;
    const syncCode = (fields: Parameters<typeof sync>[0]): string =>
      errorName(
        coordinator.ask(sync({ memberId, generationId, ...fields })).errorCode as ErrorCode,
      );
    const beatCode = (fields: Parameters<typeof heartbeat>[0]): string =>
      errorName(
        coordinator.ask(heartbeat({ memberId, generationId, ...fields })).errorCode as ErrorCode,
      );
    for (const code of [syncCode, beatCode]) {
      expect(code({ memberId: "x" })).toBe("UNKNOWN_MEMBER_ID");
      expect(code({ memberId: "a" })).toBe("UNKNOWN_MEMBER_ID");
      expect(code({ groupInstanceId: "two" })).toBe("UNKNOWN_MEMBER_ID");
      expect(code({ groupInstanceId: "one" })).toBe("FENCED_INSTANCE_ID");
      expect(code({ generationId: 2 })).toBe("ILLEGAL_GENERATION");
      expect(code({ generationId: 4 })).toBe("ILLEGAL_GENERATION");
    }
    expect(syncCode({ protocolType: "connect" })).toBe("INCONSISTENT_GROUP_PROTOCOL");
    expect(syncCode({ protocolName: "other" })).toBe("INCONSISTENT_GROUP_PROTOCOL");
    expect(syncCode({})).toBe("NONE");
    coordinator.ask(consumerHeartbeat({ memberId: "new" }));
    expect(syncCode({})).toBe("REBALANCE_IN_PROGRESS");
    expect(beatCode({})).toBe("REBALANCE_IN_PROGRESS");
  });

  test("LeaveGroup", () => {
    const { coordinator, classicId } = group();
    const identity = (memberId: string, groupInstanceId: string | null = null) => ({
      memberId,
      groupInstanceId,
      reason: null,
    });
    const { errorCode, members = [] } = coordinator.ask(leave("", {
      members: [
        identity("x"),
        identity("x", "one"),
        identity("x", "two"),
        identity("", "one"),
        identity(classicId),
        identity("a"),
      ],
    }));
    expect(errorCode).toBe(ErrorCode.None);
    expect(members.map((member) => errorName(member.errorCode as ErrorCode))).toEqual([
      "UNKNOWN_MEMBER_ID",
      "FENCED_INSTANCE_ID",
      "UNKNOWN_MEMBER_ID",
      "NONE",
      "NONE",
      "NONE",
    ]);
    const old = coordinator.ask(leave("x", { apiVersion: 2, members: [] }));
    expect(old.errorCode).toBe(ErrorCode.UnknownMemberId);
  });
});

describe("offsets and deletion of a consumer group", () => {
  test("OffsetCommit", () => {
    const { coordinator, classicId } = group();
    const code = (fields: Parameters<typeof commit>[0]): string =>
      errorName(
        coordinator.ask(commit(fields)).topics[0]?.partitions[0]?.errorCode as ErrorCode,
      );
    expect(code({ memberId: "a", generationIdOrMemberEpoch: 3 })).toBe("NONE");
    expect(code({ memberId: "a", generationIdOrMemberEpoch: 2 })).toBe("STALE_MEMBER_EPOCH");
    expect(code({ memberId: "a", generationIdOrMemberEpoch: 4 })).toBe("STALE_MEMBER_EPOCH");
    expect(code({ memberId: "a", generationIdOrMemberEpoch: -1 })).toBe("STALE_MEMBER_EPOCH");
    expect(code({ memberId: "x", generationIdOrMemberEpoch: 3 })).toBe("UNKNOWN_MEMBER_ID");
    expect(code({})).toBe("UNKNOWN_MEMBER_ID");
    expect(code({ memberId: "a", generationIdOrMemberEpoch: 3, apiVersion: 8 })).toBe(
      "UNSUPPORTED_VERSION",
    );
    expect(code({ memberId: classicId, generationIdOrMemberEpoch: 3, apiVersion: 8 })).toBe("NONE");
    expect(code({ memberId: classicId, generationIdOrMemberEpoch: 2 })).toBe("ILLEGAL_GENERATION");
  });

  test("OffsetFetch", () => {
    const { coordinator, classicId } = group();
    const code = (memberId: string | null, memberEpoch: number): string =>
      errorName(
        coordinator.ask(fetchOffsets({ memberId, memberEpoch })).errorCode as ErrorCode,
      );
    expect(code(null, -1)).toBe("NONE");
    expect(code("a", 3)).toBe("NONE");
    expect(code("a", 2)).toBe("STALE_MEMBER_EPOCH");
    expect(code("a", -1)).toBe("STALE_MEMBER_EPOCH");
    expect(code("x", 3)).toBe("UNKNOWN_MEMBER_ID");
    expect(code(null, 3)).toBe("UNKNOWN_MEMBER_ID");
    expect(code(classicId, 1)).toBe("ILLEGAL_GENERATION");
  });

  test("DeleteGroups and a commit without membership, before and after all have left", () => {
    const { coordinator, classicId } = group();
    const code = (): string => errorName(coordinator.ask(deleteGroup()).errorCode as ErrorCode);
    expect(code()).toBe("NON_EMPTY_GROUP");
    coordinator.ask(leave(classicId));
    coordinator.ask(beat({ memberId: "a", memberEpoch: -1 }));
    expect(code()).toBe("NON_EMPTY_GROUP");
    coordinator.ask(beat({ memberId: "s", memberEpoch: -1, instanceId: "one" }));
    const { topics } = coordinator.ask(commit());
    expect(topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.None);
    expect(code()).toBe("NONE");
    expect(coordinator.dump()).toEqual([]);
  });
});
