import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import {
  decideReassignPartitions,
  ongoingReassignments,
} from "../../src/metadata/decide/reassign_partitions.ts";
import { Cluster } from "./cluster.ts";

function reassign(
  cluster: Cluster,
  replicas: readonly number[] | null,
  fields: { readonly name?: string; readonly partitionId?: number; readonly keeps?: boolean } = {},
): readonly unknown[] {
  const { name = "t", partitionId = 0, keeps = false } = fields;
  const { brokerValue } = cluster;
  const reply = cluster.decide((image) =>
    decideReassignPartitions(image, {
      topics: [{ name, partitions: [{ partitionId, replicas }] }],
      allowReplicationFactorChange: !keeps,
      brokerValue,
    })
  );
  const { errorCode, errorMessage } = reply.topics[0]?.partitions[0] ?? reply;
  return [errorCode, errorMessage];
}

const DONE = [ErrorCode.None, null];

/** Replicas, then those that come, then those that go. */
function assigned(cluster: Cluster): readonly (readonly number[])[] {
  const { replicas, addingReplicas, removingReplicas } = cluster.partition("t");
  return [replicas, addingReplicas, removingReplicas];
}

function four(): Cluster {
  const cluster = Cluster.of(1, 2, 3, 4);
  cluster.create("t", [1, 2]);
  cluster.alterIsr("t", [1, 2]);
  return cluster;
}

describe("decideReassignPartitions()", () => {
  test("adds those that come, and takes the others away when all are in sync", () => {
    const cluster = four();
    expect(reassign(cluster, [2, 3])).toEqual(DONE);
    expect(assigned(cluster)).toEqual([[2, 3, 1], [3], [1]]);
    expect(cluster.state("t")).toEqual([1, 0, [1, 2], 2]);
    expect(ongoingReassignments(cluster.image, null)[0]?.partitions).toHaveLength(1);
    expect(cluster.alterIsr("t", [1, 2, 3])).toBe(ErrorCode.NewLeaderElected);
    expect(assigned(cluster)).toEqual([[2, 3], [], []]);
    expect(cluster.state("t")).toEqual([2, 1, [2, 3], 3]);
    expect(ongoingReassignments(cluster.image, null)).toEqual([]);
  });

  test("what is in sync already ends at once, in a new epoch where somebody leaves", () => {
    const cluster = four();
    expect(reassign(cluster, [2, 1])).toEqual(DONE);
    expect(assigned(cluster)).toEqual([[2, 1], [], []]);
    expect(cluster.state("t")).toEqual([1, 0, [1, 2], 2]);
    expect(reassign(cluster, [1])).toEqual(DONE);
    expect(assigned(cluster)).toEqual([[1], [], []]);
    expect(cluster.state("t")).toEqual([1, 1, [1], 3]);
    expect(reassign(cluster, [1])).toEqual(DONE);
    expect(cluster.written).toHaveLength(0);
  });

  test("ends where the one that stays is fenced, and waits for those that come", () => {
    const cluster = four();
    reassign(cluster, [3]);
    cluster.alterIsr("t", [1, 2, 3]);
    expect(cluster.partition("t").replicas).toEqual([3]);
    cluster.fence(3);
    reassign(cluster, [3, 4]);
    expect(assigned(cluster)).toEqual([[3, 4], [4], []]);
    expect(cluster.state("t")).toEqual([3, 1, [3], 4]);
    reassign(cluster, [3]);
    expect(assigned(cluster)).toEqual([[3], [], []]);
    expect(cluster.state("t")).toEqual([3, 2, [3], 5]);
  });

  test("another one takes its place, and remembers how it was before both", () => {
    const cluster = four();
    reassign(cluster, [2, 3]);
    reassign(cluster, [3, 4]);
    expect(assigned(cluster)).toEqual([[3, 4, 2, 1], [3, 4], [2, 1]]);
    reassign(cluster, [1, 4]);
    expect(assigned(cluster)).toEqual([[1, 4, 3, 2], [4, 3], [3, 2]]);
    expect(reassign(cluster, null)).toEqual(DONE);
    expect(assigned(cluster)).toEqual([[1, 2], [], []]);
    expect(cluster.partition("t").isr).toEqual([1, 2]);
  });

  test("one to where it was ends it", () => {
    const cluster = four();
    reassign(cluster, [2, 3]);
    expect(reassign(cluster, [1, 2])).toEqual(DONE);
    expect(assigned(cluster)).toEqual([[1, 2], [], []]);
  });

  test("cancelling is refused where there is nothing, or nobody from before is in sync", () => {
    const cluster = four();
    expect(reassign(cluster, null)[0]).toBe(ErrorCode.NoReassignmentInProgress);
    reassign(cluster, [3, 4]);
    cluster.alterIsr("t", [1, 3]);
    cluster.fence(1);
    expect(cluster.state("t").slice(0, 3)).toEqual([3, 1, [3]]);
    expect(reassign(cluster, null)).toEqual([
      ErrorCode.InvalidReplicaAssignment,
      "Unable to revert partition assignment for t:0 because it would require an unclean leader " +
      "election.",
    ]);
    cluster.settings.set("unclean.leader.election.enable", "true");
    expect(reassign(cluster, null)).toEqual(DONE);
    expect(assigned(cluster)).toEqual([[1, 2], [], []]);
    expect(cluster.state("t").slice(0, 3)).toEqual([2, 2, [2]]);
  });

  test("says what it does not know, and what replicas may not be", () => {
    const cluster = four();
    expect(reassign(cluster, [1], { name: "x" })).toEqual([
      ErrorCode.UnknownTopicOrPartition,
      "Unable to find a topic named x.",
    ]);
    expect(reassign(cluster, [1], { partitionId: 7 })).toEqual([
      ErrorCode.UnknownTopicOrPartition,
      "Unable to find partition t:7.",
    ]);
    for (const replicas of [[], [1, 1], [9]]) {
      expect(reassign(cluster, replicas)[0]).toBe(ErrorCode.InvalidReplicaAssignment);
    }
  });

  test("keeps the replication factor where it is told to", () => {
    const cluster = four();
    expect(reassign(cluster, [1, 2, 3], { keeps: true })).toEqual([
      ErrorCode.InvalidReplicationFactor,
      "The replication factor is changed from 2 to 3",
    ]);
    expect(reassign(cluster, [3, 4], { keeps: true })).toEqual(DONE);
    expect(reassign(cluster, [2, 4], { keeps: true })).toEqual(DONE);
  });

  test("needs the level of clusters", () => {
    const cluster = new Cluster();
    cluster.register(1);
    cluster.create("t", [1]);
    expect(reassign(cluster, [1])[0]).toBe(ErrorCode.UnsupportedVersion);
  });
});

describe("ongoingReassignments()", () => {
  test("tells of those that are asked for", () => {
    const cluster = four();
    reassign(cluster, [3, 4]);
    const names = (topic: string, partitionId: number): readonly string[] =>
      ongoingReassignments(cluster.image, [{ name: topic, partitionIds: [partitionId] }])
        .map(({ name }) => name);
    expect(names("t", 0)).toEqual(["t"]);
    expect(names("t", 1)).toEqual([]);
    expect(names("x", 0)).toEqual([]);
  });
});
