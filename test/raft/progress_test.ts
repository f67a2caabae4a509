/** What a leader says of a follower that is fed all the time (kafka: ReplicaState). */
import { expect, test } from "bun:test";
import { Progress } from "../../src/raft/progress.ts";
import { offset, voters } from "./cluster.ts";

test("a follower that has what there was at its last answer was caught up then", () => {
  const [voter] = voters(2).voters;
  if (voter === undefined) throw new Error("there is a voter");
  const progress = new Progress(voter, offset(0), 1000);
  const accepted = (match: number, end: number, nowMs: number): number => {
    progress.matchOffset = offset(match);
    progress.noteCaughtUp(offset(end), nowMs);
    return progress.lastCaughtUpMs;
  };
  expect(accepted(3, 10, 1000)).toBe(-1);
  expect(accepted(9, 20, 1100)).toBe(-1);
  expect(accepted(20, 30, 1200)).toBe(1100);
  expect(accepted(29, 40, 1300)).toBe(1100);
  expect(accepted(40, 40, 1400)).toBe(1400);
});
