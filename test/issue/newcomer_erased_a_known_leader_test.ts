/**
 * A node that has just started knows of no leader and no term, and says so in its Hello. Where a leader
 * had been silent for ten seconds, that word took its place: the leader was forgotten, and any old news
 * counted again.
 */
import { expect, test } from "bun:test";
import { KnownLeader } from "../../src/runtime/quorum/known_leader.ts";

const LATER_MS = 20_000;

test("who knows nothing takes no leader's place, however long it was silent", () => {
  const known = new KnownLeader();
  known.hear(1, 500, 0);
  expect(known.hear(undefined, 0, LATER_MS)).toBeFalse();
  expect(known.hear(undefined, 499, LATER_MS)).toBeFalse();
  expect(known.leaderId).toBe(1);
  expect(known.term).toBe(500);
  expect(known.hear(undefined, 501, LATER_MS)).toBeTrue(); // an election
  expect(known.leaderId).toBeUndefined();
});

test("nor does it repeat what is known, or stand for something after a leader was found wrong", () => {
  const known = new KnownLeader();
  known.hear(1, 500, 0);
  known.hear(undefined, 500, 9000);
  expect(known.hear(2, 7, LATER_MS / 2)).toBeTrue(); // nobody has repeated term 500
  known.disprove(2);
  expect(known.hear(undefined, 0, LATER_MS)).toBeFalse();
  expect(known.term).toBe(-1);
  expect(known.hear(3, 1 << 30, LATER_MS)).toBeTrue(); // no leap: no term was known
});
