/**
 * What the scripts do not tell: refused records, cleaned logs, conversions to their ends.
 *
 * Long because each of these takes a group that has come some way.
 */
import { describe, expect, test } from "bun:test";
import { writeAssignment, writeSubscription } from "../../../src/api/consumer_protocol.ts";
import type { GroupRecord } from "../../../src/api/coordinator_record/group_record.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { bytesOf } from "../../../src/ground/text.ts";
import { ConsumerGroupState } from "../../../src/group/consumer/group_state.ts";
import { newMember } from "../../../src/group/consumer/member.ts";
import {
  epochRecord,
  memberMetadataRecord,
  memberTombstones,
  progressRecord,
  targetRecord,
} from "../../../src/group/consumer/record.ts";
import { Coordinator } from "../coordinator.ts";
import {
  consumerHeartbeat,
  describeConsumerGroup,
  describeGroup,
  GROUP,
  heartbeat,
  join,
  leave,
  sync,
} from "../requests.ts";
import { idOfTopic, parsePartitions } from "./notation.ts";

type HeartbeatFields = Parameters<typeof consumerHeartbeat>[0];

function beat(fields: HeartbeatFields): ReturnType<typeof consumerHeartbeat> {
  return consumerHeartbeat({
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: null,
    topicPartitions: null,
    ...fields,
  });
}

function classicJoin(fields: Parameters<typeof join>[0] = {}): ReturnType<typeof join> {
  const metadata = writeSubscription({ topics: ["topic"] });
  return join({ apiVersion: 3, protocols: [{ name: "range", metadata }], ...fields });
}

function standingOf(coordinator: Coordinator): {
  readonly state: string | undefined;
  readonly members: ReadonlyMap<string, string>;
} {
  const { groupState, members = [] } = coordinator.ask(describeConsumerGroup());
  return {
    state: groupState,
    members: new Map(members.map(({ memberId, assignment }) => [
      memberId,
      assignment.topicPartitions.map(({ topicName, partitions }) =>
        `${topicName}:${partitions.join(",")}`
      ).join(" "),
    ])),
  };
}

/** The keys of a consumer group of which the last record in the log is not a tombstone. */
function leftOver(log: readonly GroupRecord[]): readonly string[] {
  const newest = new Map<string, GroupRecord>();
  for (const record of log) newest.set(JSON.stringify([record.kind, record.key]), record);
  return [...newest].flatMap(([key, { kind, value }]) =>
    kind.startsWith("ConsumerGroup") && value !== null ? [key] : []
  );
}

describe("a group whose log refuses records", () => {
  test("is as if nothing had been asked, and looks at its topics again", () => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 2);
    coordinator.ask(consumerHeartbeat({ memberId: "a" }));
    coordinator.addPartitions("topic", 4);
    coordinator.isFull = true;
    const refused = coordinator.ask(beat({ memberId: "a", memberEpoch: 1 }));
    expect(refused.errorCode).toBe(ErrorCode.CoordinatorNotAvailable);
    coordinator.isFull = false;
    const { memberEpoch } = coordinator.ask(beat({ memberId: "a", memberEpoch: 1 }));
    expect(memberEpoch).toBe(2);
    expect(standingOf(coordinator).members.get("a")).toBe("topic:0,1,2,3");
  });

  test("does not fence a member for what it was never told to give back", () => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 2);
    coordinator.ask(consumerHeartbeat({ memberId: "a" }));
    coordinator.ask(consumerHeartbeat({ memberId: "b" }));
    coordinator.isFull = true;
    coordinator.ask(beat({ memberId: "a", memberEpoch: 1 }));
    coordinator.isFull = false;
    coordinator.advance(30_000);
    expect(standingOf(coordinator).members.has("a")).toBeTrue();
  });

  test("fences a member whose session is over once it takes records again", () => {
    const coordinator = new Coordinator();
    coordinator.ask(consumerHeartbeat({ memberId: "a" }));
    coordinator.isFull = true;
    coordinator.advance(45_000);
    expect(standingOf(coordinator).state).toBe("Stable");
    coordinator.isFull = false;
    coordinator.advance(2000);
    expect(standingOf(coordinator).state).toBe("Empty");
  });
});

describe("a log that a cleaner thinned out", () => {
  const member = (memberId: string, instanceId: string | null = null): GroupRecord =>
    memberMetadataRecord(GROUP, { ...newMember(memberId), instanceId });
  const progress = (memberId: string, partitions: string): GroupRecord =>
    progressRecord(GROUP, memberId, {
      ...newMember(memberId),
      memberEpoch: 1,
      assigned: parsePartitions(partitions),
    });
  const replayed = (...records: readonly GroupRecord[]): ConsumerGroupState => {
    const state = new ConsumerGroupState();
    for (const record of records) state.replay(record);
    return state;
  };

  test("the later claim of a partition stands when the earlier one is given up", () => {
    const state = replayed(
      member("a"),
      progress("a", "A:0-1"),
      member("b"),
      progress("b", "A:1"),
      progress("a", "A:0"),
    );
    expect(state.isHeld(idOfTopic("A"), 1)).toBeTrue();
    expect(
      replayed(member("a"), progress("a", "A:1"), progress("a", "-"))
        .isHeld(idOfTopic("A"), 1),
    ).toBeFalse();
  });

  test("a static member's name is that of the newest, whenever the older one goes", () => {
    const state = replayed(
      member("old", "one"),
      member("new", "one"),
      ...memberTombstones(GROUP, "old"),
    );
    expect(state.staticMemberId("one")).toBe("new");
  });

  test("a standing comes before what the member told, and tombstones of what is not there", () => {
    const state = replayed(
      ...memberTombstones(GROUP, "nobody"),
      progress("a", "A:0"),
      member("a", "one"),
    );
    expect([...state.members.keys()]).toEqual(["a"]);
    expect(state.staticMember("one")?.memberEpoch).toBe(1);
    expect(state.isHeld(idOfTopic("A"), 0)).toBeTrue();
  });

  test("partitions that no topic has cost nothing", () => {
    const ids = [-1, 2 ** 31 - 1];
    const state = replayed(targetRecord(GROUP, "a", new Map([[idOfTopic("A"), ids]])), {
      ...progress("a", "A:0"),
      value: {
        memberEpoch: 1,
        previousMemberEpoch: 0,
        state: 0,
        assignedPartitions: [{ topicId: idOfTopic("A"), partitions: ids }],
        partitionsPendingRevocation: [],
      },
    } as GroupRecord);
    expect(state.isHeld(idOfTopic("A"), 2 ** 31 - 1)).toBeFalse();
  });

  test("the record of a topic's metadata that Kafka before 4.1 wrote goes with the next epoch", () => {
    const coordinator = new Coordinator();
    coordinator.restartWith(
      member("a"),
      epochRecord(GROUP, 1, 0n),
      { kind: "ConsumerGroupPartitionMetadata", key: { groupId: GROUP }, value: { topics: [] } },
      progress("a", "-"),
    );
    coordinator.ask(beat({ memberId: "a", memberEpoch: 1, subscribedTopicNames: ["x"] }));
    expect(leftOver(coordinator.log).some((key) => key.includes("PartitionMetadata"))).toBeFalse();
  });
});

describe("a subscription by pattern", () => {
  test("is forgotten with the last member that has it", () => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 2);
    const byPattern = { subscribedTopicNames: null, subscribedTopicRegex: "top.*" };
    coordinator.ask(consumerHeartbeat({ memberId: "a", ...byPattern }));
    coordinator.ask(consumerHeartbeat({ memberId: "b", ...byPattern }));
    coordinator.ask(beat({ memberId: "a", memberEpoch: -1 }));
    expect(leftOver(coordinator.log).some((key) => key.includes("Regular"))).toBeTrue();
    coordinator.ask(beat({ memberId: "b", memberEpoch: -1 }));
    expect(leftOver(coordinator.log).some((key) => key.includes("Regular"))).toBeFalse();
    const last = coordinator.log.at(-1);
    // Nothing is subscribed to any more: the hash is that of no topics.
    expect(last?.kind === "ConsumerGroupMetadata" && last.value?.metadataHash).toBe(0n);
  });
});

describe("a static member that comes back", () => {
  test("has the partitions of the one before where a new target is made at once", () => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 4);
    coordinator.createTopic("more", 2);
    coordinator.ask(consumerHeartbeat({ memberId: "a", instanceId: "one" }));
    coordinator.ask(beat({ memberId: "a", memberEpoch: -2, instanceId: "one" }));
    const { assignment, memberEpoch } = coordinator.ask(
      consumerHeartbeat({
        memberId: "b",
        instanceId: "one",
        subscribedTopicNames: ["topic", "more"],
      }),
    );
    expect(memberEpoch).toBe(2);
    expect(assignment?.topicPartitions.map(({ partitions }) => partitions)).toEqual([
      [0, 1, 2, 3],
      [0, 1],
    ]);
    const { groupState, members = [] } = coordinator.ask(describeConsumerGroup());
    expect(groupState).toBe("Stable");
    expect(members.map(({ memberId }) => memberId)).toEqual(["b"]);
  });

  test("is who it was to the assignor: nothing moves because its member id is another", () => {
    const coordinator = new Coordinator();
    const topicId = coordinator.createTopic("topic", 4);
    const instanceId = "one";
    coordinator.ask(consumerHeartbeat({ memberId: "a", instanceId }));
    coordinator.ask(consumerHeartbeat({ memberId: "z" }));
    const topicPartitions = [{ topicId, partitions: [0, 1] }];
    coordinator.ask(beat({ memberId: "a", memberEpoch: 1, instanceId, topicPartitions }));
    coordinator.ask(beat({ memberId: "z", memberEpoch: 2 }));
    coordinator.ask(beat({ memberId: "a", memberEpoch: -2, instanceId }));
    coordinator.addPartitions("topic", 6);
    coordinator.ask(consumerHeartbeat({ memberId: "b", instanceId }));
    coordinator.ask(beat({ memberId: "z", memberEpoch: 2 }));
    expect(standingOf(coordinator).members).toEqual(
      new Map([["z", "topic:2,3,5"], ["b", "topic:0,1,4"]]),
    );
  });

  test("keeps to its own what it had, among others of many subscriptions", () => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 4);
    coordinator.createTopic("more", 4);
    coordinator.ask(consumerHeartbeat({ memberId: "a", instanceId: "one" }));
    const beatA = (owned: HeartbeatFields): void => {
      const fields = { memberId: "a", memberEpoch: 1, instanceId: "one" };
      coordinator.ask(beat({ ...fields, ...owned }));
    };
    coordinator.ask(consumerHeartbeat({ memberId: "z" }));
    beatA({});
    const topicId = coordinator.image.topic("topic")?.topicId ?? idOfTopic("-");
    beatA({ topicPartitions: [{ topicId, partitions: [0, 1] }] });
    coordinator.ask(beat({ memberId: "z", memberEpoch: 2 }));
    coordinator.ask(beat({ memberId: "a", memberEpoch: -2, instanceId: "one" }));
    coordinator.ask(consumerHeartbeat({
      memberId: "b",
      instanceId: "one",
      subscribedTopicNames: ["topic", "more"],
    }));
    // It has the two that a had; of the new topic it is the only subscriber.
    expect(standingOf(coordinator).members.get("b")?.includes("more:0,1,2,3")).toBeTrue();
    const targets = coordinator.ask(describeConsumerGroup()).members?.map(
      ({ memberId, targetAssignment }) => [
        memberId,
        targetAssignment.topicPartitions.reduce(
          (sum, { partitions }) => sum + partitions.length,
          0,
        ),
      ],
    );
    expect(new Map(targets as [string, number][])).toEqual(new Map([["z", 4], ["b", 4]]));
  });
});

describe("a classic group that becomes a consumer group", () => {
  const grouped = (assignment: Uint8Array): Coordinator => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 4);
    const asked = coordinator.send(classicJoin());
    coordinator.wakeAll();
    const memberId = asked.answer?.memberId ?? "";
    const synced = coordinator.ask(sync({
      memberId,
      generationId: 1,
      assignments: [{ memberId, assignment }],
    }));
    expect(synced.errorCode).toBe(ErrorCode.None);
    return coordinator;
  };
  const all = writeAssignment({
    assignedPartitions: [{ topic: "topic", partitions: [0, 1, 2, 3] }],
  });

  test("keeps its members' partitions as they are until they give them back", () => {
    const coordinator = grouped(all);
    coordinator.ask(consumerHeartbeat({ memberId: "a" }));
    const { members } = standingOf(coordinator);
    expect([...members.values()]).toEqual(["topic:0,1,2,3", ""]);
  });

  test("tells who waits to join that it has to join again", () => {
    const coordinator = grouped(all);
    const waiting = coordinator.send(classicJoin());
    coordinator.wakeAll();
    expect(waiting.answer).toBeUndefined();
    expect(coordinator.ask(consumerHeartbeat({ memberId: "a" })).errorCode).toBe(ErrorCode.None);
    expect(waiting.answer?.errorCode).toBe(ErrorCode.RebalanceInProgress);
  });

  test("does not, where a custom assignor's data would be lost, or nothing can be read", () => {
    const data = writeAssignment({ assignedPartitions: [], userData: bytesOf("mine") });
    for (
      const [assignment, words] of [
        [data, "an unsupported custom assignor is in use"],
        [bytesOf("?"), "the embedded consumer protocol is malformed"],
      ] as const
    ) {
      const { errorCode, errorMessage } = grouped(assignment).ask(consumerHeartbeat());
      expect(errorCode).toBe(ErrorCode.GroupIdNotFound);
      expect(errorMessage ?? "").toMatch(
        `Cannot upgrade classic group group to consumer group because ${words}`,
      );
    }
  });

  test("leaves out partitions and topics that are not there", () => {
    const coordinator = grouped(writeAssignment({
      assignedPartitions: [
        { topic: "topic", partitions: [1, 4, 2 ** 31 - 1, -1] },
        { topic: "gone", partitions: [0] },
      ],
    }));
    coordinator.ask(consumerHeartbeat({ memberId: "a" }));
    expect([...standingOf(coordinator).members.values()][0]).toBe("topic:1");
  });

  test("stays what it is where the one who came is refused, and where the log refuses", () => {
    const coordinator = grouped(all);
    coordinator.isFull = true;
    const full = coordinator.ask(consumerHeartbeat({ memberId: "a" }));
    expect(full.errorCode).toBe(ErrorCode.CoordinatorNotAvailable);
    coordinator.isFull = false;
    expect(coordinator.ask(describeGroup()).groupState).toBe("Stable");
    const refused = coordinator.ask(consumerHeartbeat({ memberId: "a", serverAssignor: "mine" }));
    expect(refused.errorCode).toBe(ErrorCode.UnsupportedAssignor);
    expect(coordinator.ask(describeGroup()).groupState).toBe("Stable");
  });
});

describe("a consumer group that becomes a classic group", () => {
  test("leaves none of its records behind, whoever went or came", () => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 4);
    coordinator.ask(consumerHeartbeat({
      memberId: "a",
      instanceId: "one",
      subscribedTopicNames: null,
      subscribedTopicRegex: "top.*",
    }));
    coordinator.ask(classicJoin());
    const { errorCode } = coordinator.ask(classicJoin({ apiVersion: 5, groupInstanceId: "one" }));
    expect(errorCode).toBe(ErrorCode.None);
    expect(leftOver(coordinator.log)).toEqual([]);
    expect(coordinator.ask(describeGroup()).members.length).toBe(2);
    coordinator.restart();
    expect(coordinator.ask(describeGroup()).members.length).toBe(2);
  });

  test("drops the pattern of a static member that comes back as a classic one", () => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 4);
    coordinator.createTopic("top", 1);
    coordinator.ask(consumerHeartbeat({ memberId: "z" }));
    coordinator.ask(consumerHeartbeat({
      memberId: "a",
      instanceId: "one",
      subscribedTopicNames: null,
      subscribedTopicRegex: "top.*",
    }));
    coordinator.ask(classicJoin({ apiVersion: 5, groupInstanceId: "one" }));
    const { members = [] } = coordinator.ask(describeConsumerGroup());
    expect(members.map(({ subscribedTopicRegex }) => subscribedTopicRegex)).toEqual(["", ""]);
    expect(leftOver(coordinator.log).some((key) => key.includes("Regular"))).toBeFalse();
  });
});

describe("a classic member in a consumer group", () => {
  test("is left in peace while others still hold what it is to have", () => {
    const coordinator = new Coordinator();
    const topicId = coordinator.createTopic("topic", 4);
    coordinator.ask(consumerHeartbeat({ memberId: "a" }));
    const { memberId, generationId = -1 } = coordinator.ask(classicJoin());
    coordinator.ask(sync({ memberId, generationId }));
    const code = (): ErrorCode =>
      coordinator.ask(heartbeat({ memberId, generationId })).errorCode as ErrorCode;
    expect(code()).toBe(ErrorCode.None);
    coordinator.ask(beat({ memberId: "a", memberEpoch: 1 }));
    expect(code()).toBe(ErrorCode.None);
    const owned = [{ topicId, partitions: [0, 1] }];
    coordinator.ask(beat({ memberId: "a", memberEpoch: 1, topicPartitions: owned }));
    expect(code()).toBe(ErrorCode.RebalanceInProgress);
  });

  test("of version 0 has its session timeout for a rebalance timeout", () => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 4);
    coordinator.ask(consumerHeartbeat({ memberId: "a" }));
    coordinator.ask(
      classicJoin({ apiVersion: 0, rebalanceTimeoutMs: -1, sessionTimeoutMs: 20_000 }),
    );
    coordinator.advance(19_999);
    expect(standingOf(coordinator).members.size).toBe(2);
    coordinator.advance(1);
    expect(standingOf(coordinator).members.size).toBe(1);
  });

  test("that is told to join again and does not is fenced, for all its heartbeats", () => {
    const coordinator = new Coordinator();
    coordinator.createTopic("topic", 4);
    coordinator.ask(consumerHeartbeat({ memberId: "a" }));
    const { memberId, generationId = -1 } = coordinator.ask(classicJoin());
    coordinator.ask(sync({ memberId, generationId }));
    coordinator.ask(consumerHeartbeat({ memberId: "b" }));
    for (let beats = 0; beats < 6; beats++) {
      coordinator.ask(heartbeat({ memberId, generationId }));
      coordinator.advance(5000);
    }
    expect(standingOf(coordinator).members.has(memberId)).toBeFalse();
    expect(standingOf(coordinator).members.has("a")).toBeTrue();
  });

  test("that leaves gives its partitions to the others", () => {
    const coordinator = new Coordinator();
    const topicId = coordinator.createTopic("topic", 4);
    coordinator.ask(consumerHeartbeat({ memberId: "a" }));
    const { memberId } = coordinator.ask(classicJoin());
    coordinator.ask(leave(memberId));
    const owned = [{ topicId, partitions: [0, 1, 2, 3] }];
    const { memberEpoch } = coordinator.ask(
      beat({ memberId: "a", memberEpoch: 1, topicPartitions: owned }),
    );
    expect(memberEpoch).toBe(3);
    expect(standingOf(coordinator).state).toBe("Stable");
  });
});
