import { describe, expect, test } from "bun:test";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { batchOf, type Fixture, pageOf, startBroker } from "./broker_fixture.ts";
import { createTopic, fetchFrom, produceTo } from "./topic_requests.ts";

/** The value of one series, or undefined where the page has none. */
function sample({ broker }: Fixture, series: string): number | undefined {
  const { body } = pageOf({ broker }, "/metrics");
  const line = body.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe("/metrics of a broker that works", () => {
  test("counts what goes in and out, requests, syncs and the delay of the loop", async () => {
    const fixture = await startBroker();
    const connection = await fixture.dial();
    await createTopic(connection, "t");
    const batch = batchOf(["a", "b", "c"]);
    const byteCount = batch.length;
    await produceTo(connection, "t", batch);
    await produceTo(connection, "t", batchOf(["d", "e", "f"]));
    const fetched = await fetchFrom(connection, "t", { offset: 1 });
    await fixture.clock.advance(4000);
    const topic = (name: string): number | undefined =>
      sample(fixture, `kafka_server_brokertopicmetrics_${name}_total{topic="t"}`);
    expect(topic("messagesin")).toBe(6);
    expect(topic("bytesin")).toBe(2 * byteCount);
    expect(topic("messagesout")).toBe(5); // from offset 1 on
    expect(topic("bytesout")).toBe(fetched.records?.length);
    const partition = '{topic="t",partition="0"}';
    expect(sample(fixture, `kafka_topic_partition_current_offset${partition}`)).toBe(6);
    expect(sample(fixture, `kafka_topic_partition_oldest_offset${partition}`)).toBe(0);
    expect(sample(fixture, `kafka_log_log_size${partition}`)).toBe(2 * byteCount);
    expect(sample(fixture, `kafka_topic_partition_in_sync_replica${partition}`)).toBe(1);
    expect(sample(fixture, 'kafka_topic_partitions{topic="t"}')).toBe(1);
    expect(sample(fixture, "kafka_brokers")).toBe(1);
    expect(sample(fixture, "kafka_server_socketservermetrics_connection_count")).toBe(1);
    const requests = 'kafka_network_requestmetrics_requests_total{request="Produce",version="9"}';
    expect(sample(fixture, requests)).toBe(2);
    const seconds = 'kafka_network_requestmetrics_totaltime_seconds_count{request="Produce"}';
    expect(sample(fixture, seconds)).toBe(2);
    expect(sample(fixture, "kafka_log_logflushstats_flush_seconds_count")).toBeGreaterThan(0);
    expect(sample(fixture, "mq_event_loop_delay_seconds_count")).toBe(2);
  });

  test("a refused batch is counted, a deleted topic is forgotten", async () => {
    const fixture = await startBroker();
    const connection = await fixture.dial();
    await createTopic(connection, "t");
    await produceTo(connection, "t", batchOf(["a"]));
    fixture.disk.failNext("write", "no-space");
    await produceTo(connection, "t", batchOf(["b"]));
    expect(sample(fixture, "mq_append_errors_total")).toBe(1);
    expect(fixture.events.join()).toMatch(/could not be appended/);
    await connection.ask(deleteTopics, 5, { topicNames: ["t"], timeoutMs: 1000 });
    const { body } = pageOf(fixture, "/metrics");
    expect(body).not.toContain('topic="t"');
  });
});
