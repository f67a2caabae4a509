/**
 * What Apache Kafka 4.1.1 wrote into `__consumer_offsets` for two console consumers of one topic, read
 * with its DumpLogSegments: the same requests make the same records here, metadata hash included.
 *
 * The id of the topic and those of the members are those of that run.
 */
import { describe, expect, test } from "bun:test";
import type { GroupRecord } from "../../../src/api/coordinator_record/group_record.ts";
import { toMs } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import { ConsumerGroup } from "../../../src/group/consumer/consumer_group.ts";
import { DEFAULT_GROUP_SETTINGS, defaultGroupConfig } from "../../../src/group/group_settings.ts";
import type { Turn } from "../../../src/group/turn.ts";
import { ClusterImage } from "../../../src/metadata/image.ts";
import { consumerHeartbeat } from "../requests.ts";

const TOPIC_ID = "rPcytTqLTFquAwH7EDYpVg" as Uuid;
const METADATA_HASH = -6079649429120170683n;
const FIRST = "Ee2c5vQeSH6hK1J1iP_gsg";
const SECOND = "tBBEW1KqQHaKgbzVwt_HJw";

const metadata = (memberId: string): GroupRecord => ({
  kind: "ConsumerGroupMemberMetadata",
  key: { groupId: "g1", memberId },
  value: {
    instanceId: null,
    rackId: null,
    clientId: "client",
    clientHost: "/127.0.0.1",
    subscribedTopicNames: ["orders"],
    subscribedTopicRegex: "",
    rebalanceTimeoutMs: 300_000,
    serverAssignor: null,
    classicMemberMetadata: null,
  },
});
const epoch = (groupEpoch: number, metadataHash: bigint): GroupRecord => ({
  kind: "ConsumerGroupMetadata",
  key: { groupId: "g1" },
  value: { epoch: groupEpoch, metadataHash },
});
const target = (memberId: string, partitions: readonly number[]): GroupRecord => ({
  kind: "ConsumerGroupTargetAssignmentMember",
  key: { groupId: "g1", memberId },
  value: { topicPartitions: [{ topicId: TOPIC_ID, partitions }] },
});
const targetEpoch = (assignmentEpoch: number): GroupRecord => ({
  kind: "ConsumerGroupTargetAssignmentMetadata",
  key: { groupId: "g1" },
  value: { assignmentEpoch },
});
const current = (
  memberId: string,
  [memberEpoch, previousMemberEpoch, state]: readonly [number, number, number],
  partitions: readonly number[],
): GroupRecord => ({
  kind: "ConsumerGroupCurrentMemberAssignment",
  key: { groupId: "g1", memberId },
  value: {
    memberEpoch,
    previousMemberEpoch,
    state,
    assignedPartitions: partitions.length === 0 ? [] : [{ topicId: TOPIC_ID, partitions }],
    partitionsPendingRevocation: [],
  },
});
const gone = (memberId: string): readonly GroupRecord[] => {
  const key = { groupId: "g1", memberId };
  return [
    { kind: "ConsumerGroupCurrentMemberAssignment", key, value: null },
    { kind: "ConsumerGroupTargetAssignmentMember", key, value: null },
    { kind: "ConsumerGroupMemberMetadata", key, value: null },
  ];
};

const KEPT = [0, 1, 2];
const GIVEN = [3, 4];

class Driver {
  readonly group = new ConsumerGroup("g1");
  readonly image = new ClusterImage();

  constructor() {
    const replay = (record: Parameters<ClusterImage["replay"]>[1]): void =>
      this.image.replay(this.image.nextOffset, record);
    replay({ kind: "topic", version: 0, name: "orders", topicId: TOPIC_ID });
    for (let partitionId = 0; partitionId < 5; partitionId++) {
      replay({
        kind: "partition",
        version: 0,
        topicId: TOPIC_ID,
        partitionId,
        replicas: [1],
        isr: [1],
        leader: 1,
        leaderEpoch: 0,
        partitionEpoch: 0,
      });
    }
  }

  /** The records of one heartbeat, which are replayed. */
  heartbeat(fields: Parameters<typeof consumerHeartbeat>[0]): readonly GroupRecord[] {
    const records: GroupRecord[] = [];
    const turn: Turn = {
      now: toMs(1_795_426_560_200),
      settings: DEFAULT_GROUP_SETTINGS,
      image: this.image,
      random: new Prng(1),
      regexes: { compile: () => undefined },
      configOf: () => defaultGroupConfig(DEFAULT_GROUP_SETTINGS),
      write: (record) => records.push(record),
      reply: () => {},
      become: () => {},
    };
    this.group.heartbeat(
      turn,
      consumerHeartbeat({
        groupId: "g1",
        rebalanceTimeoutMs: 300_000,
        subscribedTopicNames: ["orders"],
        ...fields,
      }),
      { id: 1 },
    );
    for (const record of records) this.group.replay(record);
    return records;
  }
}

describe("the records of two members that come and go", () => {
  test("are Kafka's", () => {
    const driver = new Driver();
    expect(driver.heartbeat({ memberId: FIRST })).toEqual([
      metadata(FIRST),
      epoch(1, METADATA_HASH),
      target(FIRST, [0, 1, 2, 3, 4]),
      targetEpoch(1),
      current(FIRST, [1, 0, 0], [0, 1, 2, 3, 4]),
    ]);
    expect(driver.heartbeat({ memberId: SECOND })).toEqual([
      metadata(SECOND),
      epoch(2, METADATA_HASH),
      target(FIRST, KEPT),
      target(SECOND, GIVEN),
      targetEpoch(2),
      current(SECOND, [2, 0, 2], []),
    ]);
    expect(driver.heartbeat({ memberId: SECOND, memberEpoch: 2 })).toEqual([
      current(SECOND, [2, 2, 2], []),
    ]);
    expect(driver.heartbeat({ memberId: SECOND, memberEpoch: -1 })).toEqual([
      ...gone(SECOND),
      epoch(3, METADATA_HASH),
    ]);
    expect(driver.heartbeat({ memberId: FIRST, memberEpoch: -1 })).toEqual([
      ...gone(FIRST),
      epoch(4, 0n),
    ]);
  });
});
