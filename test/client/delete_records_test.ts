import { describe, expect, test } from "bun:test";
import { deleteRecords } from "../../src/api/delete_records.ts";
import type { DeletedRecords } from "../../src/client/admin_results.ts";
import type { Client } from "../../src/client/client.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { answering, type FakeBroker } from "./fake_broker.ts";
import type { FakePartition } from "./fake_cluster.ts";
import { codeOf, type Harness, startHarness } from "./harness.ts";

async function setUp(brokerCount = 1): Promise<Harness & { readonly client: Client }> {
  const harness = await startHarness(brokerCount);
  return { ...harness, client: await harness.connect({ requestTimeoutMs: 5000 }) };
}

function fill(partition: FakePartition, count: number): void {
  const builder = new BatchBuilder({ bytesMax: 1000, compressionType: "none" });
  for (let index = 0; index < count; index++) {
    builder.append({ key: null, value: bytesOf("x"), timestamp: 1 });
  }
  const tools = { crc32c: crc32cTables, compress: (_: string, bytes: Uint8Array) => bytes };
  partition.append(builder.finish({}, tools));
}

function shown(results: readonly DeletedRecords[]): readonly unknown[] {
  return results.map(({ partition, lowWatermark, error }) => [
    partition,
    error?.code ?? lowWatermark,
  ]);
}

describe("Admin.deleteRecords()", () => {
  test("asks every leader about its own, and answers in the order asked", async () => {
    const { client, clock, cluster, brokers } = await setUp(2);
    cluster.createTopic("a", 3);
    for (let index = 0; index < 3; index++) fill(cluster.partition("a", index), 5);
    const offsets = new Map([[2, 3], [0, 0], [1, -1]]);
    const results = await clock.until(client.admin.deleteRecords("a", offsets));
    expect(shown(results)).toEqual([[2, 3], [0, 0], [1, 5]]);
    expect(brokers.map((broker) => broker.requestsOf(deleteRecords).length)).toEqual([1, 1]);
    expect(cluster.partition("a", 2).logStartOffset).toBe(3);
  });

  test("reports what is refused, and does the others", async () => {
    const { client, clock, cluster } = await setUp();
    cluster.createTopic("a", 2);
    fill(cluster.partition("a", 0), 5);
    const offsets = new Map([[0, 2], [1, 1], [7, 0]]);
    const results = await clock.until(client.admin.deleteRecords("a", offsets));
    expect(shown(results)).toEqual([
      [0, 2],
      [1, "OFFSET_OUT_OF_RANGE"],
      [7, "UNKNOWN_TOPIC_OR_PARTITION"],
    ]);
    expect(results[1]?.error?.message).toMatch(/^Cannot delete records of a-1: /);
  });

  test("asks again where leadership has moved, and where the answer is lost", async () => {
    const { client, clock, cluster, brokers } = await setUp(2);
    cluster.createTopic("a");
    fill(cluster.partition("a", 0), 5);
    await clock.until(client.metadata.topic("a"));
    cluster.partition("a", 0).leaderId = 2;
    cluster.partition("a", 0).leaderEpoch = 1;
    (brokers[1] as FakeBroker).script(deleteRecords, { kind: "close", isServed: true });
    const results = await clock.until(client.admin.deleteRecords("a", new Map([[0, 4]])));
    expect(shown(results)).toEqual([[0, 4]]);
    expect(brokers.map((broker) => broker.requestsOf(deleteRecords).length)).toEqual([1, 2]);
  });

  test("a partition that the answer leaves out is an error, and nothing is asked for nothing", async () => {
    const { client, clock, cluster, brokers } = await setUp();
    cluster.createTopic("a");
    (brokers[0] as FakeBroker).script(deleteRecords, answering(deleteRecords, { topics: [] }));
    const results = await clock.until(client.admin.deleteRecords("a", new Map([[0, 0]])));
    expect(shown(results)).toEqual([[0, "PROTOCOL"]]);
    expect(await clock.until(client.admin.deleteRecords("nope", new Map()))).toEqual([]);
    expect(await clock.until(codeOf(client.admin.deleteRecords("nope", new Map([[0, 0]])))))
      .toBe("UNKNOWN_TOPIC_OR_PARTITION");
  });
});
