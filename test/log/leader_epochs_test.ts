import { describe, expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { bytesOf, textOf } from "../../src/ground/text.ts";
import { LeaderEpochs } from "../../src/log/leader_epochs.ts";

function epochs(...entries: readonly (readonly [number, number])[]): LeaderEpochs {
  const made = new LeaderEpochs();
  for (const [leaderEpoch, startOffset] of entries) made.assign(leaderEpoch, startOffset);
  return made;
}

function entriesOf(made: LeaderEpochs): readonly (readonly [number, number])[] {
  return made.entries().map((entry) => [entry.leaderEpoch, entry.startOffset] as const);
}

describe("assign()", () => {
  test("notes each epoch once, where it began", () => {
    expect(entriesOf(epochs([0, 0], [0, 5], [2, 10], [2, 11], [-1, 12]))).toEqual([[0, 0], [
      2,
      10,
    ]]);
  });

  test("lets a newer entry win over those it contradicts", () => {
    expect(entriesOf(epochs([0, 0], [2, 10], [5, 20], [3, 15]))).toEqual([[0, 0], [2, 10], [
      3,
      15,
    ]]);
    expect(entriesOf(epochs([0, 0], [2, 10], [5, 20], [6, 10]))).toEqual([[0, 0], [6, 10]]);
  });
});

describe("endOffsetFor()", () => {
  test("answers as Kafka's LeaderEpochFileCache does", () => {
    const made = epochs([1, 0], [3, 10], [6, 30]);
    const end = toOffset(50);
    const cases: readonly (readonly [number, number, number])[] = [
      [6, 6, 50], // the present one: the log's end
      [7, -1, -1], // not known yet
      [5, 3, 30], // between two: the one before, and where it ended
      [3, 3, 30],
      [2, 1, 10],
      [1, 1, 10],
      [0, 0, 0], // before all: where the first one began
      [-1, -1, -1],
    ];
    for (const [asked, leaderEpoch, endOffset] of cases) {
      expect(made.endOffsetFor(asked, end)).toEqual({ leaderEpoch, endOffset });
    }
    const none = { leaderEpoch: -1, endOffset: -1 };
    expect(new LeaderEpochs().endOffsetFor(0, toOffset(0))).toEqual(none);
  });
});

describe("truncation", () => {
  test("drops the epochs behind the end and keeps the one that the start lies in", () => {
    const made = epochs([1, 0], [3, 10], [6, 30]);
    made.truncateFromEnd(31);
    expect(entriesOf(made)).toEqual([[1, 0], [3, 10], [6, 30]]);
    made.truncateFromEnd(30);
    expect(entriesOf(made)).toEqual([[1, 0], [3, 10]]);
    made.truncateFromStart(5);
    expect(entriesOf(made)).toEqual([[1, 5], [3, 10]]);
    made.truncateFromStart(12);
    expect(entriesOf(made)).toEqual([[3, 12]]);
    expect(made.epochFor(11)).toBeUndefined();
    expect(made.epochFor(12)).toBe(3);
  });
});

describe("the checkpoint file", () => {
  test("is Kafka's", () => {
    const made = epochs([1, 0], [3, 10]);
    expect(textOf(made.encode())).toBe("0\n2\n1 0\n3 10\n");
    const read = new LeaderEpochs();
    expect(read.decode(made.encode())).toBeTrue();
    expect(entriesOf(read)).toEqual([[1, 0], [3, 10]]);
  });

  test("is refused as a whole when it is damaged", () => {
    const damaged = [
      "",
      "0\n",
      "1\n0\n",
      "0\n2\n1 0\n",
      "0\n1\n1 0",
      "0\n1\n1 x\n",
      "0\n2\n3 0\n1 10\n",
      "0\n2\n1 10\n3 10\n",
    ];
    for (const text of damaged) {
      const read = epochs([9, 9]);
      expect(read.decode(bytesOf(text))).toBeFalse();
      expect(entriesOf(read)).toEqual([[9, 9]]);
    }
  });
});
