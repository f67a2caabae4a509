/**
 * Thousands of fetches parked behind a `minBytes` that is never reached: each append made each of them
 * read all it had asked for, and each kept the list of batches it had read. 2,400 of them over 10,000
 * small batches took 4 s per append and 9 GB.
 */
import { describe, expect, test } from "bun:test";
import { fetch } from "../../src/api/fetch.ts";
import { Arrivals } from "../../src/broker/handler/fetch_arrivals.ts";
import type { FetchTarget } from "../../src/broker/handler/fetch_target.ts";
import { batchOf, recordsOf, startBroker } from "../broker/broker_fixture.ts";
import {
  createTopic,
  FETCH_VERSION,
  fetchBody,
  fetchFrom,
  produceTo,
} from "../broker/topic_requests.ts";

/** A target as far as `Arrivals` looks at it. */
function targetOf(partition: {
  isOnline: boolean;
  highWatermark: number;
  log: { logEndOffset: number; bytes: number; sizeInBytes(): number };
}): FetchTarget {
  return { partition } as unknown as FetchTarget;
}

function partition(): Parameters<typeof targetOf>[0] {
  return {
    isOnline: true,
    highWatermark: 5,
    log: {
      logEndOffset: 5,
      bytes: 1000,
      sizeInBytes(): number {
        return this.bytes;
      },
    },
  };
}

describe("A parked fetch", () => {
  test("is not read again before enough can have come", () => {
    const one = partition();
    const arrivals = new Arrivals([targetOf(one)], 500);
    arrivals.found(200);
    one.log.bytes += 299;
    expect(arrivals.mayBeEnough()).toBeFalse();
    one.log.bytes += 1;
    expect(arrivals.mayBeEnough()).toBeTrue();
    arrivals.restart();
    arrivals.found(450);
    expect(arrivals.mayBeEnough()).toBeFalse();
  });

  test("is read again where nothing is known: uncommitted bytes, a log that shrank, a lost disk", () => {
    const uncommitted = partition();
    uncommitted.log.logEndOffset = 6;
    const before = new Arrivals([targetOf(uncommitted)], 500);
    before.found(0);
    uncommitted.highWatermark = 6; // the log has not grown since, and yet there is more to read
    expect(before.mayBeEnough()).toBeTrue();

    for (const change of ["shrink", "fail"] as const) {
      const one = partition();
      const arrivals = new Arrivals([targetOf(one)], 500);
      arrivals.found(0);
      expect(arrivals.mayBeEnough()).toBeFalse();
      if (change === "shrink") one.log.bytes -= 1;
      else one.isOnline = false;
      expect(arrivals.mayBeEnough()).toBeTrue();
    }
  });

  test("is answered as soon as there is enough, and at its time when there is not", async () => {
    const { clock, dial } = await startBroker();
    const [producer, consumer] = [await dial(), await dial()];
    await createTopic(producer, "t");
    const size = batchOf(["a"]).length;
    consumer.send(fetch, FETCH_VERSION, fetchBody("t", { minBytes: 2 * size, maxWaitMs: 500 }));
    await produceTo(producer, "t", batchOf(["a"]));
    expect(consumer.answerCount).toBe(0);
    await produceTo(producer, "t", batchOf(["b"]));
    await clock.settle();
    const { responses } = consumer.answer(fetch, FETCH_VERSION);
    expect(recordsOf(responses[0]?.partitions[0]?.records ?? null)).toEqual(["0:a", "1:b"]);

    consumer.send(fetch, FETCH_VERSION, fetchBody("t", { minBytes: 3 * size, maxWaitMs: 500 }));
    await clock.advance(499);
    expect(consumer.answerCount).toBe(0);
    await clock.advance(1);
    expect(consumer.answerCount).toBe(1);
  });

  test("of a broker that stops is answered without being read again", async () => {
    const { broker, clock, dial } = await startBroker();
    const [producer, consumer] = [await dial(), await dial()];
    await createTopic(producer, "t");
    await produceTo(producer, "t", batchOf(["a"]));
    consumer.send(fetch, FETCH_VERSION, fetchBody("t", { minBytes: 9999, maxWaitMs: 60_000 }));
    await clock.settle();
    await clock.until(broker.stop());
    const { errorCode, responses } = consumer.answer(fetch, FETCH_VERSION);
    expect([errorCode, responses[0]?.partitions[0]?.highWatermark]).toEqual([0, 1]);
    expect(recordsOf(responses[0]?.partitions[0]?.records ?? null)).toEqual([]);
  });

  test("does not wait for more than it may be given", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    await produceTo(connection, "t", batchOf(["a"]));
    const limits = { minBytes: 2 ** 31 - 1, maxBytes: 10, maxWaitMs: 60_000 };
    expect(recordsOf((await fetchFrom(connection, "t", limits)).records)).toEqual(["0:a"]);
  });
});
