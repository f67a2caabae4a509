import { describe, expect, test } from "bun:test";
import { writeSubscription } from "../../src/api/consumer_protocol.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { toMs } from "../../src/ground/numbers.ts";
import type {
  JoinGroupRequest,
  LeaveGroupRequest,
  ResponseTo,
} from "../../src/group/group_request.ts";
import { Asked, Coordinator, START } from "./coordinator.ts";
import {
  commit,
  consumerHeartbeat,
  deleteGroup,
  describeConsumerGroup,
  describeGroup,
  fetchOffsets,
  GROUP,
  heartbeat,
  join,
  leave,
  sync,
} from "./requests.ts";

const NO_FILTER = { statesFilter: [], typesFilter: [] };
const SUBSCRIPTION = writeSubscription({ topics: ["topic"] });
const PROTOCOLS = [{ name: "range", metadata: SUBSCRIPTION }];

function withTopic(settings = {}): Coordinator {
  const coordinator = new Coordinator({ settings });
  coordinator.createTopic("topic", 4);
  return coordinator;
}

type JoinAnswer = ResponseTo<JoinGroupRequest>;

/** A classic member in a group of its own, synced. */
function classicMember(coordinator: Coordinator, groupId = GROUP): JoinAnswer {
  const asked = { groupId, protocols: PROTOCOLS };
  const { memberId } = coordinator.ask(join(asked));
  const joined = coordinator.ask(join({ ...asked, memberId }));
  expect(joined.errorCode).toBe(ErrorCode.None);
  const { generationId = -1 } = joined;
  const synced = coordinator.ask(sync({ groupId, memberId, generationId }));
  expect(synced.errorCode).toBe(ErrorCode.None);
  return joined;
}

function leaveOf({ memberId }: JoinAnswer): LeaveGroupRequest {
  return leave(memberId);
}

function listed(coordinator: Coordinator, filter = NO_FILTER): readonly string[] {
  return coordinator.shard.listGroups(coordinator.now, filter)
    .map(({ groupId, groupType, groupState }) => `${groupId} ${groupType} ${groupState}`);
}

describe("a group that is not there", () => {
  test("is made by the first join of a classic member", () => {
    const coordinator = withTopic();
    classicMember(coordinator);
    expect(listed(coordinator)).toEqual(["group classic Stable"]);
  });

  test("is not made by a member that thinks to be in it", () => {
    const coordinator = withTopic();
    expect(coordinator.ask(join({ memberId: "m" })).errorCode).toBe(ErrorCode.UnknownMemberId);
    expect(coordinator.ask(consumerHeartbeat({ memberEpoch: 3, topicPartitions: null })))
      .toEqual({ errorCode: ErrorCode.GroupIdNotFound, errorMessage: `Group ${GROUP} not found.` });
    expect(listed(coordinator)).toEqual([]);
  });

  test("is not left behind by a member that is turned away", () => {
    const coordinator = withTopic();
    expect(coordinator.ask(join({ protocols: [] })).errorCode)
      .toBe(ErrorCode.InconsistentGroupProtocol);
    expect(coordinator.ask(join({ sessionTimeoutMs: 1 })).errorCode)
      .toBe(ErrorCode.InvalidSessionTimeout);
    expect(coordinator.ask(consumerHeartbeat({ serverAssignor: "none" })).errorCode)
      .toBe(ErrorCode.UnsupportedAssignor);
    expect(listed(coordinator)).toEqual([]);
    expect(coordinator.log).toEqual([]);
  });

  test("is made by the first heartbeat of a consumer", () => {
    const coordinator = withTopic();
    expect(coordinator.ask(consumerHeartbeat()).errorCode).toBe(ErrorCode.None);
    expect(listed(coordinator)).toEqual(["group consumer Stable"]);
  });

  test("is not made where the log refuses its records, and who asked is told", () => {
    for (const request of [join({ apiVersion: 3, protocols: PROTOCOLS }), consumerHeartbeat()]) {
      const coordinator = withTopic({ groupInitialRebalanceDelayMs: 3000 });
      coordinator.isFull = true;
      const asked: Asked = coordinator.send(request);
      // A join waits for others: its answer comes by the next turn.
      coordinator.wakeAll();
      const answer = asked.answer as { readonly errorCode?: number } | undefined;
      expect(answer?.errorCode).toBe(ErrorCode.CoordinatorNotAvailable);
      expect(listed(coordinator)).toEqual([]);
      expect(coordinator.shard.wakeAt).toBeUndefined();
      coordinator.isFull = false;
      coordinator.send(request);
      expect(listed(coordinator).length).toBe(1);
    }
  });
});

describe("a group of the other protocol", () => {
  test("that is empty and classic becomes a consumer group, and keeps its offsets", () => {
    const coordinator = withTopic();
    coordinator.ask(leaveOf(classicMember(coordinator)));
    coordinator.ask(commit({ offset: 7 }));
    expect(listed(coordinator)).toEqual(["group classic Empty"]);
    expect(coordinator.ask(consumerHeartbeat()).errorCode).toBe(ErrorCode.None);
    expect(listed(coordinator)).toEqual(["group consumer Stable"]);
    expect(coordinator.ask(fetchOffsets()).topics[0]?.partitions[0]?.committedOffset).toBe(7);
    coordinator.restart();
    expect(listed(coordinator)).toEqual(["group consumer Stable"]);
  });

  test("that is empty and classic stays so where the heartbeat is refused", () => {
    const coordinator = withTopic();
    coordinator.ask(leaveOf(classicMember(coordinator)));
    const written = coordinator.log.length;
    expect(coordinator.ask(consumerHeartbeat({ rebalanceTimeoutMs: -1 })).errorCode)
      .toBe(ErrorCode.InvalidRequest);
    coordinator.isFull = true;
    expect(coordinator.ask(consumerHeartbeat()).errorCode)
      .toBe(ErrorCode.CoordinatorNotAvailable);
    coordinator.wakeAll();
    expect(listed(coordinator)).toEqual(["group classic Empty"]);
    expect(coordinator.log.length).toBe(written);
  });

  test("that is empty and of consumers becomes a classic group", () => {
    const coordinator = withTopic();
    coordinator.ask(consumerHeartbeat());
    coordinator.ask(consumerHeartbeat({ memberEpoch: -1, topicPartitions: null }));
    expect(listed(coordinator)).toEqual(["group consumer Empty"]);
    expect(coordinator.ask(join({ memberId: "unknown", protocols: PROTOCOLS })).errorCode)
      .toBe(ErrorCode.UnknownMemberId);
    expect(listed(coordinator)).toEqual(["group consumer Empty"]);
    classicMember(coordinator);
    expect(listed(coordinator)).toEqual(["group classic Stable"]);
    coordinator.restart();
    expect(listed(coordinator)).toEqual(["group classic Stable"]);
  });

  test("takes in a consumer while classic members live, and goes back with the last consumer", () => {
    const coordinator = withTopic();
    const { memberId, generationId = -1 } = classicMember(coordinator);
    expect(coordinator.ask(consumerHeartbeat()).errorCode).toBe(ErrorCode.None);
    const described = coordinator.ask(describeConsumerGroup());
    expect(described.members?.map((member) => member.memberId).sort())
      .toEqual([memberId, "member"].sort());
    expect(coordinator.ask(heartbeat({ memberId, generationId })).errorCode)
      .toBe(ErrorCode.RebalanceInProgress);
    coordinator.ask(consumerHeartbeat({ memberEpoch: -1, topicPartitions: null }));
    expect(coordinator.ask(describeGroup()).members.map((member) => member.memberId))
      .toEqual([memberId]);
    coordinator.restart();
    expect(coordinator.ask(describeGroup()).members.map((member) => member.memberId))
      .toEqual([memberId]);
  });

  test("stays what it was where the log refuses the way up, or the way down", () => {
    const coordinator = withTopic();
    classicMember(coordinator);
    coordinator.isFull = true;
    expect(coordinator.ask(consumerHeartbeat()).errorCode)
      .toBe(ErrorCode.CoordinatorNotAvailable);
    coordinator.wakeAll();
    expect(listed(coordinator)).toEqual(["group classic Stable"]);
    coordinator.isFull = false;
    coordinator.ask(consumerHeartbeat());
    coordinator.isFull = true;
    coordinator.ask(consumerHeartbeat({ memberEpoch: -1, topicPartitions: null }));
    coordinator.wakeAll();
    expect(coordinator.ask(describeConsumerGroup()).members?.length).toBe(2);
  });

  test("does not become another where that is not allowed", () => {
    const coordinator = withTopic({ consumerGroupMigrationPolicy: "disabled" });
    classicMember(coordinator);
    const written = coordinator.log.length;
    expect(coordinator.ask(consumerHeartbeat()).errorCode).toBe(ErrorCode.GroupIdNotFound);
    expect(coordinator.log.length).toBe(written);
  });
});

describe("ListGroups", () => {
  test("lets through what its filters name, in any case of letters", () => {
    const coordinator = withTopic();
    classicMember(coordinator, "a");
    coordinator.ask(consumerHeartbeat({ groupId: "b" }));
    coordinator.ask(commit({ groupId: "c" }));
    const names = (statesFilter: string[], typesFilter: string[]): readonly string[] =>
      coordinator.shard.listGroups(START, { statesFilter, typesFilter })
        .map(({ groupId, protocolType }) => `${groupId}:${protocolType}`);
    expect(names([], [])).toEqual(["a:consumer", "b:consumer", "c:"]);
    expect(names(["sTABLE"], [])).toEqual(["a:consumer", "b:consumer"]);
    expect(names(["Empty", "Stable"], ["Classic"])).toEqual(["a:consumer", "c:"]);
    expect(names([], ["consumer"])).toEqual(["b:consumer"]);
    expect(names(["nonsense"], [])).toEqual([]);
    expect(names([], ["nonsense"])).toEqual([]);
  });
});

describe("a group with members", () => {
  test("is not deleted", () => {
    const coordinator = withTopic();
    classicMember(coordinator, "a");
    coordinator.ask(consumerHeartbeat({ groupId: "b" }));
    for (const groupId of ["a", "b"]) {
      expect(coordinator.ask(deleteGroup(groupId)).errorCode).toBe(ErrorCode.NonEmptyGroup);
    }
  });

  test("is deleted when they have gone, with all its records", () => {
    const coordinator = withTopic();
    coordinator.ask(leaveOf(classicMember(coordinator)));
    coordinator.ask(consumerHeartbeat({ groupId: "b" }));
    coordinator.ask(consumerHeartbeat({ groupId: "b", memberEpoch: -1, topicPartitions: null }));
    coordinator.ask(commit());
    for (const groupId of [GROUP, "b"]) {
      expect(coordinator.ask(deleteGroup(groupId)).errorCode).toBe(ErrorCode.None);
    }
    expect(coordinator.dump()).toEqual([]);
    const alive = new Map(coordinator.log.map(({ kind, key, value }) => [
      `${kind} ${JSON.stringify(key)}`,
      value,
    ]));
    expect([...alive.values()].every((value) => value === null)).toBe(true);
  });
});

describe("a turn of time", () => {
  test("is for one group that writes: the log's refusal of one does not hold up another", () => {
    const coordinator = withTopic();
    for (const groupId of ["a", "b"]) classicMember(coordinator, groupId);
    const { wakeAt } = coordinator.shard;
    coordinator.now = toMs((wakeAt ?? START) + 1);
    const first = coordinator.shard.wake(coordinator.now);
    const second = coordinator.shard.wake(coordinator.now);
    const groupsOf = ({ records }: typeof first): readonly string[] =>
      records.map(({ key }) => "group" in key ? key.group : key.groupId);
    // Nothing of the first was replayed, as where the log refuses it; the second goes on all the same.
    expect(groupsOf(first)).toEqual(["a"]);
    expect(groupsOf(second)).toEqual(["b"]);
  });
});
