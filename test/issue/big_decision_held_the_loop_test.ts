/**
 * A create of a thousand topics of ten partitions was checked, packed, read back and replayed without a
 * pause: on a busy machine the leader was silent for longer than an election takes, lost its lead to
 * another voter, and the client was told that nobody decides.
 */
import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { uuidFromEntropy } from "../../src/ground/uuid.ts";
import { decideCreateTopics } from "../../src/metadata/decide/create_topics.ts";
import { decideRegisterBroker } from "../../src/metadata/decide/register_broker.ts";
import type { Decision } from "../../src/metadata/decision.ts";
import type { ClusterImage } from "../../src/metadata/image.ts";
import { NotController } from "../../src/runtime/quorum/not_controller.ts";
import { registration } from "../metadata/cluster.ts";
import { type ClusterNode, settled, TestCluster } from "../runtime/quorum/quorum_fixture.ts";

const TOPICS = 1000;
const PARTITIONS = 10;
const RECORDS = TOPICS * (PARTITIONS + 1);
/** Of packing, and of reading back what was committed. */
const PAUSES = 2 * Math.floor((RECORDS - 1) / 1000);

function createMany(image: ClusterImage): Decision<unknown> {
  return decideCreateTopics(image, {
    topics: Array.from({ length: TOPICS }, (_, index) => ({
      name: `many-${index}`,
      topicId: uuidFromEntropy(new Prng(index).bytes(16)),
      partitionCount: PARTITIONS,
      replicationFactor: 1,
      assignments: [],
      config: [],
    })),
    validateOnly: false,
    defaultPartitionCount: 1,
    defaultReplicationFactor: 1,
    partitionCountMax: TOPICS * PARTITIONS,
    brokerValue: () => undefined,
  });
}

async function leaderWithBroker(cluster: TestCluster): Promise<ClusterNode> {
  const leader = await cluster.leader();
  await cluster.clock.until(
    leader.quorum.propose((image) =>
      decideRegisterBroker(image, { ...registration(1), startsUnfenced: true })
    ),
  );
  return leader;
}

describe("a decision of 11,000 records", () => {
  test("gives others their turns, and nobody sees a part of it", async () => {
    const cluster = await TestCluster.start(1);
    const { quorum } = await leaderWithBroker(cluster);
    const seen = new Set<number>();
    let pauses = 0;
    const { after } = cluster.clock;
    cluster.clock.after = (delayMs, action) =>
      after.call(cluster.clock, delayMs, () => {
        if (delayMs === 0) pauses++;
        for (const { partitions } of quorum.image.topics()) seen.add(partitions.length);
        action();
      });
    await cluster.clock.until(quorum.propose(createMany));
    expect(pauses).toBeGreaterThanOrEqual(PAUSES);
    for (const count of seen) expect(count).toBe(PARTITIONS);
    expect([...quorum.image.topics()]).toHaveLength(TOPICS);
  });

  test("is told as made where the lead is lost while its consequences are under way", async () => {
    const cluster = await TestCluster.start(3);
    const leader = await leaderWithBroker(cluster);
    const other = cluster.follower(leader);
    let finish = (): void => undefined;
    const isDone = new Promise<void>((resolve) => finish = resolve);
    let toldCount = 0;
    leader.quorum.onReplayed(() => {
      toldCount++;
      return isDone; // ten thousand logs are being made
    });
    const outcome = settled(leader.quorum.propose(createMany));
    await cluster.until(() => toldCount > 0, "its consequences begin");
    leader.quorum.node.transferLeadership(other.voter);
    await cluster.until(() => other.quorum.isLeader, "another one leads");
    await cluster.clock.advance(10_000);
    expect(outcome).toEqual({});
    finish();
    await cluster.until(() => "value" in outcome || "error" in outcome, "it is told");
    expect(outcome.error).toBeUndefined();
    expect([...leader.quorum.image.topics()]).toHaveLength(TOPICS);
  });

  test("is not written by who lost the lead and won it again meanwhile", async () => {
    const cluster = await TestCluster.start(3);
    const leader = await leaderWithBroker(cluster);
    const other = cluster.follower(leader);
    const { after } = cluster.clock;
    let goOn: (() => void) | undefined;
    cluster.clock.after = (delayMs, action) => {
      if (delayMs > 0 || goOn !== undefined) return after.call(cluster.clock, delayMs, action);
      goOn = action;
      return { cancel: () => undefined };
    };
    const outcome = settled(leader.quorum.propose(createMany));
    await cluster.until(() => goOn !== undefined, "packing pauses");
    leader.quorum.node.transferLeadership(other.voter);
    await cluster.until(() => other.quorum.isLeader, "another one leads");
    await cluster.take(other);
    other.quorum.node.transferLeadership(leader.voter);
    await cluster.until(() => leader.quorum.isLeader, "the first one leads again");
    goOn?.();
    await cluster.until(() => outcome.error !== undefined, "it is refused");
    expect(outcome.error).toBeInstanceOf(NotController);
    expect((outcome.error as NotController).isDefinite).toBeTrue();
    await cluster.converge();
    expect([...leader.quorum.image.topics()]).toHaveLength(0);
  });
});
