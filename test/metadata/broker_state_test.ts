import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { decideFenceBroker } from "../../src/metadata/decide/broker_state.ts";
import { Cluster, newTopic } from "./cluster.ts";

function kinds(cluster: Cluster): readonly string[] {
  return cluster.written.map(({ kind }) => kind);
}

describe("decideBrokerHeartbeat()", () => {
  test("refuses a broker that is not registered, and another incarnation", () => {
    const cluster = Cluster.of(1);
    const gone = cluster.heartbeat(7);
    expect([gone.errorCode, gone.errorMessage]).toEqual([
      ErrorCode.StaleBrokerEpoch,
      "No broker registration found for broker id 7",
    ]);
    const epoch = cluster.epochOf(1);
    const stale = cluster.heartbeat(1, { brokerEpoch: epoch - 1 });
    expect([stale.errorCode, stale.errorMessage]).toEqual([
      ErrorCode.StaleBrokerEpoch,
      `Expected broker epoch ${epoch}, but got broker epoch ${epoch - 1}`,
    ]);
  });

  test("lets a broker serve when it has its own registration, and not before", () => {
    const cluster = Cluster.of();
    cluster.register(1);
    const epoch = cluster.epochOf(1);
    const early = cluster.heartbeat(1, { metadataOffset: epoch });
    expect([early.isCaughtUp, early.isFenced]).toEqual([false, true]);
    expect(cluster.heartbeat(1, { metadataOffset: epoch + 1, wantFence: true }).isFenced).toBe(
      true,
    );
    expect(cluster.written).toHaveLength(0);
    const late = cluster.heartbeat(1, { metadataOffset: epoch + 1 });
    expect([late.isCaughtUp, late.isFenced]).toEqual([true, false]);
    expect(kinds(cluster)).toEqual(["broker-change"]);
    cluster.heartbeat(1);
    expect(cluster.written).toHaveLength(0);
  });

  test("a broker that wants to stop hands over what others can lead, and waits until they know", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    cluster.create("alone", [1]);
    cluster.alterIsr("t", [1, 2]);
    const first = cluster.heartbeat(1, { wantShutDown: true });
    expect([first.isFenced, first.isInControlledShutdown, first.shouldShutDown])
      .toEqual([false, true, false]);
    expect(cluster.state("t")).toEqual([2, 1, [2], 2]);
    expect(cluster.state("alone")).toEqual([1, 0, [1], 0]);
    expect(cluster.image.isActive(1)).toBe(false);
    const second = cluster.heartbeat(1, { wantShutDown: true, haveOthersSeen: false });
    expect([second.isInControlledShutdown, second.shouldShutDown]).toEqual([true, false]);
    expect(cluster.written).toHaveLength(0);
    const third = cluster.heartbeat(1, { wantShutDown: true });
    expect([third.isFenced, third.isInControlledShutdown, third.shouldShutDown])
      .toEqual([true, false, true]);
    expect(cluster.image.isUnfenced(1)).toBe(false);
    expect(cluster.heartbeat(1, { wantShutDown: true }).shouldShutDown).toBe(true);
    expect(cluster.written).toHaveLength(0);
  });

  test("a broker whose partitions nobody else can lead may stop at once", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2], [2, 1]);
    const reply = cluster.heartbeat(1, { wantShutDown: true });
    expect([reply.isFenced, reply.shouldShutDown]).toEqual([true, true]);
    expect(kinds(cluster)).toEqual(["broker-change"]);
    expect(cluster.state("t")).toEqual([1, 0, [1], 0]);
  });

  test("a broker that follows only leaves the ISR when it stops", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    cluster.alterIsr("t", [1, 2]);
    expect(cluster.heartbeat(2, { wantShutDown: true }).shouldShutDown).toBe(true);
    expect(cluster.state("t")).toEqual([1, 0, [1], 2]);
  });

  test("fences who asks for it", () => {
    const cluster = Cluster.of(1);
    const reply = cluster.heartbeat(1, { wantFence: true });
    expect([reply.isFenced, reply.shouldShutDown]).toEqual([true, false]);
    expect(cluster.image.isUnfenced(1)).toBe(false);
  });

  test("one that comes out of a controlled shutdown serves as any other", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    cluster.alterIsr("t", [1, 2]);
    cluster.heartbeat(1, { wantShutDown: true });
    cluster.fence(1);
    cluster.heartbeat(1);
    expect(cluster.image.isActive(1)).toBe(true);
  });

  test("at the level of a node alone nothing is written and nobody is fenced", () => {
    const cluster = new Cluster();
    cluster.register(1);
    cluster.create("t", [1]);
    expect(cluster.heartbeat(1).isFenced).toBe(false);
    expect(cluster.written).toHaveLength(0);
    const last = cluster.heartbeat(1, { wantShutDown: true });
    expect([last.shouldShutDown, last.isFenced]).toEqual([true, false]);
    expect(cluster.fence(1)).toBe(false);
    expect(cluster.written).toHaveLength(0);
  });
});

describe("decideFenceBroker()", () => {
  test("the leader moves to the first replica that is in sync, and leaves the ISR", () => {
    const cluster = Cluster.of(1, 2, 3);
    cluster.create("t", [1, 2, 3]);
    cluster.alterIsr("t", [1, 3, 2]);
    expect(cluster.fence(1)).toBe(true);
    expect(cluster.state("t")).toEqual([2, 1, [3, 2], 2]);
    expect(kinds(cluster)).toEqual(["partition-change", "broker-change"]);
    expect(cluster.fence(1)).toBe(false);
  });

  test("the last one of an ISR stays and leads on in the record, and takes over as it was", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    cluster.fence(1);
    expect(kinds(cluster)).toEqual(["broker-change"]);
    expect(cluster.state("t")).toEqual([1, 0, [1], 0]);
    cluster.heartbeat(1);
    expect(kinds(cluster)).toEqual(["broker-change"]);
    expect(cluster.state("t")).toEqual([1, 0, [1], 0]);
  });

  test("leaves an incarnation alone that came after the one that was silent", () => {
    const cluster = Cluster.of(1);
    const brokerEpoch = cluster.epochOf(1);
    cluster.restart(1);
    cluster.heartbeat(1);
    const { brokerValue } = cluster;
    const silent = { brokerId: 1, brokerEpoch, brokerValue };
    expect(cluster.decide((image) => decideFenceBroker(image, silent))).toBe(false);
    expect(cluster.image.isActive(1)).toBe(true);
    expect(cluster.fence(9)).toBe(false);
  });

  test("takes a leader from outside the ISR only where the topic allows it", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("strict", [1, 2]);
    cluster.createTopics([newTopic("loose", {
      assignments: [{ partitionId: 0, brokerIds: [1, 2] }],
      config: [{ name: "unclean.leader.election.enable", value: "true" }],
    })]);
    cluster.fence(1);
    expect(cluster.state("strict")).toEqual([1, 0, [1], 0]);
    expect(cluster.state("loose")).toEqual([2, 1, [2], 1]);
  });

  test("a broker that returns takes over uncleanly what nobody can lead, where that is allowed", () => {
    const cluster = Cluster.of(1, 2);
    cluster.settings.set("unclean.leader.election.enable", "true");
    cluster.create("t", [1, 2]);
    cluster.fence(2);
    cluster.fence(1);
    expect(cluster.state("t")).toEqual([1, 0, [1], 0]);
    cluster.heartbeat(2);
    expect(cluster.state("t")).toEqual([2, 1, [2], 1]);
  });
});
