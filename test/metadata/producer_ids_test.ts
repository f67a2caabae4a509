import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { decideProducerIds, type ProducerIdBlock } from "../../src/metadata/decide/producer_ids.ts";
import { Cluster } from "./cluster.ts";

function allocate(cluster: Cluster, brokerId: number, brokerEpoch?: number): ProducerIdBlock {
  return cluster.decide((image) =>
    decideProducerIds(image, {
      brokerId,
      ...(brokerEpoch === undefined ? {} : { brokerEpoch }),
    })
  );
}

describe("decideProducerIds()", () => {
  test("gives no id twice, whoever asks", () => {
    const cluster = Cluster.of(1, 2);
    const blocks = [1, 2, 1].map((brokerId) =>
      allocate(cluster, brokerId, cluster.epochOf(brokerId))
    );
    expect(blocks.map(({ firstProducerId }) => firstProducerId)).toEqual([0, 1000, 2000]);
    expect(blocks.map(({ count }) => count)).toEqual([1000, 1000, 1000]);
    expect(cluster.replayed().nextProducerId).toBe(3000);
  });

  test("gives none to another incarnation, or to nobody", () => {
    const cluster = Cluster.of(1);
    const none = { firstProducerId: -1, count: 0 };
    expect(allocate(cluster, 1, 0)).toEqual({
      errorCode: ErrorCode.StaleBrokerEpoch,
      errorMessage: `Expected broker epoch ${cluster.epochOf(1)}, but got broker epoch 0`,
      ...none,
    });
    expect(allocate(cluster, 9, 5).errorCode).toBe(ErrorCode.StaleBrokerEpoch);
    expect(cluster.image.nextProducerId).toBe(0);
  });

  test("ends before ids that could not be told apart", () => {
    const cluster = Cluster.of(1);
    const nextProducerId = Number.MAX_SAFE_INTEGER - 500;
    cluster.replay({ kind: "producer-ids", version: 0, brokerId: 1, nextProducerId });
    expect(allocate(cluster, 1).errorCode).toBe(ErrorCode.UnknownServerError);
    expect(cluster.written).toHaveLength(0);
  });
});
