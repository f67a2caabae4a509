/** What a caller hears while something is tried again, and in the end. */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import { produce } from "../../src/api/produce.ts";
import type { RetryReport } from "../../src/client/retry_report.ts";
import { answering } from "./fake_broker.ts";
import { valued } from "./harness.ts";
import { refusal, setUpRetries, texts } from "./producing.ts";

describe("RetryReport", () => {
  test("the reason is the refusal, not that the batches behind it are out of order", async () => {
    const retries: RetryReport[] = [];
    const { producer, broker, clock, reports } = await setUpRetries({
      deliveryTimeoutMs: 3000,
      onRetry: (report) => retries.push(report),
    });
    const full = "log directory /d is full: 1 B are free, 2 B are needed";
    const steps = Array.from({ length: 60 }, () => [
      refusal(ErrorCode.KafkaStorageError, full),
      refusal(ErrorCode.OutOfOrderSequenceNumber),
    ]);
    broker.script(produce, ...steps.flat());
    for (const text of texts(2)) producer.append("a", valued(text));
    await clock.until(producer.flush());
    expect(reports.map(({ error }) => error?.code)).toEqual(["TIMEOUT", "TIMEOUT"]);
    for (const { error } of reports) {
      expect(error?.message).toContain(`the last try: ${full}`);
      expect(error?.hint).toMatch(/^Make room/);
    }
    expect(new Set(retries.map(({ error }) => error.code))).toEqual(
      new Set(["KAFKA_STORAGE_ERROR"]),
    );
    expect(retries[0]?.failingForMs).toBe(0);
    expect(retries.at(-1)?.failingForMs).toBeGreaterThan(1000);
  });

  test("a partition without a leader is told of, and named when the time is up", async () => {
    const retries: RetryReport[] = [];
    const { producer, clock, cluster, reports } = await setUpRetries({
      deliveryTimeoutMs: 3000,
      onRetry: (report) => retries.push(report),
    });
    cluster.partition("a", 0).leaderId = -1;
    cluster.partition("a", 0).leaderEpoch = 1;
    producer.append("a", valued("1"));
    await clock.until(producer.flush());
    expect(reports[0]?.error?.message).toMatch(/not delivered within 3000 ms; the last try: /);
    expect(retries.at(-1)?.topic).toBe("a");
  });

  test("listOffsets() gives a log that cannot be read five seconds, and tells meanwhile", async () => {
    const { client, clock, brokers } = await setUpRetries();
    const errorCode = ErrorCode.KafkaStorageError;
    const partition = { partitionIndex: 0, errorCode, timestamp: -1, offset: -1 };
    const unreadable = answering(listOffsets, { topics: [{ name: "a", partitions: [partition] }] });
    brokers[0]?.script(listOffsets, ...Array(99).fill(unreadable));
    const heard: number[] = [];
    const before = clock.monotonicMs();
    const [offset] = await clock.until(
      client.admin.listOffsets("a", "end", {
        onRetry: ({ failingForMs }) => heard.push(failingForMs),
      }),
    );
    expect(offset?.error?.code).toBe("KAFKA_STORAGE_ERROR");
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(5000);
    expect(clock.monotonicMs() - before).toBeLessThan(8000);
    expect(heard.length).toBeGreaterThan(5);
    expect(heard.at(-1)).toBeGreaterThan(3000);
  });
});
