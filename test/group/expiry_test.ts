import { describe, expect, test } from "bun:test";
import { writeSubscription } from "../../src/api/consumer_protocol.ts";
import type { GroupMetadataRecord } from "../../src/api/coordinator_record/group_record.ts";
import { Coordinator, START } from "./coordinator.ts";
import { commit, fetchOffsets, GROUP } from "./requests.ts";

const HOUR = 3_600_000;
const RETENTION = 24 * HOUR;
const CHECK = 600_000;

function coordinator(isChecked = true): Coordinator {
  const made = new Coordinator({
    isChecked,
    settings: { offsetsRetentionMs: RETENTION, offsetsRetentionCheckIntervalMs: CHECK },
  });
  made.createTopic("topic", 4);
  made.createTopic("other", 4);
  return made;
}

function offsetsOf(made: Coordinator, groupId = GROUP): readonly string[] {
  return made.ask(fetchOffsets({ groupId })).topics
    .flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => `${name}-${partitionIndex}`)
    );
}

function groupRecord(
  fields: Partial<NonNullable<GroupMetadataRecord["value"]>>,
): GroupMetadataRecord {
  return {
    kind: "GroupMetadata",
    key: { group: GROUP },
    value: {
      protocolType: "consumer",
      generation: 3,
      protocol: null,
      leader: null,
      currentStateTimestamp: START,
      members: [],
      ...fields,
    },
  };
}

function member(
  topics: readonly string[],
): NonNullable<GroupMetadataRecord["value"]>["members"][number] {
  const subscription = {
    version: 3,
    topics,
    userData: null,
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
  };
  return {
    memberId: "member",
    groupInstanceId: null,
    clientId: "client",
    clientHost: "/127.0.0.1",
    rebalanceTimeout: 60_000,
    sessionTimeout: 1_800_000,
    subscription: writeSubscription(subscription),
    assignment: new Uint8Array(0),
  };
}

describe("committed offsets of a consumer without membership", () => {
  test("expire by the time of their own commit, at the check after it", () => {
    const made = coordinator();
    made.ask(commit({ partition: 0 }));
    made.advance(HOUR);
    made.ask(commit({ partition: 1 }));
    made.advance(RETENTION - HOUR - 1);
    expect(offsetsOf(made)).toEqual(["topic-0", "topic-1"]);
    made.advance(CHECK);
    expect(offsetsOf(made)).toEqual(["topic-1"]);
    made.advance(HOUR);
    expect(offsetsOf(made)).toEqual([]);
    expect(made.dump()).toEqual([]);
  });

  test("are kept by a commit that repeats them", () => {
    const made = coordinator();
    made.ask(commit());
    made.advance(RETENTION - HOUR);
    made.ask(commit());
    made.advance(RETENTION - HOUR);
    expect(offsetsOf(made)).toEqual(["topic-0"]);
  });

  test("go by the retention of their own that an old client asked for", () => {
    const made = coordinator();
    made.ask(commit({ apiVersion: 4, retentionTimeMs: HOUR, partition: 0 }));
    made.ask(commit({ apiVersion: 4, retentionTimeMs: 3 * RETENTION, partition: 1 }));
    made.advance(HOUR + CHECK);
    expect(offsetsOf(made)).toEqual(["topic-1"]);
    made.advance(2 * RETENTION);
    expect(offsetsOf(made)).toEqual(["topic-1"]);
    made.advance(RETENTION);
    expect(offsetsOf(made)).toEqual([]);
  });

  test("go later where the log refuses the tombstones", () => {
    const made = coordinator();
    made.ask(commit());
    made.isFull = true;
    made.advance(RETENTION + CHECK);
    expect(offsetsOf(made)).toEqual(["topic-0"]);
    made.isFull = false;
    made.advance(0);
    expect(offsetsOf(made)).toEqual([]);
  });

  test("of very many groups go in steps, and none is left", () => {
    const made = coordinator(false);
    for (let group = 0; group < 1200; group++) made.ask(commit({ groupId: `group-${group}` }));
    const written = made.log.length;
    made.advance(RETENTION + CHECK);
    expect(made.dump()).toEqual([]);
    expect(made.log.length).toBe(2 * written);
  });
});

describe("committed offsets of a classic group", () => {
  test("expire together, by the time since which it is empty, and the group goes with them", () => {
    const made = coordinator();
    made.ask(commit());
    made.restartWith(groupRecord({ currentStateTimestamp: START + 5 * HOUR }));
    made.advance(RETENTION + 5 * HOUR - CHECK);
    expect(offsetsOf(made)).toEqual(["topic-0"]);
    made.advance(2 * CHECK);
    expect(offsetsOf(made)).toEqual([]);
    expect(made.dump()).toEqual([]);
    expect(made.log.at(-1)).toEqual({ kind: "GroupMetadata", key: { group: GROUP }, value: null });
  });

  test("expire by their commit where the group does not say since when it is empty", () => {
    const made = coordinator();
    made.ask(commit());
    made.restartWith(groupRecord({ currentStateTimestamp: -1 }));
    made.advance(RETENTION - CHECK);
    expect(offsetsOf(made)).toEqual(["topic-0"]);
    made.advance(2 * CHECK);
    expect(made.dump()).toEqual([]);
  });

  test("an empty group without offsets goes at the next check", () => {
    const made = coordinator();
    made.restartWith(groupRecord({}));
    made.advance(CHECK - 1);
    expect(made.dump()).not.toEqual([]);
    made.advance(1);
    expect(made.dump()).toEqual([]);
  });

  test("expire while it is stable, but for those of topics that it subscribes", () => {
    const made = coordinator();
    made.ask(commit({ topic: "topic" }));
    made.ask(commit({ topic: "other" }));
    const value = { protocol: "range", leader: "member", members: [member(["topic"])] };
    made.advance(RETENTION - HOUR / 4);
    made.restartWith(groupRecord(value));
    expect(offsetsOf(made)).toEqual(["topic-0", "other-0"]);
    // The session of the member is longer than this.
    made.advance(HOUR / 4 + CHECK / 2);
    expect(offsetsOf(made)).toEqual(["topic-0"]);
  });

  test("do not expire while clients other than consumers are its members", () => {
    const made = coordinator();
    made.ask(commit({ topic: "other" }));
    made.advance(RETENTION - HOUR / 4);
    made.restartWith(groupRecord({
      protocolType: "connect",
      protocol: "range",
      leader: "member",
      members: [member(["topic"])],
    }));
    made.advance(HOUR / 4 + CHECK / 2);
    expect(offsetsOf(made)).toEqual(["other-0"]);
  });
});

describe("a check for expired offsets", () => {
  test("is made at most once in its interval", () => {
    const made = coordinator();
    made.ask(commit());
    expect(made.shard.wakeAt).toBe(START + CHECK as typeof START);
    made.advance(CHECK);
    expect(made.shard.wakeAt).toBe(START + 2 * CHECK as typeof START);
  });

  test("is not made where there is no group", () => {
    expect(coordinator().shard.wakeAt).toBeUndefined();
  });
});

describe("the deletion of a topic", () => {
  test("removes the offsets of all groups for it, and no others", () => {
    const made = coordinator();
    for (const groupId of ["one", "two"]) {
      made.ask(commit({ groupId, topic: "topic" }));
      made.ask(commit({ groupId, topic: "other" }));
    }
    made.deleteTopic("topic");
    expect(offsetsOf(made, "one")).toEqual(["other-0"]);
    expect(offsetsOf(made, "two")).toEqual(["other-0"]);
  });

  test("leaves what was committed to the next topic of that name", () => {
    const made = coordinator();
    made.ask(commit({ groupId: "old" }));
    made.isFull = true;
    made.deleteTopic("topic");
    made.isFull = false;
    made.createTopic("topic", 1);
    made.ask(commit({ groupId: "new" }));
    made.wakeAll();
    expect(offsetsOf(made, "old")).toEqual([]);
    expect(offsetsOf(made, "new")).toEqual(["topic-0"]);
  });

  test("is made up for by the next coordinator, where nobody led when it happened", () => {
    const made = coordinator();
    made.ask(commit({ topic: "topic" }));
    made.ask(commit({ topic: "other" }));
    made.deleteTopic("topic", false);
    made.restart();
    made.wakeAll();
    expect(offsetsOf(made)).toEqual(["other-0"]);
  });

  test("is tried again until the log takes the tombstones", () => {
    const made = coordinator();
    made.ask(commit());
    made.isFull = true;
    made.deleteTopic("topic");
    made.advance(1000);
    expect(offsetsOf(made)).toEqual(["topic-0"]);
    made.isFull = false;
    made.advance(0);
    expect(made.dump()).toEqual([]);
  });
});
