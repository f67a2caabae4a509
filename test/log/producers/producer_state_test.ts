import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import {
  decodeProducerSnapshot,
  encodeProducerSnapshot,
} from "../../../src/log/producers/producer_snapshot.ts";
import { type ProducerCheck, ProducerStates } from "../../../src/log/producers/producer_state.ts";
import { BatchView } from "../../../src/record/batch_view.ts";
import { SEQUENCE_MAX, sequenceAfter } from "../../../src/record/format.ts";
import { type BatchInput, makeBatch } from "../log_fixture.ts";

const ID = 77;
const COUNT = 3;

/** A batch of three records. */
function batch(baseOffset: number, baseSequence: number, more: BatchInput = {}): BatchView {
  const timestamps = Array.from({ length: COUNT }, (_, index) => baseOffset + index);
  const fields = { producerId: ID, producerEpoch: 4, baseSequence, timestamps };
  return new BatchView(makeBatch(baseOffset, { ...fields, ...more }));
}

function asked(baseSequence: number, producerEpoch = 4): ProducerCheck {
  const lastSequence = sequenceAfter(baseSequence, COUNT - 1);
  return { producerId: ID, producerEpoch, baseSequence, lastSequence };
}

/** Batches of three from sequence 0 on, and what `check` says then. */
function after(batchCount: number): ProducerStates {
  const states = new ProducerStates();
  for (let index = 0; index < batchCount; index++) {
    states.update(batch(100 + index * COUNT, index * COUNT));
  }
  return states;
}

function verdict(states: ProducerStates, check: ProducerCheck): string {
  const result = states.check(check);
  return result.kind === "refuse" ? result.reason : result.kind;
}

describe("check()", () => {
  test("accepts any first sequence of a producer that is not known, and no producer at all", () => {
    const states = new ProducerStates();
    expect(verdict(states, asked(0))).toBe("append");
    expect(verdict(states, asked(500))).toBe("append");
    const none = { producerId: -1, producerEpoch: -1, baseSequence: -1, lastSequence: -1 };
    expect(verdict(states, none)).toBe("append");
  });

  test("accepts what follows and refuses what leaves something out", () => {
    const states = after(2);
    expect(verdict(states, asked(6))).toBe("append");
    for (const baseSequence of [1, 2, 4, 5, 7, 9]) {
      expect(verdict(states, asked(baseSequence))).toBe("out-of-order-sequence");
    }
  });

  test("knows the last five batches and gives the offset they got", () => {
    const states = after(7);
    for (let index = 2; index < 7; index++) {
      expect(states.check(asked(index * COUNT))).toEqual({
        kind: "duplicate",
        baseOffset: 100 + index * COUNT,
        timestamp: 100 + index * COUNT + COUNT - 1,
      });
    }
    expect(verdict(states, asked(3))).toBe("out-of-order-sequence");
    // The same first sequence, but of another length: not the same batch.
    expect(verdict(states, { ...asked(18), lastSequence: 18 })).toBe("out-of-order-sequence");
  });

  test("fences a lower epoch and lets a higher one begin at 0 only", () => {
    const states = after(2);
    expect(verdict(states, asked(6, 3))).toBe("invalid-producer-epoch");
    expect(verdict(states, asked(0, 3))).toBe("invalid-producer-epoch");
    expect(verdict(states, asked(6, 5))).toBe("out-of-order-sequence");
    expect(verdict(states, asked(0, 5))).toBe("append");
    states.update(batch(200, 0, { producerEpoch: 5 }));
    expect(verdict(states, asked(3))).toBe("invalid-producer-epoch");
    expect(verdict(states, asked(3, 5))).toBe("append");
    expect(verdict(states, asked(0, 5))).toBe("duplicate");
  });

  test("goes on at 0 behind the greatest sequence", () => {
    const states = new ProducerStates();
    states.update(batch(0, SEQUENCE_MAX - 2)); // ends just there
    expect(verdict(states, asked(0))).toBe("append");
    expect(verdict(states, asked(SEQUENCE_MAX - 2))).toBe("duplicate");

    const across = new ProducerStates();
    across.update(batch(0, SEQUENCE_MAX - 1)); // max - 1, max, 0
    expect(verdict(across, asked(SEQUENCE_MAX - 1))).toBe("duplicate");
    expect(verdict(across, asked(1))).toBe("append");
    expect(verdict(across, asked(0))).toBe("out-of-order-sequence");
  });

  test("asks for older batches once, before it refuses", () => {
    const states = new ProducerStates();
    states.update(batch(115, 15));
    let count = 0;
    states.onRefusal(() => {
      count++;
      return after(6);
    });
    expect(verdict(states, asked(18))).toBe("append");
    expect(count).toBe(0);
    expect(verdict(states, asked(3))).toBe("duplicate");
    expect(verdict(states, asked(15))).toBe("duplicate");
    expect(verdict(states, asked(0))).toBe("out-of-order-sequence");
    expect(count).toBe(1);
  });
});

describe("update()", () => {
  test("changes nothing when it hears of a batch again", () => {
    const states = after(3);
    const before = JSON.stringify([...states.entries()]);
    states.update(batch(106, 6));
    states.update(batch(103, 3));
    expect(JSON.stringify([...states.entries()])).toBe(before);
  });

  test("notes where a transaction began", () => {
    const states = new ProducerStates();
    states.update(batch(10, 0, { isTransactional: true }));
    states.update(batch(13, 3, { isTransactional: true }));
    expect(states.get(ID)?.currentTxnFirstOffset).toBe(10);
  });
});

describe("removeExpired()", () => {
  test("forgets who was silent, but not within a transaction", () => {
    const states = after(1); // its latest time is 102
    states.update(batch(10, 0, { producerId: 78, isTransactional: true }));
    states.removeExpired(1101, 1000);
    expect(states.count).toBe(2);
    states.removeExpired(1102, 1000);
    expect([...states.entries()].map((entry) => entry.producerId)).toEqual([78]);
  });
});

describe("a snapshot", () => {
  test("holds the last batch of each producer", () => {
    const states = after(6);
    states.update(batch(300, 9, { producerId: 78, isTransactional: true }));
    const bytes = encodeProducerSnapshot(states.entries(), crc32cTables);
    const loaded = new ProducerStates();
    const entries = decodeProducerSnapshot(bytes, crc32cTables);
    if (typeof entries === "string") throw new Error(entries);
    loaded.load(entries);
    expect(verdict(loaded, asked(15))).toBe("duplicate");
    expect(verdict(loaded, asked(18))).toBe("append");
    expect(verdict(loaded, asked(12))).toBe("out-of-order-sequence");
    expect(loaded.get(78)?.currentTxnFirstOffset).toBe(300);
    expect(encodeProducerSnapshot(loaded.entries(), crc32cTables)).toEqual(bytes);
  });

  test("is refused when any byte is changed or missing", () => {
    const bytes = encodeProducerSnapshot(after(3).entries(), crc32cTables);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect(typeof decodeProducerSnapshot(changed, crc32cTables)).toBe("string");
      expect(typeof decodeProducerSnapshot(bytes.slice(0, at), crc32cTables)).toBe("string");
    }
  });
});
