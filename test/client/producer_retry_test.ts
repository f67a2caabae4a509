import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { initProducerId } from "../../src/api/init_producer_id.ts";
import { produce } from "../../src/api/produce.ts";
import { Prng } from "../../src/ground/prng.ts";
import { answering, type Step } from "./fake_broker.ts";
import { valued, valuesIn } from "./harness.ts";
import { refusal, refusalBody, setUpRetries, stampsOf, texts } from "./producing.ts";

const SERVE = { kind: "serve" } as const;

describe("Producer, retries", () => {
  test("at most five batches of a partition fly", async () => {
    const { producer, broker, clock, cluster } = await setUpRetries();
    await clock.until(producer.send("a", valued("0"))); // a producer is known
    const gate = Promise.withResolvers<void>();
    broker.script(produce, { kind: "hold", when: gate.promise });
    for (const text of texts(9)) producer.append("a", valued(text));
    const flushed = producer.flush();
    await clock.settle();
    expect(broker.requestsOf(produce)).toHaveLength(1 + 5);
    gate.resolve();
    await clock.until(flushed);
    expect(valuesIn(cluster.partition("a", 0))).toEqual(["0", ...texts(9)]);
    expect(stampsOf(broker)).toEqual(["0:0", ...texts(9).map((_, index) => `0:${index + 1}`)]);
  });

  test("a refused batch and all behind it go again, in order, with their sequences", async () => {
    const { producer, broker, clock, cluster, reports } = await setUpRetries();
    broker.script(produce, SERVE, refusal(ErrorCode.NotEnoughReplicas));
    for (const text of texts(4)) producer.append("a", valued(text));
    await clock.until(producer.flush());
    expect(valuesIn(cluster.partition("a", 0))).toEqual(texts(4));
    // The two behind were refused as out of order; then the three went again.
    expect(stampsOf(broker)).toEqual(["0:0", "0:1", "0:2", "0:3", "0:1", "0:2", "0:3"]);
    expect(reports.map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2, 3]);
  });

  test("a lost answer is no duplicate: the broker recognises the sequence", async () => {
    const { producer, broker, clock, cluster, reports } = await setUpRetries();
    broker.script(produce, SERVE, { kind: "close", isServed: true });
    for (const text of texts(4)) producer.append("a", valued(text));
    await clock.until(producer.flush());
    expect(valuesIn(cluster.partition("a", 0))).toEqual(texts(4));
    expect(reports.map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2, 3]);
    expect(broker.requestsOf(initProducerId)).toHaveLength(1);
  });

  test("an overdue answer is asked for again on a new connection", async () => {
    const { producer, broker, clock, cluster, network } = await setUpRetries();
    broker.script(produce, { kind: "silence" });
    const before = clock.monotonicMs();
    await clock.until(producer.send("a", valued("1")));
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(5000);
    expect(valuesIn(cluster.partition("a", 0))).toEqual(["1"]);
    expect(network.dials.get("broker:9001")).toBe(2);
  });

  test("a new leader is found, and gets what the old one refused", async () => {
    const { producer, brokers, clock, cluster } = await setUpRetries({}, 2);
    await clock.until(producer.send("a", valued("1")));
    const partition = cluster.partition("a", 0);
    partition.leaderId = 2;
    partition.leaderEpoch = 1;
    expect(await clock.until(producer.send("a", valued("2")))).toEqual({ partition: 0, offset: 1 });
    expect(brokers[1]?.requestsOf(produce)).toHaveLength(1);
    expect(valuesIn(partition)).toEqual(["1", "2"]);
  });

  test("a hint at the new leader is followed", async () => {
    const { producer, brokers, broker, clock, cluster } = await setUpRetries({}, 2);
    const partition = cluster.partition("a", 0);
    partition.leaderId = 2;
    broker.script(
      produce,
      answering(produce, {
        responses: [{
          name: "a",
          partitionResponses: [{
            index: 0,
            errorCode: ErrorCode.NotLeaderOrFollower,
            baseOffset: -1,
            currentLeader: { leaderId: 2, leaderEpoch: 3 },
          }],
        }],
      }),
    );
    await clock.until(producer.send("a", valued("1")));
    expect(brokers[1]?.requestsOf(produce)).toHaveLength(1);
    expect(broker.requestsOf(produce)).toHaveLength(1);
  });

  test("a broker that is gone is waited for", async () => {
    const { producer, broker, clock, cluster } = await setUpRetries();
    await clock.until(producer.send("a", valued("1")));
    await broker.stop();
    const sent = producer.send("a", valued("2"));
    await clock.advance(3000);
    await broker.start();
    expect(await clock.until(sent)).toEqual({ partition: 0, offset: 1 });
    expect(valuesIn(cluster.partition("a", 0))).toEqual(["1", "2"]);
  });

  test("a broker that stays away ends in TIMEOUT, when the delivery timeout is over", async () => {
    const { producer, broker, clock, reports } = await setUpRetries({ deliveryTimeoutMs: 10_000 });
    await broker.stop();
    const before = clock.monotonicMs();
    for (const text of texts(3)) producer.append("a", valued(text));
    await clock.until(producer.flush());
    expect(reports.map(({ error }) => error?.code)).toEqual(["TIMEOUT", "TIMEOUT", "TIMEOUT"]);
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(10_000);
    expect(clock.monotonicMs() - before).toBeLessThan(16_000);
  });

  test("TIMEOUT says what the last try failed with", async () => {
    const { producer, broker, clock, reports } = await setUpRetries({ deliveryTimeoutMs: 3000 });
    broker.script(produce, ...Array(99).fill(refusal(ErrorCode.KafkaStorageError)));
    producer.append("a", valued("1"));
    await clock.until(producer.flush());
    expect(reports[0]?.error?.message).toMatch(
      /a-0: not delivered within 3000 ms; the last try: D/,
    );
  });

  test("a batch that is refused for good fails alone; those behind it begin a new epoch", async () => {
    const { producer, broker, clock, cluster, reports } = await setUpRetries();
    broker.script(produce, SERVE, refusal(ErrorCode.InvalidRecord));
    for (const text of texts(4)) producer.append("a", valued(text));
    await clock.until(producer.flush());
    expect(reports.map(({ error }) => error?.code))
      .toEqual([undefined, "INVALID_RECORD", undefined, undefined]);
    const [first, , third, fourth] = texts(4);
    expect(valuesIn(cluster.partition("a", 0))).toEqual([first, third, fourth] as string[]);
    expect(stampsOf(broker).slice(-2)).toEqual(["1:0", "1:1"]);
  });

  test("a broker that remembers an earlier sequence of the producer gets a new epoch", async () => {
    const { producer, broker, clock, events } = await setUpRetries();
    await clock.until(producer.send("a", valued("1")));
    broker.script(produce, refusal(ErrorCode.OutOfOrderSequenceNumber));
    expect(await clock.until(producer.send("a", valued("2")))).toEqual({ partition: 0, offset: 1 });
    expect(stampsOf(broker)).toEqual(["0:0", "0:1", "1:0"]);
    expect(events).toContain("warn producer sequence is unknown to the broker");
  });

  test("a batch given up with its outcome unknown makes no second copy of those behind", async () => {
    // 1. Both are taken by the broker, whose answers never come.
    // 2. The connection is given up after 5 s, and with it the first batch, which is 4 s old.
    // 3. The second is asked about under its old sequence, and recognised; then a new epoch begins.
    const { producer, broker, clock, cluster, reports } = await setUpRetries({
      deliveryTimeoutMs: 4000,
    });
    await clock.until(producer.send("a", valued("0"))); // a producer is known
    broker.script(produce, { kind: "hold", when: new Promise(() => undefined) });
    producer.append("a", valued("1"));
    await clock.advance(3000);
    producer.append("a", valued("2"));
    await clock.until(producer.flush());
    await clock.until(producer.send("a", valued("3")));
    expect(valuesIn(cluster.partition("a", 0))).toEqual(["0", "1", "2", "3"]);
    expect(reports.map(({ baseOffset, error }) => error?.code ?? baseOffset))
      .toEqual([0, "TIMEOUT", 2, 3]);
    expect(stampsOf(broker)).toEqual(["0:0", "0:1", "0:2", "0:2", "1:0"]);
  });

  test("a batch behind which another was taken, and that the broker does not know, fails", async () => {
    const { producer, broker, clock, reports } = await setUpRetries();
    await clock.until(producer.send("a", valued("0"))); // a producer is known
    // The first of two is taken, and a wrong answer sent; the second is taken and acknowledged.
    // When the first comes again, the broker knows the second only.
    broker.script(
      produce,
      { kind: "serve-answer", body: refusalBody(ErrorCode.NotEnoughReplicas) },
      SERVE,
      refusal(ErrorCode.OutOfOrderSequenceNumber),
    );
    for (const text of texts(2)) producer.append("a", valued(text));
    await clock.until(producer.flush());
    expect(reports.map(({ baseOffset, error }) => error?.code ?? baseOffset))
      .toEqual([0, 2, "OUT_OF_ORDER_SEQUENCE_NUMBER"]);
    expect(await clock.until(producer.send("a", valued("4")))).toEqual({ partition: 0, offset: 3 });
  });

  test("a duplicate that the broker no longer places counts as delivered", async () => {
    const { producer, broker, clock, reports } = await setUpRetries();
    broker.script(produce, refusal(ErrorCode.DuplicateSequenceNumber));
    expect(await clock.until(producer.send("a", valued("1")))).toEqual({
      partition: 0,
      offset: -1,
    });
    expect(reports[0]?.error).toBeUndefined();
  });

  test("no producer id, no delivery", async () => {
    const { producer, broker, clock, reports } = await setUpRetries();
    broker.script(
      initProducerId,
      answering(initProducerId, {
        errorCode: ErrorCode.CoordinatorLoadInProgress,
        producerEpoch: -1,
      }),
      answering(initProducerId, {
        errorCode: ErrorCode.ClusterAuthorizationFailed,
        producerEpoch: -1,
      }),
    );
    producer.append("a", valued("1"));
    await clock.until(producer.flush());
    expect(reports.map(({ error }) => error?.code)).toEqual(["CLUSTER_AUTHORIZATION_FAILED"]);
    await clock.until(producer.send("a", valued("2"))); // and the next one asks again
  });

  test("an answer that leaves a batch out fails it", async () => {
    const { producer, broker, clock, reports } = await setUpRetries();
    broker.script(produce, answering(produce, { responses: [] }));
    producer.append("a", valued("1"));
    await clock.until(producer.flush());
    expect(reports.map(({ error }) => error?.code)).toEqual(["PROTOCOL"]);
  });

  test("whatever happens on the way, an idempotent producer delivers all, once, in order", async () => {
    const seed = Number(process.env["MQ_SEED"] ?? 20261122);
    console.log(`seed ${seed}`);
    const prng = new Prng(seed);
    for (let round = 0; round < 60; round++) {
      const { producer, broker, brokers, clock, cluster, reports } = await setUpRetries({}, 2);
      const partition = cluster.partition("a", 0);
      const values = texts(30);
      for (const [index, text] of values.entries()) {
        producer.append("a", valued(text));
        if (prng.oneIn(4)) await clock.advance(prng.below(30));
        if (prng.oneIn(10)) {
          partition.leaderId = 3 - partition.leaderId;
          partition.leaderEpoch++;
        }
        const victim = brokers[prng.below(2)] ?? broker;
        if (prng.oneIn(12)) victim.drop();
        if (prng.oneIn(6)) victim.script(produce, randomStep(prng));
        expect(index).toBeLessThan(values.length);
      }
      await clock.until(producer.flush());
      expect(reports.map(({ error }) => error?.code).filter((code) => code !== undefined))
        .toEqual([]);
      expect(valuesIn(partition)).toEqual(values);
    }
  });
});

function randomStep(prng: Prng): Step {
  switch (prng.below(5)) {
    case 0:
      return { kind: "close", isServed: true };
    case 1:
      return { kind: "close", isServed: false };
    case 2:
      return { kind: "silence" };
    case 3:
      return refusal(ErrorCode.NotEnoughReplicas);
    default:
      return refusal(ErrorCode.NotLeaderOrFollower);
  }
}
