import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { decideAlterPartition } from "../../src/metadata/decide/alter_partition.ts";
import { decideReassignPartitions } from "../../src/metadata/decide/reassign_partitions.ts";
import { Cluster, uuid } from "./cluster.ts";

function three(): Cluster {
  const cluster = Cluster.of(1, 2, 3);
  cluster.create("t", [1, 2, 3]);
  return cluster;
}

describe("decideAlterPartition()", () => {
  test("takes replicas into the ISR and out of it, in the leader epoch that there is", () => {
    const cluster = three();
    expect(cluster.alterIsr("t", [1, 2, 3])).toBe(ErrorCode.None);
    expect(cluster.state("t")).toEqual([1, 0, [1, 2, 3], 1]);
    expect(cluster.alterIsr("t", [1, 3])).toBe(ErrorCode.None);
    expect(cluster.state("t")).toEqual([1, 0, [1, 3], 2]);
    expect(cluster.alterIsr("t", [1, 3])).toBe(ErrorCode.None);
    expect(cluster.written).toHaveLength(0);
  });

  test("answers what is in force", () => {
    const cluster = three();
    const { topicId } = cluster.partition("t");
    const reply = cluster.decide((image) =>
      decideAlterPartition(image, {
        brokerId: 1,
        brokerEpoch: cluster.epochOf(1),
        partitions: [{
          topicId,
          partitionId: 0,
          leaderEpoch: 0,
          partitionEpoch: 0,
          isr: [{ brokerId: 1, brokerEpoch: -1 }, { brokerId: 2, brokerEpoch: -1 }],
        }],
      })
    );
    expect(reply.partitions).toEqual([{
      topicId,
      partitionId: 0,
      errorCode: ErrorCode.None,
      leader: 1,
      leaderEpoch: 0,
      isr: [1, 2],
      partitionEpoch: 1,
    }]);
  });

  test("refuses the whole request of another incarnation", () => {
    const cluster = three();
    const reply = cluster.decide((image) =>
      decideAlterPartition(image, { brokerId: 1, brokerEpoch: 0, partitions: [] })
    );
    expect([reply.errorCode, reply.errorMessage]).toEqual([
      ErrorCode.StaleBrokerEpoch,
      `Expected broker epoch ${cluster.epochOf(1)}, but got broker epoch 0`,
    ]);
  });

  test("tells an unknown topic from an unknown partition", () => {
    const cluster = three();
    expect(cluster.alterIsr("t", [1], { topicId: uuid(77) })).toBe(ErrorCode.UnknownTopicId);
    expect(cluster.alterIsr("t", [1], { partitionId: 0 })).toBe(ErrorCode.None);
    const { topicId } = cluster.partition("t");
    const reply = cluster.decide((image) =>
      decideAlterPartition(image, {
        brokerId: 1,
        brokerEpoch: cluster.epochOf(1),
        partitions: [{ topicId, partitionId: 9, leaderEpoch: 0, partitionEpoch: 0, isr: [] }],
      })
    );
    expect(reply.partitions[0]?.errorCode).toBe(ErrorCode.UnknownTopicOrPartition);
  });

  test("looks at epochs in Kafka's order", () => {
    const cluster = three();
    cluster.alterIsr("t", [1, 2]);
    cluster.fence(1); // leader 2, leader epoch 1, partition epoch 2
    cluster.heartbeat(1);
    const of = (leaderEpoch: number, partitionEpoch: number, from = 2): ErrorCode =>
      cluster.alterIsr("t", [from], { leaderEpoch, partitionEpoch, from });
    expect(of(2, 2)).toBe(ErrorCode.NotController);
    expect(of(1, 3)).toBe(ErrorCode.NotController);
    expect(of(0, 2)).toBe(ErrorCode.FencedLeaderEpoch);
    expect(of(1, 2, 1)).toBe(ErrorCode.InvalidRequest);
    expect(of(1, 1)).toBe(ErrorCode.InvalidUpdateVersion);
    expect(of(1, 2)).toBe(ErrorCode.None);
  });

  test("refuses an ISR without its leader, of strangers, or with somebody twice", () => {
    const cluster = three();
    for (const isr of [[2, 3], [], [1, 4], [1, 2, 2]]) {
      expect(cluster.alterIsr("t", isr)).toBe(ErrorCode.InvalidRequest);
    }
    expect(cluster.state("t")).toEqual([1, 0, [1], 0]);
  });

  test("refuses who is fenced, stopping, gone, or has started anew since it fetched", () => {
    const cluster = three();
    cluster.create("u", [3, 2], [2, 3]);
    cluster.alterIsr("u", [3, 2]);
    cluster.fence(2);
    expect(cluster.alterIsr("t", [1, 2])).toBe(ErrorCode.IneligibleReplica);
    cluster.heartbeat(2);
    expect(cluster.alterIsr("u", [3, 2])).toBe(ErrorCode.None);
    cluster.heartbeat(3, { wantShutDown: true });
    expect(cluster.alterIsr("t", [1, 3])).toBe(ErrorCode.IneligibleReplica);
    const brokerEpoch = cluster.epochOf(2);
    cluster.restart(2);
    cluster.heartbeat(2);
    const { topicId } = cluster.partition("t");
    const of = (epoch: number): ErrorCode | undefined =>
      cluster.decide((image) =>
        decideAlterPartition(image, {
          brokerId: 1,
          brokerEpoch: cluster.epochOf(1),
          partitions: [{
            topicId,
            partitionId: 0,
            leaderEpoch: 0,
            partitionEpoch: 0,
            isr: [{ brokerId: 1, brokerEpoch: -1 }, { brokerId: 2, brokerEpoch: epoch }],
          }],
        })
      ).partitions[0]?.errorCode;
    expect(of(brokerEpoch)).toBe(ErrorCode.IneligibleReplica);
    expect(of(cluster.epochOf(2))).toBe(ErrorCode.None);
  });

  test("a partition that is named twice is changed once", () => {
    const cluster = three();
    const { topicId } = cluster.partition("t");
    const one = { topicId, partitionId: 0, leaderEpoch: 0, partitionEpoch: 0 };
    const isr = [{ brokerId: 1, brokerEpoch: -1 }, { brokerId: 2, brokerEpoch: -1 }];
    const reply = cluster.decide((image) =>
      decideAlterPartition(image, {
        brokerId: 1,
        brokerEpoch: cluster.epochOf(1),
        partitions: [{ ...one, isr }, { ...one, isr: isr.slice(0, 1) }],
      })
    );
    expect(reply.partitions.map(({ errorCode }) => errorCode))
      .toEqual([ErrorCode.None, ErrorCode.InvalidUpdateVersion]);
    expect(cluster.state("t")).toEqual([1, 0, [1, 2], 1]);
  });

  test("the last replica of a reassignment ends it, and who asked is told of a new leader", () => {
    const cluster = three();
    const { brokerValue } = cluster;
    cluster.decide((image) =>
      decideReassignPartitions(image, {
        topics: [{ name: "t", partitions: [{ partitionId: 0, replicas: [2, 3] }] }],
        brokerValue,
      })
    );
    expect(cluster.alterIsr("t", [1, 2])).toBe(ErrorCode.None);
    expect(cluster.partition("t").removingReplicas).toEqual([1]);
    expect(cluster.alterIsr("t", [1, 2, 3])).toBe(ErrorCode.NewLeaderElected);
    expect(cluster.partition("t").replicas).toEqual([2, 3]);
    expect(cluster.state("t")).toEqual([2, 1, [2, 3], 3]);
  });

  test("needs the level of clusters", () => {
    const cluster = new Cluster();
    cluster.register(1);
    cluster.create("t", [1]);
    expect(cluster.alterIsr("t", [1])).toBe(ErrorCode.UnsupportedVersion);
  });
});
