import { describe, expect, test } from "bun:test";
import { misfit } from "../../src/metadata/record_fit.ts";
import type { MetadataRecord } from "../../src/metadata/record.ts";
import { Cluster, uuid } from "./cluster.ts";

function two(): Cluster {
  const cluster = Cluster.of(1, 2);
  cluster.create("t", [1, 2]);
  return cluster;
}

describe("misfit()", () => {
  test("names a change that cannot follow what is there", () => {
    const cluster = two();
    const { topicId } = cluster.partition("t");
    const change = {
      kind: "partition-change",
      version: 0,
      topicId,
      partitionId: 0,
      bumpsLeaderEpoch: false,
    } as const;
    const of = (record: MetadataRecord): string | undefined => misfit(cluster.image, record);
    expect(of({ ...change, partitionId: 1 })).toMatch(/has none of that number/);
    expect(of({ ...change, isr: [3] })).toMatch(/gives partition 0 .* the isr 3/);
    expect(of({ ...change, leader: 2 })).toMatch(/leader 2, who is not in the isr 1/);
    expect(of({ ...change, replicas: [2] })).toMatch(/the isr 1/);
    expect(of({ ...change, addingReplicas: [3] })).toMatch(/reassigns/);
    expect(of({ ...change, leader: -1 })).toBeUndefined();
    expect(of({ ...change, isr: [2], leader: 2 })).toBeUndefined();
    const { addingReplicas: _none, removingReplicas: _neither, ...rest } = cluster.partition("t");
    const partition = { kind: "partition", version: 0, ...rest } as const;
    expect(of({ ...partition, partitionId: 2 })).toMatch(
      /makes partition 2 of t, and 1 is the next/,
    );
    expect(of({ ...partition, partitionId: 1 })).toBeUndefined();
    expect(of({ kind: "topic", version: 0, name: "t", topicId: uuid(9) })).toMatch(/already/);
    const stale = { version: 0, brokerId: 1, brokerEpoch: 77 } as const;
    expect(of({ kind: "broker-change", ...stale })).toMatch(/not registered with epoch 77/);
    expect(of({ kind: "unregister-broker", ...stale })).toMatch(/not registered/);
  });

  test("lets records pass that are about a topic that was removed", () => {
    const { image } = two();
    const topicId = uuid(8);
    const change = { topicId, partitionId: 5, bumpsLeaderEpoch: false } as const;
    expect(misfit(image, { kind: "partition-change", version: 0, ...change })).toBeUndefined();
    expect(misfit(image, { kind: "remove-topic", version: 0, topicId })).toBeUndefined();
  });
});
