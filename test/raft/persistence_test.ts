/**
 * RaftFsync and etcd's asynchronous storage: what counts as durable, and when.
 */
import { describe, expect, test } from "bun:test";
import { Persistence } from "../../src/raft/persistence.ts";
import { RaftLog } from "../../src/raft/raft_log.ts";
import { offset, voters } from "./cluster.ts";

const NOBODY = { term: 1 };

function pair(): { log: RaftLog; persistence: Persistence } {
  return {
    log: new RaftLog({ offset: offset(0), term: 0 }, voters(1), false),
    persistence: new Persistence(offset(0), false),
  };
}

function append(log: RaftLog, count: number, term: number): void {
  for (let done = 0; done < count; done++) {
    const baseOffset = log.endOffset;
    log.append({ baseOffset, nextOffset: offset(baseOffset + 1), term, byteLength: 1 });
  }
}

function cut({ log, persistence }: ReturnType<typeof pair>, to: number): void {
  log.truncateTo(offset(to));
  persistence.cutTo(offset(to));
}

describe("asynchronous storage", () => {
  test("take() hands out each entry once, and nothing twice", () => {
    const { log, persistence } = pair();
    append(log, 3, 1);
    expect(persistence.take(log, NOBODY, 0)?.entries).toHaveLength(3);
    expect(persistence.take(log, NOBODY, 0)).toBeUndefined();
    append(log, 1, 1);
    expect(persistence.take(log, NOBODY, 0)?.entries.map((entry) => entry.baseOffset as number))
      .toEqual([3]);
  });

  test("P16: a write that ends after a cut counts up to the cut (ABA)", () => {
    const both = pair();
    const { log, persistence } = both;
    append(log, 5, 1);
    persistence.take(log, NOBODY, 0);
    cut(both, 2);
    append(log, 3, 2); // the log ends at 5 again
    const second = persistence.take(log, NOBODY, 0);
    expect(second?.truncateTo).toBe(offset(2));
    persistence.completed(1);
    expect(persistence.durableOffset).toBe(offset(2));
    persistence.completed(2);
    expect(persistence.durableOffset).toBe(offset(5));
  });

  test("P16: two cuts between two Readys leave the deeper one", () => {
    const both = pair();
    const { log, persistence } = both;
    append(log, 9, 1);
    persistence.take(log, NOBODY, 0);
    cut(both, 3);
    append(log, 4, 2);
    cut(both, 5);
    append(log, 1, 3);
    const persist = persistence.take(log, NOBODY, 0);
    expect(persist?.truncateTo).toBe(offset(3));
    expect(persist?.entries.map((entry) => entry.term)).toEqual([2, 2, 3]);
  });

  test("bytes of what was cut off before it was written go with it", () => {
    const both = pair();
    const { log, persistence } = both;
    append(log, 4, 1);
    persistence.addRecords({ from: offset(0), upTo: offset(4), records: new Uint8Array(4) });
    cut(both, 2);
    append(log, 1, 2);
    persistence.addRecords({ from: offset(2), upTo: offset(3), records: new Uint8Array(1) });
    const pieces = persistence.take(log, NOBODY, 0)?.records?.map((piece) => [
      piece.from as number,
      piece.upTo as number,
    ]);
    expect(pieces).toEqual([[0, 2], [2, 3]]);
  });

  test("a later number stands for all before it, and an old one changes nothing", () => {
    const { log, persistence } = pair();
    for (let count = 0; count < 3; count++) {
      append(log, 1, 1);
      persistence.take(log, NOBODY, 0);
    }
    persistence.completed(3);
    expect(persistence.durableOffset).toBe(offset(3));
    persistence.completed(1);
    expect(persistence.durableOffset).toBe(offset(3));
    expect(() => persistence.completed(4)).toThrow("only what was handed out");
  });

  test("the hard state is durable with the write that carried its last change", () => {
    const { log, persistence } = pair();
    persistence.hardStateChanged();
    expect(persistence.isHardStateDurable).toBe(false);
    expect(persistence.take(log, NOBODY, 0)?.hardState).toEqual(NOBODY);
    persistence.hardStateChanged();
    persistence.completed(1);
    expect(persistence.isHardStateDurable).toBe(false);
    persistence.take(log, NOBODY, 0);
    persistence.completed(2);
    expect(persistence.isHardStateDurable).toBe(true);
  });

  test("after a reset, writes of the old log count only as far as both agree", () => {
    const { log, persistence } = pair();
    append(log, 8, 1);
    persistence.take(log, NOBODY, 0);
    log.resetTo({ offset: offset(20), term: 3 }, voters(1));
    persistence.resetTo({ offset: offset(20), term: 3 }, offset(4));
    const reset = persistence.take(log, NOBODY, 0);
    expect(reset?.resetTo).toEqual({ offset: offset(20), term: 3 });
    expect(reset?.entries).toHaveLength(0);
    persistence.completed(1);
    expect(persistence.durableOffset).toBe(offset(4));
    persistence.completed(2);
    expect(persistence.durableOffset).toBe(offset(20));
  });
});
