import { describe, expect, test } from "bun:test";
import { KnownLeader } from "../../../src/runtime/quorum/known_leader.ts";

const HUGE = 0x7fff_ffff;

describe("KnownLeader", () => {
  test("hear() takes a later term, and of the same one only a leader", () => {
    const known = new KnownLeader();
    expect(known.hear(1, 5, 0)).toBeTrue();
    expect(known.hear(2, 4, 0)).toBeFalse();
    expect(known.hear(undefined, 5, 0)).toBeFalse();
    expect(known.leaderId).toBe(1);
    expect(known.hear(1, 5, 0)).toBeFalse(); // no news
    expect(known.hear(undefined, 6, 0)).toBeTrue();
    expect(known.leaderId).toBeUndefined();
    expect(known.hear(3, 6, 0)).toBeTrue();
    expect(known.leaderId).toBe(3);
    expect(known.term).toBe(6);
  });

  test("hear() believes no leap of the term", () => {
    const known = new KnownLeader();
    known.hear(1, 5, 0);
    expect(known.hear(2, HUGE, 0)).toBeFalse();
    expect(known.hear(2, 6 + (1 << 24), 0)).toBeFalse();
    expect(known.hear(2, 5 + (1 << 24), 0)).toBeTrue();
  });

  test("hear() forgets what nobody repeats, and not before", () => {
    const known = new KnownLeader();
    known.hear(1, HUGE, 0);
    expect(known.hear(2, 7, 9999)).toBeFalse();
    known.hear(1, HUGE, 9999);
    known.confirm(1, 15_000);
    expect(known.hear(2, 7, 24_999)).toBeFalse();
    expect(known.hear(2, 7, 25_000)).toBeTrue();
    expect(known.leaderId).toBe(2);
    expect(known.hear(1, HUGE, 25_000)).toBeFalse();
  });

  test("disprove() lets any other word count; confirm() and disprove() of another change nothing", () => {
    const known = new KnownLeader();
    known.hear(1, HUGE, 0);
    known.disprove(2);
    expect(known.leaderId).toBe(1);
    expect(known.hear(2, 7, 0)).toBeFalse();
    known.disprove(1);
    expect(known.leaderId).toBeUndefined();
    expect(known.hear(2, 7, 0)).toBeTrue();
    known.confirm(1, 9000);
    expect(known.hear(3, 6, 10_000)).toBeTrue();
  });

  test("suppose() fills in where nobody is known", () => {
    const known = new KnownLeader();
    known.suppose(3);
    known.suppose(2);
    expect(known.leaderId).toBe(3);
  });
});
