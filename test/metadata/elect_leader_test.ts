import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import {
  decideElectLeaders,
  ELECTION_TYPE,
  type ElectLeadersReply,
} from "../../src/metadata/decide/elect_leader.ts";
import { Cluster } from "./cluster.ts";

const { preferred, unclean } = ELECTION_TYPE;

function elect(
  cluster: Cluster,
  electionType: number,
  partitionIds?: readonly number[],
  name = "t",
): ElectLeadersReply {
  const topics = partitionIds === undefined ? null : [{ name, partitionIds }];
  return cluster.decide((image) => decideElectLeaders(image, { electionType, topics }));
}

function codes({ topics }: ElectLeadersReply): readonly ErrorCode[] {
  return topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
}

/** Partition 0 is led by 2 although 1 is preferred and in sync; partition 1 is as it should be. */
function moved(): Cluster {
  const cluster = Cluster.of(1, 2);
  cluster.create("t", [1, 2], [2, 1]);
  cluster.alterIsr("t", [1, 2]);
  cluster.fence(1);
  cluster.heartbeat(1);
  cluster.alterIsr("t", [2, 1]);
  return cluster;
}

describe("decideElectLeaders()", () => {
  test("makes the preferred replica the leader again", () => {
    const cluster = moved();
    expect(cluster.state("t")).toEqual([2, 1, [2, 1], 3]);
    expect(codes(elect(cluster, preferred, [0, 1]))).toEqual([
      ErrorCode.None,
      ErrorCode.ElectionNotNeeded,
    ]);
    expect(cluster.state("t")).toEqual([1, 2, [2, 1], 4]);
  });

  test("asked for all it tells only of those that needed it", () => {
    const cluster = moved();
    const reply = elect(cluster, preferred);
    expect(reply.topics).toEqual([{
      name: "t",
      partitions: [{ partitionId: 0, errorCode: ErrorCode.None, errorMessage: null }],
    }]);
  });

  test("a partition that is named twice is elected for once", () => {
    expect(codes(elect(moved(), preferred, [0, 0]))).toEqual([
      ErrorCode.None,
      ErrorCode.ElectionNotNeeded,
    ]);
  });

  test("does not prefer a replica that is not in sync", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    cluster.alterIsr("t", [1, 2]);
    cluster.fence(1);
    cluster.heartbeat(1);
    expect(codes(elect(cluster, preferred, [0]))).toEqual([ErrorCode.PreferredLeaderNotAvailable]);
    expect(cluster.written).toHaveLength(0);
  });

  test("says what it does not know", () => {
    const cluster = moved();
    const told = (reply: ElectLeadersReply): readonly unknown[] =>
      reply.topics.flatMap(({ partitions }) =>
        partitions.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])
      );
    const { UnknownTopicOrPartition } = ErrorCode;
    expect(told(elect(cluster, preferred, [7, -1]))).toEqual([
      [UnknownTopicOrPartition, "No such partition as t-7"],
      [UnknownTopicOrPartition, "No such partition as t--1"],
    ]);
    expect(told(elect(cluster, preferred, [0], "x"))).toEqual([
      [UnknownTopicOrPartition, "No such topic as x"],
    ]);
    const bad = elect(cluster, 2, [0]);
    expect([bad.errorCode, bad.errorMessage, bad.topics]).toEqual([
      ErrorCode.InvalidRequest,
      "Unknown election type 2",
      [],
    ]);
  });

  test("elects uncleanly only where no leader can be reached, and somebody is there", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    expect(codes(elect(cluster, unclean, [0]))).toEqual([ErrorCode.ElectionNotNeeded]);
    cluster.fence(1);
    expect(cluster.state("t")).toEqual([1, 0, [1], 0]);
    expect(codes(elect(cluster, unclean, [0]))).toEqual([ErrorCode.None]);
    expect(cluster.state("t")).toEqual([2, 1, [2], 1]);
    cluster.fence(2);
    expect(codes(elect(cluster, unclean, [0]))).toEqual([ErrorCode.EligibleLeadersNotAvailable]);
  });

  test("needs the level of clusters", () => {
    const cluster = new Cluster();
    cluster.register(1);
    expect(elect(cluster, preferred).errorCode).toBe(ErrorCode.UnsupportedVersion);
  });
});
