import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { fetch } from "../../src/api/fetch.ts";
import { initProducerId } from "../../src/api/init_producer_id.ts";
import { produce } from "../../src/api/produce.ts";
import { uuidFromEntropy } from "../../src/ground/uuid.ts";
import { batchOf, recordsOf, startBroker } from "./broker_fixture.ts";
import {
  createTopic,
  FETCH_VERSION,
  fetchBody,
  fetchFrom,
  PRODUCE_VERSION,
  produceBody,
  produceTo,
} from "./topic_requests.ts";

describe("Produce and Fetch", () => {
  test("give back what came in, at the offsets that were answered", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    expect((await produceTo(connection, "t", batchOf(["a", "b"]))).baseOffset).toBe(0);
    expect((await produceTo(connection, "t", batchOf(["c"]))).baseOffset).toBe(2);
    const fetched = await fetchFrom(connection, "t");
    expect(recordsOf(fetched.records)).toEqual(["0:a", "1:b", "2:c"]);
    expect(fetched.highWatermark).toBe(3);
    expect(fetched.lastStableOffset).toBe(3);
  });

  test("give the whole batch that holds the offset", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    await produceTo(connection, "t", batchOf(["a", "b", "c"]));
    expect(recordsOf((await fetchFrom(connection, "t", { offset: 1 })).records)).toHaveLength(3);
  });

  test("answer in the order of the requests, a long poll before what came behind it", async () => {
    const { dial, clock } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    connection.send(fetch, FETCH_VERSION, fetchBody("t", { maxWaitMs: 500 }));
    connection.send(produce, PRODUCE_VERSION, produceBody("missing", batchOf(["x"])));
    await clock.settle();
    expect(connection.answerCount).toBe(0);
    await clock.advance(500);
    expect(connection.answer(fetch, FETCH_VERSION).responses[0]?.partitions[0]?.errorCode).toBe(0);
    const produced = connection.answer(produce, PRODUCE_VERSION).responses[0];
    expect(produced?.partitionResponses[0]?.errorCode).toBe(ErrorCode.UnknownTopicOrPartition);
  });

  test("a long poll ends when records come, and takes nothing that is not committed", async () => {
    const { dial, clock } = await startBroker();
    const [reader, writer] = [await dial(), await dial()];
    await createTopic(writer, "t");
    reader.send(fetch, FETCH_VERSION, fetchBody("t", { maxWaitMs: 60_000 }));
    await clock.settle();
    expect(reader.answerCount).toBe(0);
    await produceTo(writer, "t", batchOf(["now"]));
    await clock.settle();
    const fetched = reader.answer(fetch, FETCH_VERSION).responses[0]?.partitions[0];
    expect(recordsOf(fetched?.records ?? null)).toEqual(["0:now"]);
  });

  test("a long poll waits for minBytes, until its time is over", async () => {
    const { dial, clock } = await startBroker();
    const [reader, writer] = [await dial(), await dial()];
    await createTopic(writer, "t");
    reader.send(fetch, FETCH_VERSION, fetchBody("t", { minBytes: 10_000, maxWaitMs: 100 }));
    await produceTo(writer, "t", batchOf(["little"]));
    await clock.settle();
    expect(reader.answerCount).toBe(0);
    await clock.advance(100);
    const fetched = reader.answer(fetch, FETCH_VERSION).responses[0]?.partitions[0];
    expect(recordsOf(fetched?.records ?? null)).toEqual(["0:little"]);
  });

  test("the first batch goes whatever the limits, the next only where there is room", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    for (const value of ["a", "b"]) await produceTo(connection, "t", batchOf([value.repeat(1000)]));
    const one = await fetchFrom(connection, "t", { maxBytes: 1, partitionMaxBytes: 1 });
    expect(recordsOf(one.records)).toHaveLength(1);
    const none = await fetchFrom(connection, "t", { maxBytes: 0, partitionMaxBytes: -5 });
    expect(recordsOf(none.records)).toHaveLength(1);
    expect(recordsOf((await fetchFrom(connection, "t", { maxBytes: 1500 })).records)).toHaveLength(
      1,
    );
  });

  test("refuse what is out of range, of another epoch, or only for replicas", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    const errorOf = async (fields: Parameters<typeof fetchFrom>[2]): Promise<number> =>
      (await fetchFrom(connection, "t", fields)).errorCode;
    expect(await errorOf({ offset: 1 })).toBe(ErrorCode.OffsetOutOfRange);
    expect(await errorOf({ offset: -5 })).toBe(ErrorCode.OffsetOutOfRange);
    expect(await errorOf({ offset: Number.MAX_SAFE_INTEGER })).toBe(ErrorCode.OffsetOutOfRange);
    expect(await errorOf({ leaderEpoch: 5 })).toBe(ErrorCode.UnknownLeaderEpoch);
    expect(await errorOf({ leaderEpoch: 0 })).toBe(ErrorCode.None);
    const asReplica = await connection.ask(fetch, FETCH_VERSION, fetchBody("t", { replicaId: 2 }));
    expect(asReplica.errorCode).toBe(ErrorCode.ClusterAuthorizationFailed);
    const inSession = await connection.ask(
      fetch,
      FETCH_VERSION,
      fetchBody("t", { sessionId: 7, sessionEpoch: 1 }),
    );
    expect(inSession.errorCode).toBe(ErrorCode.FetchSessionIdNotFound);
    const full = await connection.ask(fetch, FETCH_VERSION, fetchBody("t", { sessionEpoch: 0 }));
    expect(full.sessionId).toBe(0);
    expect(full.responses[0]?.partitions).toHaveLength(1);
  });

  test("an unknown topic id is told from an unknown name", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    const topicId = uuidFromEntropy(new Uint8Array(16).fill(3));
    const body = fetchBody("t");
    const asked = body.topics.map(({ partitions }) => ({ topicId, partitions }));
    const { responses } = await connection.ask(fetch, 13, { ...body, topics: asked });
    expect(responses[0]?.partitions[0]?.errorCode).toBe(ErrorCode.UnknownTopicId);
    expect((await fetchFrom(connection, "t")).errorCode).toBe(ErrorCode.UnknownTopicOrPartition);
  });

  test("acks=0 has no answer, and a refusal closes the connection", async () => {
    const { dial, clock, events } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    connection.send(produce, PRODUCE_VERSION, produceBody("t", batchOf(["a"]), 0));
    await clock.settle();
    expect(connection.answerCount).toBe(0);
    expect(recordsOf((await fetchFrom(connection, "t")).records)).toEqual(["0:a"]);
    connection.send(produce, PRODUCE_VERSION, produceBody("nowhere", batchOf(["a"]), 0));
    await clock.settle();
    expect(connection.isClosed).toBeTrue();
    expect(events.at(-1)).toMatch(/acks=0 was refused/);
  });

  test("acks of another number, and transactions, are refused", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    expect((await produceTo(connection, "t", batchOf(["a"]), 2)).errorCode).toBe(
      ErrorCode.InvalidRequiredAcks,
    );
    const body = { ...produceBody("t", batchOf(["a"])), transactionalId: "tx" };
    const { responses } = await connection.ask(produce, PRODUCE_VERSION, body);
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.InvalidTxnState);
    const given = { transactionalId: "tx", transactionTimeoutMs: 1000 };
    expect((await connection.ask(initProducerId, 4, given)).errorCode).toBe(
      ErrorCode.CoordinatorNotAvailable,
    );
  });

  test("a topic that wants two in-sync replicas takes no acks=all", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t", { "min.insync.replicas": "2" });
    expect((await produceTo(connection, "t", batchOf(["a"]))).errorCode).toBe(
      ErrorCode.NotEnoughReplicas,
    );
    expect((await produceTo(connection, "t", batchOf(["a"]), 1)).errorCode).toBe(ErrorCode.None);
  });

  test("LogAppendTime is the broker's clock, in the batch and in the answer", async () => {
    const { dial, clock } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t", { "message.timestamp.type": "LogAppendTime" });
    const produced = await produceTo(connection, "t", batchOf(["a"], { timestamp: 5 }));
    expect(produced.logAppendTimeMs).toBe(clock.wallMs());
    expect(recordsOf((await fetchFrom(connection, "t")).records)).toEqual(["0:a"]);
  });

  test("compression.type of a topic encodes anew and keeps offsets and sequence", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t", { "compression.type": "gzip" });
    const batch = batchOf(["a".repeat(500), "b".repeat(500)], {
      producerId: 5,
      producerEpoch: 0,
      baseSequence: 0,
    });
    expect((await produceTo(connection, "t", batch.slice())).errorCode).toBe(ErrorCode.None);
    expect((await produceTo(connection, "t", batch.slice())).baseOffset).toBe(0); // known by its sequence
    const fetched = await fetchFrom(connection, "t");
    expect(fetched.highWatermark).toBe(2);
    expect(fetched.records?.length).toBeLessThan(300);
  });
});

describe("Idempotent produce", () => {
  test("answers a repeated batch with its first offset and stores it once, over a restart too", async () => {
    const first = await startBroker();
    const connection = await first.dial();
    await createTopic(connection, "t");
    const { producerId } = await connection.ask(initProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: 0,
    });
    const batch = (baseSequence: number): Uint8Array =>
      batchOf(["a", "b"], { producerId, producerEpoch: 0, baseSequence });
    expect((await produceTo(connection, "t", batch(0))).baseOffset).toBe(0);
    expect((await produceTo(connection, "t", batch(2))).baseOffset).toBe(2);
    expect((await produceTo(connection, "t", batch(0))).baseOffset).toBe(0);
    expect((await produceTo(connection, "t", batch(6))).errorCode).toBe(
      ErrorCode.OutOfOrderSequenceNumber,
    );
    first.broker.halt();
    const second = await startBroker({}, first.disk.kill());
    const again = await second.dial();
    expect((await produceTo(again, "t", batch(2))).baseOffset).toBe(2);
    expect((await produceTo(again, "t", batch(4))).baseOffset).toBe(4);
    expect(recordsOf((await fetchFrom(again, "t")).records)).toHaveLength(6);
    const { producerId: other } = await again.ask(initProducerId, 4, {
      transactionalId: null,
      transactionTimeoutMs: 0,
    });
    expect(other).toBeGreaterThan(producerId);
  });

  test("fences an older epoch", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    const batch = (producerEpoch: number): Uint8Array =>
      batchOf(["a"], { producerId: 1, producerEpoch, baseSequence: 0 });
    expect((await produceTo(connection, "t", batch(1))).errorCode).toBe(ErrorCode.None);
    expect((await produceTo(connection, "t", batch(0))).errorCode).toBe(
      ErrorCode.InvalidProducerEpoch,
    );
  });
});
