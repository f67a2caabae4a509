import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { fetch } from "../../src/api/fetch.ts";
import { metadata } from "../../src/api/metadata.ts";
import type { ClientError } from "../../src/client/client_error.ts";
import type { RetryReport } from "../../src/client/retry_report.ts";
import type { Uuid } from "../../src/ground/uuid.ts";
import { answering, type Step } from "./fake_broker.ts";
import { fill } from "./filling.ts";
import { codeOf } from "./harness.ts";
import { read, setUpConsumer as setUp, WHOLE } from "./reading.ts";

function fetchRefusal(topicId: Uuid | undefined, errorCode: number): Step {
  const partition = {
    partitionIndex: 0,
    errorCode,
    highWatermark: -1,
    abortedTransactions: null,
    records: null,
  };
  const id = topicId === undefined ? {} : { topicId };
  return answering(fetch, { responses: [{ ...id, partitions: [partition] }] });
}

describe("Consumer, failures", () => {
  test("an offset that is not there is an error", async () => {
    const { client, clock, partition } = await setUp();
    fill(partition, ["0"]);
    const assignments = [{ ...WHOLE, from: 9 }];
    expect(await clock.until(codeOf(read(client, { assignments })))).toBe("OFFSET_OUT_OF_RANGE");
  });

  test("an offset that is not there is moved where that was asked", async () => {
    const { client, clock, partition, events } = await setUp();
    for (const value of ["0", "1", "2"]) fill(partition, [value]);
    partition.logStartOffset = 1;
    const assignments = [{ ...WHOLE, until: 3 }];
    expect(await clock.until(read(client, { assignments, onOutOfRange: "start" })))
      .toEqual(["0:1=1", "0:2=2"]);
    expect(await clock.until(read(client, { assignments, onOutOfRange: "end" }))).toEqual([]);
    expect(events).toContain("warn offset is out of range");
  });

  test("a partition that is not there is an error before anything is fetched", async () => {
    const { client, clock, broker } = await setUp();
    const assignments = [{ ...WHOLE, partition: 1 }];
    expect(await clock.until(codeOf(read(client, { assignments }))))
      .toBe("UNKNOWN_TOPIC_OR_PARTITION");
    const elsewhere = [{ ...WHOLE, topic: "nope" }];
    expect(await clock.until(codeOf(read(client, { assignments: elsewhere }))))
      .toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(broker.requestsOf(fetch)).toHaveLength(0);
  });

  test("a new leader is found", async () => {
    const { client, clock, partition } = await setUp({ brokers: 2 });
    for (const value of ["0", "1", "2", "3"]) fill(partition, [value]);
    const assignments = [{ ...WHOLE, until: 4 }];
    const records = client.consumer({ assignments, partitionMaxBytes: 1 })[Symbol.asyncIterator]();
    expect((await clock.until(records.next())).value?.offset).toBe(0);
    partition.leaderId = 2;
    partition.leaderEpoch = 1;
    for (const offset of [1, 2, 3]) {
      expect((await clock.until(records.next())).value?.offset).toBe(offset);
    }
    expect((await clock.until(records.next())).done).toBeTrue();
  });

  test("a broker that is gone is waited for, without losing or doubling a record", async () => {
    const { client, clock, partition, broker } = await setUp();
    for (let batch = 0; batch < 6; batch++) fill(partition, ["x"]);
    broker.script(fetch, { kind: "serve" }, { kind: "close", isServed: false }, {
      kind: "silence",
    });
    const assignments = [{ ...WHOLE, until: 6 }];
    const options = { assignments, partitionMaxBytes: 1, retryTimeoutMs: 20_000 };
    expect(await clock.until(read(client, options)))
      .toEqual([0, 1, 2, 3, 4, 5].map((offset) => `0:${offset}=x`));
  });

  test("a broker that stays away is an error when the time is up", async () => {
    const { client, clock, broker } = await setUp();
    const code = codeOf(read(client, { assignments: [WHOLE], retryTimeoutMs: 4000 }));
    await clock.advance(100);
    await broker.stop();
    const before = clock.monotonicMs();
    expect(await clock.until(code)).toBe("UNREACHABLE");
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(4000);
    expect(clock.monotonicMs() - before).toBeLessThan(12_000);
  });

  test("a log that cannot be read is told of, waited for, and an error after five seconds", async () => {
    const { client, clock, broker, partition } = await setUp();
    fill(partition, ["0"]);
    await clock.until(client.metadata.topic("a"));
    const { topicId } = client.metadata.known("a") ?? { topicId: undefined };
    broker.script(fetch, ...Array(99).fill(fetchRefusal(topicId, ErrorCode.KafkaStorageError)));
    const retries: RetryReport[] = [];
    const before = clock.monotonicMs();
    const onRetry = (report: RetryReport): void => void retries.push(report);
    const code = await clock.until(codeOf(read(client, { assignments: [WHOLE], onRetry })));
    expect(code).toBe("KAFKA_STORAGE_ERROR");
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(5000);
    expect(clock.monotonicMs() - before).toBeLessThan(8000);
    expect(retries[0]?.error.code).toBe("KAFKA_STORAGE_ERROR");
    expect(retries.at(-1)?.failingForMs).toBeGreaterThan(3000);
  });

  test("a batch that is damaged on the broker's disk is an error at once, with its offset", async () => {
    const { client, clock, broker } = await setUp();
    await clock.until(client.metadata.topic("a"));
    const { topicId } = client.metadata.known("a") ?? { topicId: undefined };
    broker.script(fetch, fetchRefusal(topicId, ErrorCode.CorruptMessage));
    const failure = await clock.until(
      read(client, { assignments: [WHOLE] }).catch((error: ClientError) => error),
    ) as ClientError;
    expect(failure.code).toBe("CORRUPT_MESSAGE");
    expect(failure.message).toContain("a-0: the batch at offset 0 is damaged");
    expect(failure.retriable).toBeFalse();
    expect(broker.requestsOf(fetch)).toHaveLength(1);
  });

  test("a topic that is deleted while it is read is an error", async () => {
    const { client, clock, cluster } = await setUp();
    const code = codeOf(read(client, { assignments: [WHOLE] }));
    await clock.advance(100);
    cluster.topics.delete("a");
    expect(await clock.until(code)).toBe("UNKNOWN_TOPIC_OR_PARTITION");
  });

  test("what is refused for good is an error at once", async () => {
    const { client, clock, broker } = await setUp();
    await clock.until(client.metadata.topic("a"));
    const { topicId } = client.metadata.known("a") ?? { topicId: undefined };
    broker.script(
      fetch,
      answering(fetch, {
        responses: [{
          ...(topicId === undefined ? {} : { topicId }),
          partitions: [{
            partitionIndex: 0,
            errorCode: ErrorCode.TopicAuthorizationFailed,
            highWatermark: -1,
            abortedTransactions: null,
            records: null,
          }],
        }],
      }),
    );
    expect(await clock.until(codeOf(read(client, { assignments: [WHOLE] }))))
      .toBe("TOPIC_AUTHORIZATION_FAILED");
  });

  test("a leader that is being elected is waited for", async () => {
    const { client, clock, partition, broker } = await setUp();
    fill(partition, ["0"]);
    partition.leaderId = -1;
    const seen = read(client, { assignments: [{ ...WHOLE, until: 1 }] });
    await clock.advance(500);
    partition.leaderId = 1;
    expect(await clock.until(seen)).toEqual(["0:0=0"]);
    expect(broker.requestsOf(metadata).length).toBeGreaterThan(2);
  });
});
