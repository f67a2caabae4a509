import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { metadata } from "../../src/api/metadata.ts";
import { produce } from "../../src/api/produce.ts";
import type { BatchReport, DeliveryReport } from "../../src/client/producer_options.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { codeOf, startHarness, valued, valuesIn } from "./harness.ts";
import { setUpProducer as setUp } from "./producing.ts";

describe("Producer, buffer and topics", () => {
  test("append() gives a promise when the buffer is full, kept when there is room", async () => {
    const { client, cluster, clock } = await setUp();
    const producer = client.producer({ bufferBytesMax: 1000, batchBytes: 400, lingerMs: 1000 });
    let waits = 0;
    await clock.until((async () => {
      for (let index = 0; index < 50; index++) {
        const room = producer.append("a", valued("x".repeat(100)));
        expect(producer.bufferedBytes).toBeLessThanOrEqual(1200);
        if (room === undefined) continue;
        waits++;
        await room;
      }
    })());
    expect(waits).toBeGreaterThan(3);
    await clock.until(producer.flush());
    expect(valuesIn(cluster.partition("a", 0))).toHaveLength(50);
  });

  test("append() refuses who does not wait", async () => {
    const { client, clock } = await setUp();
    const producer = client.producer({ bufferBytesMax: 1000 });
    expect(() => {
      for (let index = 0; index < 50; index++) producer.append("a", valued("x".repeat(100)));
    }).toThrow("Cannot take record");
    await clock.until(producer.flush());
    expect(producer.append("a", valued("x"))).toBeUndefined();
  });

  test("records of an unknown topic wait for it, in order", async () => {
    const { client, cluster, clock, broker } = await setUp();
    cluster.autoCreate = true;
    const producer = client.producer();
    const first = producer.append("new", valued("1"));
    const second = producer.appendSlice("new", {
      bytes: bytesOf("2"),
      keyStart: -1,
      keyEnd: -1,
      valueStart: 0,
      valueEnd: 1,
    });
    expect(first).toBeInstanceOf(Promise);
    expect(second).toBeInstanceOf(Promise);
    await clock.until(Promise.all([first, second]));
    expect(producer.append("new", valued("3"))).toBeUndefined();
    await clock.until(producer.flush());
    expect(valuesIn(cluster.partition("new", 0))).toEqual(["1", "2", "3"]);
    expect(broker.requestsOf(metadata).at(-1)?.body.allowAutoTopicCreation).toBeTrue();
  });

  test("a topic that cannot be found is reported, and its promise is kept", async () => {
    const { client, clock } = await setUp();
    const reports: BatchReport[] = [];
    const producer = client.producer({ onBatchDelivered: (report) => reports.push(report) });
    const records: DeliveryReport[] = [];
    await clock.until(Promise.all([
      producer.append("nope", valued("1"), (report) => records.push(report)),
      producer.append("nope", valued("2")),
    ]));
    expect(reports.map(({ topic, partition, recordCount, error }) => {
      return [topic, partition, recordCount, error?.code];
    })).toEqual([["nope", -1, 2, "UNKNOWN_TOPIC_OR_PARTITION"]]);
    expect(records[0]?.error?.code).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(producer.bufferedBytes).toBe(0);
    await clock.until(producer.flush());
  });

  test("a record over the limit of a request is refused here", async () => {
    const { client, clock, broker } = await setUp();
    const producer = client.producer({ maxRequestBytes: 100 });
    const sent = producer.send("a", valued("x".repeat(101)));
    expect(await clock.until(codeOf(sent))).toBe("MESSAGE_TOO_LARGE");
    expect(broker.requestsOf(produce)).toHaveLength(0);
  });

  test("the signal stops it, and reports what was not delivered", async () => {
    const { client, broker, clock } = await setUp();
    const stopping = new AbortController();
    const producer = client.producer({ signal: stopping.signal, lingerMs: 10 });
    broker.script(produce, { kind: "silence" });
    const flying = codeOf(producer.send("a", valued("1")));
    await clock.advance(20);
    const waiting = codeOf(producer.send("a", valued("2")));
    const unknown = codeOf(producer.send("nope", valued("3")));
    stopping.abort();
    expect(await clock.until(Promise.all([flying, waiting, unknown])))
      .toEqual(["ABORTED", "ABORTED", "ABORTED"]);
    expect(() => producer.append("a", valued("4"))).toThrow("stopped");
  });

  test("a client that is stopped stops its producers", async () => {
    const { cluster, connect, clock } = await startHarness();
    cluster.createTopic("a");
    const stopping = new AbortController();
    const client = await connect({ signal: stopping.signal });
    const sent = codeOf(client.producer({ lingerMs: 1000 }).send("a", valued("1")));
    await clock.settle();
    stopping.abort();
    expect(await clock.until(sent)).toBe("ABORTED");
  });

  test("a batch that is too large is cut until it fits, and nothing is lost or doubled", async () => {
    const { client, cluster, clock, broker } = await setUp();
    const refuse = {
      kind: "answer",
      body: {
        responses: [{
          name: "a",
          partitionResponses: [
            { index: 0, errorCode: ErrorCode.MessageTooLarge, baseOffset: -1 },
          ],
        }],
      },
    } as const;
    broker.script(produce, refuse, { kind: "serve" }, refuse);
    const producer = client.producer({ batchBytes: 2000 });
    const offsets: number[] = [];
    const values = Array.from({ length: 40 }, (_, index) => `${index}`.padStart(80, " "));
    for (const value of values) {
      producer.append("a", valued(value), ({ offset }) => offsets.push(offset));
    }
    await clock.until(producer.flush());
    expect(valuesIn(cluster.partition("a", 0))).toEqual(values);
    expect(offsets).toEqual(values.map((_, index) => index));
    expect(producer.bufferedBytes).toBe(0);
  });
});
