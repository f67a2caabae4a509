import { describe, expect, test } from "bun:test";
import {
  type DirectoryInput,
  type DirectoryState,
  nextDirectoryState,
  ONLINE,
  reserveBytesOf,
} from "../../../src/log/directory/directory_state.ts";

const RESERVE = 800;
const FULL: DirectoryState = { kind: "full", freeBytes: 799, neededBytes: 900 };
const OFFLINE: DirectoryState = { kind: "offline", reason: "first" };

function measured(freeBytes: number, wantedBytes = 0, reserveBytes = RESERVE): DirectoryInput {
  return { kind: "measured", freeBytes, reserveBytes, wantedBytes };
}

/** Every state with every input that matters: what comes of it. */
const TRANSITIONS: readonly (readonly [DirectoryState, DirectoryInput, DirectoryState])[] = [
  [ONLINE, measured(Infinity), ONLINE],
  [ONLINE, measured(800), ONLINE],
  [ONLINE, measured(900, 100), ONLINE],
  [ONLINE, measured(799), { kind: "full", freeBytes: 799, neededBytes: 900 }],
  [ONLINE, measured(899, 100), { kind: "full", freeBytes: 899, neededBytes: 900 }],
  // A large batch is waited for with as much as it needs, not with an eighth.
  [ONLINE, measured(1000, 500), { kind: "full", freeBytes: 1000, neededBytes: 1300 }],
  // Without a reserve a directory is full when the batch does not fit.
  [ONLINE, measured(0, 0, 0), ONLINE],
  [ONLINE, measured(10, 11, 0), { kind: "full", freeBytes: 10, neededBytes: 11 }],
  [FULL, measured(899), { kind: "full", freeBytes: 899, neededBytes: 900 }],
  [FULL, measured(900), ONLINE],
  [FULL, measured(0), { kind: "full", freeBytes: 0, neededBytes: 900 }],
  [FULL, measured(950, 200), { kind: "full", freeBytes: 950, neededBytes: 1000 }],
  [ONLINE, { kind: "failed", reason: "broken" }, { kind: "offline", reason: "broken" }],
  [FULL, { kind: "failed", reason: "broken" }, { kind: "offline", reason: "broken" }],
  [OFFLINE, { kind: "failed", reason: "second" }, OFFLINE],
  [OFFLINE, measured(Infinity), OFFLINE],
  [OFFLINE, measured(0), OFFLINE],
];

describe("nextDirectoryState()", () => {
  test("goes from every state where it should", () => {
    for (const [present, input, next] of TRANSITIONS) {
      expect(nextDirectoryState(present, input)).toEqual(next);
    }
    const pairs = new Set(TRANSITIONS.map(([{ kind }, input]) => `${kind} ${input.kind}`));
    expect(pairs.size).toBe(6); // three states, two inputs
  });

  test("gives the present state itself where nothing changes", () => {
    expect(nextDirectoryState(ONLINE, measured(800))).toBe(ONLINE);
    expect(nextDirectoryState(FULL, measured(799))).toBe(FULL);
    expect(nextDirectoryState(OFFLINE, measured(5))).toBe(OFFLINE);
  });

  test("does not flap where free space moves by less than the margin", () => {
    let state = ONLINE;
    let changes = 0;
    for (let round = 0; round < 100; round++) {
      const next = nextDirectoryState(state, measured(round % 2 === 0 ? 795 : 890));
      if (next.kind !== state.kind) changes++;
      state = next;
    }
    expect(changes).toBe(1);
  });
});

describe("reserveBytesOf()", () => {
  test("is what is set, but a sixteenth of a small file system at most", () => {
    const mebibyte = 1024 * 1024;
    expect(reserveBytesOf(64 * mebibyte, 1024 * mebibyte)).toBe(64 * mebibyte);
    expect(reserveBytesOf(64 * mebibyte, Infinity)).toBe(64 * mebibyte);
    expect(reserveBytesOf(64 * mebibyte, 32 * mebibyte)).toBe(2 * mebibyte);
    expect(reserveBytesOf(0, 32 * mebibyte)).toBe(0);
  });
});
