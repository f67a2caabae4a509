import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { encodeProducerSnapshot } from "../../src/log/producers/producer_snapshot.ts";
import { ProducerStates } from "../../src/log/producers/producer_state.ts";
import {
  type AbortedTransaction,
  TRANSACTION_ENTRY_BYTES,
  TransactionIndex,
} from "../../src/log/index/transaction_index.ts";
import { markerOf } from "../../src/log/producers/transaction_marker.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { LogFixture, makeBatch, makeMarker, noted, seedOf } from "./log_fixture.ts";
import { replaceWithCopy } from "./trivial_cleaner.ts";

const FIVE = { timestamps: [1, 2, 3, 4, 5] };

function data(baseOffset: number, producerId: number, more = {}): BatchView {
  const fields = { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true };
  return new BatchView(makeBatch(baseOffset, { ...FIVE, ...fields, ...more }));
}

function marker(offset: number, producerId: number, more = {}): BatchView {
  return new BatchView(makeMarker(offset, { producerId, ...more }));
}

describe("markerOf()", () => {
  test("reads what ends a transaction", () => {
    expect(markerOf(marker(3, 1, { isAbort: true, coordinatorEpoch: 9 })))
      .toEqual({ isAbort: true, coordinatorEpoch: 9 });
    expect(markerOf(marker(3, 1))).toEqual({ isAbort: false, coordinatorEpoch: 0 });
  });

  test("is undefined for what ends none, or was emptied", () => {
    expect(markerOf(marker(3, 1, { controlType: 2 }))).toBeUndefined();
    const emptied = makeMarker(3, { producerId: 1 }).slice(0, 61);
    new DataView(emptied.buffer).setInt32(8, 49);
    new DataView(emptied.buffer).setInt32(57, 0);
    expect(markerOf(new BatchView(emptied))).toBeUndefined();
  });
});

describe("ProducerStates", () => {
  test("knows the oldest transaction under way", () => {
    const states = new ProducerStates();
    expect(states.firstUnstableOffset).toBeUndefined();
    states.update(data(10, 1));
    states.update(data(15, 2));
    states.update(data(20, 1, { baseSequence: 5 }));
    expect(states.firstUnstableOffset).toBe(10);
    expect(states.update(marker(25, 1))).toBeUndefined(); // a commit
    expect(states.firstUnstableOffset).toBe(15);
    expect(states.get(1)?.currentTxnFirstOffset).toBe(-1);
    states.update(marker(26, 2));
    expect(states.firstUnstableOffset).toBeUndefined();
  });

  test("gives the aborted transaction with the last stable offset of that moment", () => {
    const states = new ProducerStates();
    for (const [at, producerId] of [[0, 1], [5, 2], [10, 3]] as const) {
      states.update(data(at, producerId));
    }
    expect(states.update(marker(15, 2, { isAbort: true })))
      .toEqual({ producerId: 2, firstOffset: 5, lastOffset: 15, lastStableOffset: 0 });
    expect(states.update(marker(16, 1, { isAbort: true })))
      .toEqual({ producerId: 1, firstOffset: 0, lastOffset: 16, lastStableOffset: 10 });
    expect(states.update(marker(17, 3, { isAbort: true })))
      .toEqual({ producerId: 3, firstOffset: 10, lastOffset: 17, lastStableOffset: 18 });
    // Markers go to every partition of the transaction, also where it wrote nothing.
    expect(states.update(marker(18, 3, { isAbort: true }))).toBeUndefined();
    expect(states.update(marker(19, 4, { isAbort: true }))).toBeUndefined();
  });

  test("takes epochs over from markers, and sequences begin anew then (KIP-890)", () => {
    const states = new ProducerStates();
    states.update(data(0, 1));
    states.update(marker(5, 1, { producerEpoch: 1, coordinatorEpoch: 7 }));
    expect(states.get(1)).toEqual({
      producerId: 1,
      producerEpoch: 1,
      batches: [],
      lastTimestamp: 1000,
      coordinatorEpoch: 7,
      currentTxnFirstOffset: -1,
    });
    const check = { producerId: 1, producerEpoch: 1, lastSequence: 9 };
    expect(states.check({ ...check, baseSequence: 5 }).kind).toBe("refuse");
    expect(states.check({ ...check, baseSequence: 0 }).kind).toBe("append");
    expect(states.check({ ...check, producerEpoch: 0, baseSequence: 5 }).kind).toBe("refuse");
  });

  test("counts a transaction of batches without sequences, as group coordinators write them", () => {
    const states = new ProducerStates();
    states.update(data(8, 1, { baseSequence: -1 }));
    expect(states.firstUnstableOffset).toBe(8);
  });

  test("takes over transactions from a snapshot, in the order of their offsets", () => {
    const states = new ProducerStates();
    const older = new ProducerStates();
    for (const [at, producerId] of [[5, 9], [10, 3], [15, 7]] as const) {
      older.update(data(at, producerId));
    }
    states.load([...older.entries()].toReversed());
    expect(states.firstUnstableOffset).toBe(5);
    states.update(marker(20, 9));
    expect(states.firstUnstableOffset).toBe(10);
    states.clear();
    expect(states.firstUnstableOffset).toBeUndefined();
  });
});

describe("TransactionIndex", () => {
  const entry = (lastOffset: number): AbortedTransaction => (
    { producerId: 5, firstOffset: lastOffset - 3, lastOffset, lastStableOffset: lastOffset + 1 }
  );

  test("has Kafka's bytes", () => {
    const index = new TransactionIndex(toOffset(100));
    index.append({ producerId: 1, firstOffset: 2, lastOffset: 259, lastStableOffset: 4 });
    const hex = [...index.bytes()].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const int64 = (last: string): string => last.padStart(16, "0");
    expect(hex).toBe("0000" + int64("1") + int64("2") + int64("103") + int64("4"));
    expect(index.bytes().length).toBe(TRANSACTION_ENTRY_BYTES);
  });

  test("reads what it wrote, and forgets from an offset on", () => {
    const index = new TransactionIndex(toOffset(100));
    for (const lastOffset of [101, 105, 109]) index.append(entry(lastOffset));
    const read = new TransactionIndex(toOffset(100), index.bytes());
    expect(read.flaw()).toBeUndefined();
    expect(read.entries).toEqual(index.entries);
    expect(read.truncateTo(110)).toBeFalse();
    expect(read.truncateTo(105)).toBeTrue();
    expect(read.entries).toEqual([entry(101)]);
  });

  test("finds what cannot be an index of the segment", () => {
    const index = new TransactionIndex(toOffset(100));
    for (const lastOffset of [101, 105]) index.append(entry(lastOffset));
    const bytes = index.bytes().slice();
    expect(new TransactionIndex(toOffset(102), bytes).flaw()).toContain("entry 0");
    expect(new TransactionIndex(toOffset(100), bytes.subarray(0, 60)).flaw()).toContain("half");
    for (const at of [1, 34, 11, 53]) {
      const changed = bytes.slice();
      changed[at] = 0x7f;
      expect(new TransactionIndex(toOffset(100), changed).flaw()).toBeDefined();
    }
  });
});

/** What a model of Kafka's rules says of a random history. */
interface Model {
  readonly open: Map<number, number>;
  readonly aborted: AbortedTransaction[];
}

/** One step: data, transactional or not, or a marker. */
function step(
  fixture: LogFixture,
  model: Model,
  random: Prng,
  sequences: Map<string, number>,
): void {
  const producerId = 1 + random.below(4);
  const isOpen = model.open.has(producerId);
  const baseOffset = fixture.log.logEndOffset as number;
  if (isOpen && random.oneIn(3) || !isOpen && random.oneIn(8)) {
    const isAbort = random.oneIn(2);
    const firstOffset = model.open.get(producerId);
    model.open.delete(producerId);
    if (isAbort && firstOffset !== undefined) {
      const lastStableOffset = Math.min(baseOffset + 1, ...model.open.values());
      model.aborted.push({ producerId, firstOffset, lastOffset: baseOffset, lastStableOffset });
    }
    fixture.appendBytes(makeMarker(baseOffset, { producerId, isAbort }));
    return;
  }
  const isTransactional = isOpen || random.oneIn(2);
  const timestamps = Array.from({ length: random.between(1, 4) }, () => 1000 + random.below(50));
  const baseSequence = sequences.get(String(producerId)) ?? 0;
  sequences.set(String(producerId), baseSequence + timestamps.length);
  if (isTransactional && !isOpen) model.open.set(producerId, baseOffset);
  fixture.append({ producerId, producerEpoch: 0, baseSequence, isTransactional, timestamps });
}

function expectState(fixture: LogFixture, model: Model): void {
  const first = model.open.size === 0 ? undefined : Math.min(...model.open.values());
  expect(fixture.log.firstUnstableOffset as number | undefined).toBe(first);
}

async function expectAborted(fixture: LogFixture, model: Model, random: Prng): Promise<void> {
  const { log } = fixture;
  for (let asked = 0; asked < 4; asked++) {
    const from = random.below(log.logEndOffset + 1);
    const upTo = from + random.below(log.logEndOffset + 1 - from);
    const touches = (one: AbortedTransaction): boolean =>
      one.lastOffset >= from && one.firstOffset < upTo;
    const found = await log.abortedTransactions(toOffset(from), toOffset(upTo));
    // The search ends where nothing behind can touch the range any more.
    expect(found).toEqual(model.aborted.filter(touches));
  }
}

function stateBytes({ log }: LogFixture): Uint8Array {
  const entries = [...log.producers.entries()].sort((left, right) =>
    left.producerId - right.producerId
  );
  return encodeProducerSnapshot(entries, crc32cTables);
}

describe("transactions of a log", () => {
  test("are the same live, after a kill, a clean stop, a cut and a cleaning", async () => {
    const random = new Prng(seedOf("transactions of a log"));
    const settings = { segmentBytes: 900, indexIntervalBytes: 200 };
    for (let round = 0; round < 60; round++) {
      let fixture = await LogFixture.open({ settings });
      let model: Model = { open: new Map(), aborted: [] };
      const history: { readonly end: number; readonly model: Model; readonly state: Uint8Array }[] =
        [];
      const sequences = new Map<string, number>();
      const note = (): void => {
        const copy = { open: new Map(model.open), aborted: [...model.aborted] };
        history.push({ end: fixture.log.logEndOffset, model: copy, state: stateBytes(fixture) });
      };
      note();
      for (let count = 0; count < 60; count++) {
        step(fixture, model, random, sequences);
        note();
        expectState(fixture, model);
      }
      await fixture.log.sync();
      const bases = fixture.log.segmentFacts().slice(0, -1).map(({ baseOffset }) => baseOffset);
      await replaceWithCopy(fixture.memoryDisk, fixture.log, bases.slice(1, 4));
      await expectAborted(fixture, model, random);
      const isClean = random.oneIn(2);
      const recoveryPoint = isClean
        ? fixture.log.logEndOffset
        : random.below(fixture.log.logEndOffset);
      if (isClean) await fixture.log.close();
      const disk = isClean ? fixture.memoryDisk.crash() : fixture.memoryDisk.kill();
      fixture = await LogFixture.open({ disk, settings, isClean, recoveryPoint });
      expectState(fixture, model);
      await expectAborted(fixture, model, random);
      expect(stateBytes(fixture)).toEqual((history.at(-1) as { state: Uint8Array }).state);

      const back = history[1 + random.below(history.length - 1)] as typeof history[0];
      await fixture.log.truncateTo(toOffset(back.end), noted);
      model = back.model;
      expect(fixture.log.logEndOffset as number).toBe(back.end);
      expect(stateBytes(fixture)).toEqual(back.state);
      expectState(fixture, model);
      await expectAborted(fixture, model, random);
      for (let count = 0; count < 10; count++) step(fixture, model, random, new Map([["1", 500]]));
      expectState(fixture, model);
      await expectAborted(fixture, model, random);
    }
  });

  test("bound what is stable from the log's start on", async () => {
    const fixture = await LogFixture.open();
    fixture.append({
      producerId: 1,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
      ...FIVE,
    });
    fixture.append(FIVE);
    expect(fixture.log.firstUnstableOffset).toBe(toOffset(0));
    fixture.log.moveStart(toOffset(7));
    expect(fixture.log.firstUnstableOffset).toBe(toOffset(7));
  });

  test("keep their producer from expiring", async () => {
    const { log, events } = await LogFixture.open();
    log.producers.update(data(0, 1));
    log.producers.removeExpired(1e12, 1);
    expect(log.producers.count).toBe(1);
    log.producers.update(marker(5, 1));
    log.producers.removeExpired(1e12, 1);
    expect(log.producers.count).toBe(0);
    expect(events).toEqual([]);
  });
});
