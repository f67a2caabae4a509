import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import {
  type CreatePartitionsRequest,
  decideCreatePartitions,
  type GrownTopic,
  type TopicToGrow,
} from "../../src/metadata/decide/create_partitions.ts";
import { Cluster } from "./cluster.ts";

function grow(
  cluster: Cluster,
  topics: readonly TopicToGrow[],
  fields: Partial<CreatePartitionsRequest> = {},
): readonly GrownTopic[] {
  const request = { topics, validateOnly: false, partitionCountMax: 100, ...fields };
  return cluster.decide((image) => decideCreatePartitions(image, request));
}

function to(
  count: number,
  assignments: readonly (readonly number[])[] | null = null,
): TopicToGrow {
  return {
    name: "t",
    count,
    assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
  };
}

function told(cluster: Cluster, one: TopicToGrow): readonly unknown[] {
  const { errorCode, errorMessage } = grow(cluster, [one])[0] as GrownTopic;
  return [errorCode, errorMessage];
}

function two(): Cluster {
  const cluster = Cluster.of(1, 2, 3);
  cluster.create("t", [1, 2], [2, 3]);
  return cluster;
}

describe("decideCreatePartitions()", () => {
  test("adds partitions behind those that there are, with as many replicas", () => {
    const cluster = two();
    expect(told(cluster, to(5))).toEqual([ErrorCode.None, null]);
    const partitions = cluster.image.topic("t")?.partitions ?? [];
    expect(partitions.map(({ partitionId }) => partitionId)).toEqual([0, 1, 2, 3, 4]);
    for (const { replicas, isr, leader } of partitions.slice(2)) {
      expect(replicas).toHaveLength(2);
      expect(isr).toEqual([leader]);
      expect(leader).toBe(replicas[0] as number);
    }
  });

  test("takes assigned replicas, and checks them as those of a new topic", () => {
    const cluster = two();
    expect(told(cluster, to(3, [[3, 1]]))).toEqual([ErrorCode.None, null]);
    expect(cluster.partition("t", 2).replicas).toEqual([3, 1]);
    const { InvalidReplicaAssignment } = ErrorCode;
    const manual = "The manual partition assignment includes";
    expect(told(cluster, to(5, [[1, 2]]))).toEqual([
      InvalidReplicaAssignment,
      "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.",
    ]);
    expect(told(cluster, to(4, [[]]))).toEqual([
      InvalidReplicaAssignment,
      `${manual} an empty replica list.`,
    ]);
    expect(told(cluster, to(4, [[1, 9]]))).toEqual([
      InvalidReplicaAssignment,
      `${manual} broker 9, but no such broker is registered.`,
    ]);
    expect(told(cluster, to(4, [[1, 1]]))).toEqual([
      InvalidReplicaAssignment,
      `${manual} the broker 1 more than once.`,
    ]);
    expect(told(cluster, to(4, [[1]]))).toEqual([
      InvalidReplicaAssignment,
      `${manual} a partition with 1 replica(s), but this is not consistent with previous ` +
      "partitions, which have 2 replica(s).",
    ]);
    cluster.fence(1);
    cluster.fence(2);
    expect(told(cluster, to(4, [[1, 2]]))).toEqual([
      InvalidReplicaAssignment,
      "All brokers specified in the manual partition assignment for partition 3 are fenced or in " +
      "controlled shutdown.",
    ]);
    expect(told(cluster, to(4, [[1, 3]]))).toEqual([ErrorCode.None, null]);
    expect(cluster.partition("t", 3).leader).toBe(3);
  });

  test("refuses what is not more", () => {
    const cluster = two();
    expect(told(cluster, to(2))).toEqual([
      ErrorCode.InvalidPartitions,
      "Topic already has 2 partition(s).",
    ]);
    for (const count of [1, 0, -1]) {
      expect(told(cluster, to(count))).toEqual([
        ErrorCode.InvalidPartitions,
        `The topic t currently has 2 partition(s); ${count} would not be an increase.`,
      ]);
    }
  });

  test("refuses topics that are unknown, named twice, or would get too many", () => {
    const cluster = two();
    const codes = (topics: readonly TopicToGrow[]): readonly ErrorCode[] =>
      grow(cluster, topics).map(({ errorCode }) => errorCode);
    expect(codes([{ ...to(3), name: "x" }])).toEqual([ErrorCode.UnknownTopicOrPartition]);
    expect(codes([to(3), to(4)])).toEqual([ErrorCode.InvalidRequest, ErrorCode.InvalidRequest]);
    expect(codes([to(103)])).toEqual([ErrorCode.PolicyViolation]);
    expect(codes([to(2 ** 31 - 1)])).toEqual([ErrorCode.PolicyViolation]);
    cluster.create("u", [1]);
    expect(codes([to(62), { ...to(62), name: "u" }]))
      .toEqual([ErrorCode.None, ErrorCode.PolicyViolation]);
  });

  test("refuses to place where too few brokers are there", () => {
    const cluster = two();
    for (const brokerId of [1, 2, 3]) cluster.fence(brokerId);
    expect(told(cluster, to(3))).toEqual([
      ErrorCode.InvalidReplicationFactor,
      "Unable to replicate the partition 2 time(s): All brokers are currently fenced or in " +
      "controlled shutdown.",
    ]);
  });

  test("changes nothing when it only validates", () => {
    const cluster = two();
    expect(grow(cluster, [to(9)], { validateOnly: true })[0]?.errorCode).toBe(ErrorCode.None);
    expect(cluster.written).toHaveLength(0);
  });
});
