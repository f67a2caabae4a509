/** Metrics of groups in a cluster: the coordinator tells them, whoever leads the partitions. */
import { describe, expect, test } from "bun:test";
import { createTopics } from "../../src/api/create_topics.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { findCoordinator } from "../../src/api/find_coordinator.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import { produce } from "../../src/api/produce.ts";
import { TestCluster, type TestNode } from "../controller/cluster_fixture.ts";
import { batchOf } from "./broker_fixture.ts";

const PARTITIONS = [0, 1, 2, 3, 4, 5];
const ALL_LAGS = PARTITIONS.map((partition) => `${partition}=2`);

interface Scene {
  readonly cluster: TestCluster;
  readonly coordinator: TestNode;
  readonly leaders: readonly TestNode[];
}

/** Three records in each of six partitions, of which group g has read one each, five seconds ago. */
async function scene(replicas: number, settings: Record<string, string> = {}): Promise<Scene> {
  const cluster = await TestCluster.start({
    settings: { "offsets.topic.replication.factor": String(replicas), ...settings },
  });
  const controller = await cluster.untilLeader();
  await cluster.ask(controller, createTopics, 7, {
    topics: [{
      name: "orders",
      numPartitions: PARTITIONS.length,
      replicationFactor: replicas,
      assignments: [],
      configs: [],
    }],
    timeoutMs: 5000,
  });
  const { coordinators } = await cluster.ask(controller, findCoordinator, 6, {
    keyType: 0,
    coordinatorKeys: ["g"],
  });
  await cluster.clock.advance(1000); // all know of all topics
  const coordinator = cluster.node(coordinators[0]?.nodeId ?? -1);
  const leaders = PARTITIONS.map((partition) => {
    const { image } = coordinator.broker.metadata as NonNullable<typeof controller.broker.metadata>;
    return cluster.node(image.topic("orders")?.partitions[partition]?.leader ?? -1);
  });
  const timestamp = cluster.clock.wallMs();
  for (const index of PARTITIONS) {
    const records = batchOf(["a", "b", "c"], { timestamp });
    // deno-lint-ignore no-await-in-loop -- one after the other
    const { responses } = await cluster.ask(leaders[index] as TestNode, produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: "orders", partitionData: [{ index, records }] }],
    });
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.None);
  }
  await commitAll({ cluster, coordinator }, 1);
  await cluster.clock.advance(timestamp + 5000 - cluster.clock.wallMs());
  return { cluster, coordinator, leaders };
}

async function commitAll(
  { cluster, coordinator }: Omit<Scene, "leaders">,
  committedOffset: number,
): Promise<void> {
  const partitions = PARTITIONS.map((partitionIndex) => ({
    partitionIndex,
    committedOffset,
    committedMetadata: "",
  }));
  const { topics } = await cluster.ask(coordinator, offsetCommit, 9, {
    groupId: "g",
    topics: [{ name: "orders", partitions }],
  });
  expect(topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual(PARTITIONS.map(() => 0));
}

/** "partition=value" of the series of group g; also how long the page took. */
async function pageOf(
  { cluster }: Pick<Scene, "cluster">,
  { broker }: TestNode,
  name = "kafka_consumergroup_lag",
): Promise<{ readonly lines: readonly string[]; readonly tookMs: number }> {
  const beganMs = cluster.clock.monotonicMs();
  const { body } = await cluster.until(
    Promise.resolve(broker.routes({ method: "GET", path: "/metrics" })),
  );
  const series = new RegExp(
    `^${name}\\{consumergroup="g".*?(?:partition="(\\d+)")?\\} (.*)$`,
    "gm",
  );
  const lines = [...body.matchAll(series)].map(([, partition, value]) =>
    partition === undefined ? `${value}` : `${partition}=${value}`
  );
  return { lines, tookMs: cluster.clock.monotonicMs() - beganMs };
}

for (const replicas of [1, 3]) {
  describe(`metrics of groups in a cluster, with ${replicas} replicas`, () => {
    test("are told by the coordinator, and by nobody else, whoever leads", async () => {
      const the = await scene(replicas);
      expect(new Set(the.leaders).size).toBe(3);
      expect((await pageOf(the, the.coordinator)).lines).toEqual(ALL_LAGS);
      const seconds = await pageOf(the, the.coordinator, "mq_group_lag_seconds");
      expect(seconds.lines.map((line) => line.replace(/\.\d+$/, "")))
        .toEqual(PARTITIONS.map((partition) => `${partition}=5`));
      expect((await pageOf(the, the.coordinator, "kafka_consumergroup_lag_sum")).lines)
        .toEqual(["12"]);
      for (const other of the.cluster.nodes) {
        if (other === the.coordinator) continue;
        // deno-lint-ignore no-await-in-loop -- one after the other
        expect((await pageOf(the, other)).lines).toEqual([]);
      }
      await commitAll(the, 3);
      expect((await pageOf(the, the.coordinator)).lines)
        .toEqual(PARTITIONS.map((partition) => `${partition}=0`));
      the.cluster.haltAll();
    });

    test("count partitions as stuck that others lead", async () => {
      const the = await scene(replicas, { "mq.group.stuck.ms": "60000" });
      const stuck = async (): Promise<readonly string[]> =>
        (await pageOf(the, the.coordinator, "mq_group_stuck_partitions")).lines;
      expect(await stuck()).toEqual(["0"]);
      await the.cluster.clock.advance(61_000);
      expect(await stuck()).toEqual(["6"]);
      the.cluster.haltAll();
    });
  });
}

describe("metrics of groups whose partitions are led by a broker that is gone", () => {
  test("come at once, with what was known, and without it after a while", async () => {
    const the = await scene(1);
    const gone = the.leaders.find((leader) => leader !== the.coordinator) as TestNode;
    const left = ALL_LAGS.filter((_, partition) => the.leaders[partition] !== gone);
    expect((await pageOf(the, the.coordinator)).lines).toEqual(ALL_LAGS);
    gone.halt();
    const first = await pageOf(the, the.coordinator);
    expect(first.tookMs).toBeLessThanOrEqual(205);
    for (let page = 0; page < 5; page++) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      expect((await pageOf(the, the.coordinator)).tookMs).toBeLessThanOrEqual(205);
    }
    await the.cluster.clock.advance(61_000);
    const last = await pageOf(the, the.coordinator);
    expect(last.lines).toEqual(left);
    expect(last.tookMs).toBeLessThanOrEqual(205);
    the.cluster.haltAll();
  });
});
