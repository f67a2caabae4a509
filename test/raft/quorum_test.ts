/**
 * Raft §5.2 and §6: majorities.
 */
import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { majorityValue, quorumValue, Tally } from "../../src/raft/quorum.ts";
import { directory, voter, voters } from "./cluster.ts";

describe("Raft §5.2: majorities", () => {
  test("majorityValue() is what more than half have reached, by counting", () => {
    const random = new Prng(7);
    for (let round = 0; round < 500; round++) {
      const members = Array.from({ length: random.between(1, 7) }, (_, index) => voter(index + 1));
      const reached = new Map(members.map((member) => [member.id, random.below(6)]));
      const value = majorityValue(members, (member) => reached.get(member.id) ?? 0);
      const count = (bound: number): number =>
        [...reached.values()].filter((each) => each >= bound).length;
      expect(count(value) * 2).toBeGreaterThan(members.length);
      expect(count(value + 1) * 2).toBeLessThanOrEqual(members.length);
    }
  });

  test("nobody is no majority", () => {
    expect(majorityValue([], () => 5)).toBe(-Infinity);
  });

  test("§6: quorumValue() needs both sets while both rule", () => {
    const joint = {
      voters: [voter(1), voter(4)],
      outgoing: [voter(1), voter(2), voter(3)],
      learners: [],
    };
    const reached = new Map([[1, 9], [2, 1], [3, 2], [4, 8]]);
    expect(quorumValue(joint, (member) => reached.get(member.id) ?? 0)).toBe(2);
  });

  test("Tally counts a replica once, and only with the directory that is named", () => {
    const tally = new Tally();
    const three = voters(1, 2, 3);
    tally.add(voter(1), true);
    tally.add(voter(1), true);
    tally.add({ id: 2, directoryId: directory("B") }, true);
    expect(tally.verdict(three)).toBe("open");
    tally.add(voter(3), false);
    expect(tally.verdict(three)).toBe("open");
    tally.add(voter(2), false);
    expect(tally.verdict(three)).toBe("lost");
  });

  test("a vote that was refused cannot be granted later in the same round", () => {
    const tally = new Tally();
    tally.add(voter(2), false);
    tally.add(voter(2), true);
    tally.add(voter(1), true);
    expect(tally.verdict(voters(1, 2, 3))).toBe("open");
    expect(tally.verdict(voters(1, 2))).toBe("lost");
  });
});
