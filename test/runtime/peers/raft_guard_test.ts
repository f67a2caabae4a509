/** Which Raft messages are not heard, and which must be, or a quorum would stand still. */
import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import type { Configuration, ReplicaKey } from "../../../src/raft/configuration.ts";
import type { Message } from "../../../src/raft/message.ts";
import { refuseRaftMessage } from "../../../src/runtime/peers/raft_guard.ts";
import { keyOf, voterOf } from "./fake_node.ts";

const TERM = 7;
const LED = { term: TERM, leader: keyOf(1) };
const LEADERLESS = { term: TERM };
const NEWER = TERM + 1;
const configuration: Configuration = {
  voters: [voterOf(1), voterOf(2), { ...voterOf(3), directoryId: ZERO_UUID }],
  outgoing: [voterOf(1), voterOf(4)],
  learners: [voterOf(5)],
};

function vote(from: ReplicaKey, term: number): Message {
  return {
    kind: "VoteRequest",
    from,
    to: keyOf(1),
    term,
    lastTerm: 1,
    lastOffset: toOffset(9),
    isTransfer: true,
  };
}

function reasonOf(message: Message, sight: typeof LEADERLESS = LED): string | undefined {
  return refuseRaftMessage(message, sight, () => configuration)?.reason;
}

describe("refuseRaftMessage", () => {
  test("hears everybody who has a part in the configuration, whoever leads", () => {
    for (const id of [1, 2, 3, 4, 5]) expect(reasonOf(vote(keyOf(id), NEWER))).toBeUndefined();
  });

  test("hears no stranger of a later term while a leader is heard", () => {
    expect(reasonOf(vote(keyOf(6), NEWER))).toBe("unknown-voter");
    // A voter that lost its disk is somebody else.
    expect(reasonOf(vote({ ...keyOf(2), directoryId: keyOf(9).directoryId }, NEWER)))
      .toBe("unknown-voter");
  });

  test("hears a stranger while no leader is: it may lead, or be a voter, by what is not here yet", () => {
    expect(reasonOf(vote(keyOf(6), NEWER), LEADERLESS)).toBeUndefined();
  });

  test("hears strangers of the present term, who can change nothing", () => {
    expect(reasonOf(vote(keyOf(6), TERM))).toBeUndefined();
  });

  test("lets a voter that was removed ask around, so that it is told", () => {
    const request: Message = {
      kind: "PreVoteRequest",
      from: keyOf(6),
      to: keyOf(1),
      term: NEWER,
      lastTerm: 1,
      lastOffset: toOffset(9),
    };
    expect(reasonOf(request)).toBeUndefined();
  });

  test("hears nobody of a term that no election can have come to", () => {
    const leap = 1 << 24;
    expect(reasonOf(vote(keyOf(2), TERM + leap))).toBeUndefined();
    for (const sight of [LED, LEADERLESS]) {
      expect(reasonOf(vote(keyOf(2), TERM + leap + 1), sight)).toBe("impossible-term");
    }
  });

  test("hears nobody without a directory, who would pass for any voter of that id", () => {
    const nobody = { ...keyOf(2), directoryId: ZERO_UUID };
    for (const sight of [LED, LEADERLESS]) {
      expect(reasonOf(vote(nobody, TERM), sight)).toBe("unknown-voter");
    }
  });
});
