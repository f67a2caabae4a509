import { describe, expect, test } from "bun:test";
import { fetch } from "../../src/api/fetch.ts";
import { endTransaction, fill } from "./filling.ts";
import { codeOf, textOrNull } from "./harness.ts";
import { read, setUpConsumer as setUp, WHOLE } from "./reading.ts";

describe("Consumer", () => {
  test("reads a range and ends: from and until inside of batches", async () => {
    const { client, clock, partition } = await setUp();
    fill(partition, ["0", "1", "2"]);
    fill(partition, ["3", "4", "5"], { compressionType: "gzip" });
    fill(partition, ["6", "7"]);
    const assignments = [{ topic: "a", partition: 0, from: 1, until: 5 }];
    expect(await clock.until(read(client, { assignments })))
      .toEqual(["0:1=1", "0:2=2", "0:3=3", "0:4=4"]);
  });

  test("every range of a small log gives what is in it", async () => {
    const { client, clock, partition } = await setUp();
    for (let batch = 0; batch < 4; batch++) fill(partition, ["x", "y", "z"].slice(batch % 3));
    const end = partition.logEndOffset;
    for (let from = 0; from <= end; from++) {
      for (let until = from; until <= end; until++) {
        const assignments = [{ topic: "a", partition: 0, from, until }];
        const seen = await clock.until(read(client, { assignments }));
        expect(seen.map((text) => Number(text.slice(2).split("=")[0])))
          .toEqual(Array.from({ length: until - from }, (_, index) => from + index));
      }
    }
  });

  test("an empty range, and no assignment, end at once", async () => {
    const { client, clock, broker } = await setUp();
    const assignments = [{ topic: "a", partition: 0, from: 3, until: 3 }];
    expect(await clock.until(read(client, { assignments }))).toEqual([]);
    expect(await clock.until(read(client, { assignments: [] }))).toEqual([]);
    expect(broker.requestsOf(fetch)).toHaveLength(0);
  });

  test("follows: what comes later is handed out", async () => {
    const { client, clock, partition } = await setUp();
    fill(partition, ["0"]);
    const records = client.consumer({ assignments: [WHOLE] })[Symbol.asyncIterator]();
    expect((await clock.until(records.next())).value?.offset).toBe(0);
    const later = records.next();
    await clock.advance(1700);
    fill(partition, ["1"]);
    expect((await clock.until(later)).value?.offset).toBe(1);
    await clock.until(records.return());
  });

  test("reads many partitions of many brokers, each in order, and none starves", async () => {
    const { client, clock, cluster } = await setUp({ brokers: 2, partitions: 4 });
    const wanted: string[] = [];
    for (let index = 0; index < 4; index++) {
      for (let batch = 0; batch < 5; batch++) fill(cluster.partition("a", index), ["x", "y"]);
      for (let offset = 0; offset < 10; offset++) wanted.push(`${index}:${offset}`);
    }
    const assignments = [0, 1, 2, 3].map((partition) => {
      return { topic: "a", partition, from: 0, until: 10 };
    });
    const seen = await clock.until(read(client, { assignments, partitionMaxBytes: 1 }));
    expect(seen.map((text) => text.split("=")[0] as string).sort()).toEqual(wanted.sort());
    const first = seen.slice(0, 16).map((text) => text.charAt(0));
    expect(new Set(first).size).toBe(4); // all four had their turn before one was through
  });

  test("fetches ahead while it is read, and not further than two answers", async () => {
    const { client, clock, partition, broker } = await setUp();
    for (let batch = 0; batch < 10; batch++) fill(partition, ["x"]);
    const consumer = client.consumer({ assignments: [WHOLE], partitionMaxBytes: 1 });
    const batches = consumer.batches();
    await clock.until(batches.next());
    await clock.advance(10_000);
    expect(broker.requestsOf(fetch)).toHaveLength(2);
    await clock.until(batches.next());
    await clock.until(batches.next());
    await clock.advance(10_000);
    expect(broker.requestsOf(fetch)).toHaveLength(4);
    await clock.until(batches.return());
  });

  test("leaving the loop ends the fetching", async () => {
    const { client, clock, partition, broker } = await setUp();
    for (let batch = 0; batch < 10; batch++) fill(partition, ["x"]);
    const options = { assignments: [WHOLE], partitionMaxBytes: 1 };
    await clock.until((async () => {
      for await (const { offset } of client.consumer(options)) if (offset === 2) break;
    })());
    const count = broker.requestsOf(fetch).length;
    await clock.advance(10_000);
    expect(broker.requestsOf(fetch)).toHaveLength(count);
  });

  test("its signal ends a loop that waits", async () => {
    const { client, clock } = await setUp();
    const stopping = new AbortController();
    const code = codeOf(read(client, { assignments: [WHOLE], signal: stopping.signal }));
    await clock.advance(100);
    stopping.abort();
    expect(await clock.until(code)).toBe("ABORTED");
    const late = codeOf(read(client, { assignments: [WHOLE], signal: stopping.signal }));
    expect(await clock.until(late)).toBe("ABORTED");
  });

  test("closing the client ends a loop that waits", async () => {
    const { client, clock } = await setUp();
    const code = codeOf(read(client, { assignments: [WHOLE] }));
    await clock.advance(100);
    await clock.until(client.close());
    expect(await clock.until(code)).toBe("ABORTED");
  });

  test("batches() hands out positions without objects", async () => {
    const { client, clock, partition } = await setUp();
    fill(partition, ["one", "two", "three"]);
    const assignments = [{ ...WHOLE, from: 1, until: 3 }];
    const { value: batch } = await clock.until(client.consumer({ assignments }).batches().next());
    expect(batch?.highWatermark).toBe(3);
    expect(batch?.header().recordCount()).toBe(3);
    for (let again = 0; again < 2; again++) {
      const records = batch?.records();
      expect(records?.next()).toBeTrue();
      expect(textOrNull(records?.bytes.subarray(records.valueStart, records.valueEnd) ?? null))
        .toBe("two");
      expect(records?.keyStart).toBe(-1);
      expect(records?.next()).toBeTrue();
      expect(records?.next()).toBeFalse();
    }
  });

  test("uses topic ids where there are any, and names where there are none", async () => {
    const { client, clock, partition, broker, cluster } = await setUp();
    fill(partition, ["0"]);
    await clock.until(read(client, { assignments: [{ ...WHOLE, until: 1 }] }));
    expect(broker.requestsOf(fetch)[0]?.version).toBe(17);
    cluster.hasTopicIds = false;
    cluster.createTopic("old");
    fill(cluster.partition("old", 0), ["0"]);
    const assignments = [{ topic: "old", partition: 0, from: 0, until: 1 }];
    expect(await clock.until(read(client, { assignments }))).toEqual(["0:0=0"]);
    expect(broker.requestsOf(fetch).at(-1)?.version).toBe(12);
  });
});

describe("Consumer, what is not handed out", () => {
  test("control batches are not, and offsets go on behind them", async () => {
    const { client, clock, partition } = await setUp();
    fill(partition, ["0"], { producerId: 1, isTransactional: true });
    endTransaction(partition, 1, 1);
    fill(partition, ["2"]);
    endTransaction(partition, 1, 1);
    const assignments = [{ ...WHOLE, until: 4 }];
    expect(await clock.until(read(client, { assignments }))).toEqual(["0:0=0", "0:2=2"]);
  });

  test("read_committed leaves out what was aborted, and only that", async () => {
    const { client, clock, partition } = await setUp();
    fill(partition, ["0"], { producerId: 1, isTransactional: true });
    fill(partition, ["1"], { producerId: 2, isTransactional: true });
    fill(partition, ["2"]);
    endTransaction(partition, 1, 0);
    fill(partition, ["4"], { producerId: 1, isTransactional: true });
    endTransaction(partition, 2, 1);
    endTransaction(partition, 1, 1);
    fill(partition, ["7"], { producerId: 1, isTransactional: true });
    endTransaction(partition, 1, 0);
    partition.aborted.push({ producerId: 1, firstOffset: 7 }, { producerId: 1, firstOffset: 0 });
    const assignments = [{ ...WHOLE, until: partition.logEndOffset }];
    expect(await clock.until(read(client, { assignments, isolation: "read_committed" })))
      .toEqual(["0:1=1", "0:2=2", "0:4=4"]);
    expect(await clock.until(read(client, { assignments })))
      .toEqual(["0:0=0", "0:1=1", "0:2=2", "0:4=4", "0:7=7"]);
  });

  test("a batch that does not fit its checksum is an error, unless that is not asked", async () => {
    const { client, clock, partition } = await setUp();
    fill(partition, ["0"]);
    const [batch] = partition.batches as [Uint8Array];
    batch[batch.length - 2] = 0x39; // "9"
    const assignments = [{ ...WHOLE, until: 1 }];
    expect(await clock.until(codeOf(read(client, { assignments })))).toBe("CORRUPT_MESSAGE");
    expect(await clock.until(read(client, { assignments, checkCrcs: false }))).toEqual(["0:0=9"]);
  });

  test("a record whose lengths lie is an error", async () => {
    const { client, clock, partition } = await setUp();
    fill(partition, ["0"]);
    const [batch] = partition.batches as [Uint8Array];
    batch[61] = 120; // the record's length
    const assignments = [{ ...WHOLE, until: 1 }];
    expect(await clock.until(codeOf(read(client, { assignments, checkCrcs: false }))))
      .toBe("CORRUPT_MESSAGE");
  });

  test("bytes that hold no whole batch are an error, not a loop", async () => {
    const { client, clock, partition } = await setUp();
    fill(partition, ["0"]);
    partition.batches[0] = (partition.batches[0] as Uint8Array).slice(0, 65);
    const assignments = [{ ...WHOLE, until: 1 }];
    expect(await clock.until(codeOf(read(client, { assignments })))).toBe("CORRUPT_MESSAGE");
  });
});
