/**
 * Raft §5.1 turned round: messages that no sound peer sends, or that are not for this replica. They are
 * counted, and change nothing.
 */
import { describe, expect, test } from "bun:test";
import { TERM_MAX } from "../../src/raft/core.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { AppendReply, AppendRequest, Message } from "../../src/raft/message.ts";
import type { IgnoreReason } from "../../src/raft/status.ts";
import { Cluster, offset, voter, voters } from "./cluster.ts";

function entry(baseOffset: number, nextOffset: number, term: number): Entry {
  return { baseOffset: offset(baseOffset), nextOffset: offset(nextOffset), term, byteLength: 1 };
}

function request(cluster: Cluster, change: Partial<AppendRequest>): Message {
  return {
    kind: "AppendRequest",
    from: cluster.node(1).key,
    to: cluster.node(2).key,
    term: 1,
    prevOffset: offset(2),
    prevTerm: 1,
    entries: [],
    records: new Uint8Array(),
    commitOffset: offset(2),
    readSequence: 0,
    ...change,
  };
}

/** Node 2 tells the leader that it has all up to there. */
function acknowledgement(cluster: Cluster, change: Partial<AppendReply>): Message {
  return {
    kind: "AppendReply",
    from: cluster.node(2).key,
    to: cluster.node(1).key,
    term: 1,
    isAccepted: true,
    matchOffset: offset(2),
    readSequence: 0,
    ...change,
  };
}

function steady(): Cluster {
  const cluster = Cluster.of(3);
  cluster.elect(1);
  cluster.deliverAll();
  return cluster;
}

describe("Raft §5.1: bad input", () => {
  const cases: readonly {
    readonly name: string;
    readonly reason: IgnoreReason;
    readonly change: Partial<AppendRequest>;
  }[] = [
    {
      name: "entries that leave a hole behind the previous one",
      reason: "unsound-entries",
      change: { entries: [entry(3, 4, 1)] },
    },
    {
      name: "entries that leave a hole between them",
      reason: "unsound-entries",
      change: { entries: [entry(2, 3, 1), entry(4, 5, 1)] },
    },
    {
      name: "an entry that ends before it begins",
      reason: "unsound-entries",
      change: { entries: [entry(2, 2, 1)] },
    },
    {
      name: "falling terms",
      reason: "unsound-entries",
      change: { term: 3, entries: [entry(2, 3, 3), entry(3, 4, 2)] },
    },
    {
      name: "an entry of a term that is yet to come",
      reason: "unsound-entries",
      change: { entries: [entry(2, 3, 2)] },
    },
    {
      name: "a term that no log can hold",
      reason: "impossible-term",
      change: { term: TERM_MAX + 1 },
    },
    { name: "a term of nothing", reason: "impossible-term", change: { term: 0 } },
    { name: "a term that is no number", reason: "impossible-term", change: { term: NaN } },
    {
      name: "a request to the directory that was there before",
      reason: "not-for-me",
      change: { to: { id: 2, directoryId: voter(2, "Z").directoryId } },
    },
    {
      name: "a request to another node",
      reason: "not-for-me",
      change: { to: voter(3) },
    },
    {
      name: "a request from somebody with the own id",
      reason: "from-own-id",
      change: { from: { id: 2, directoryId: voter(2, "Z").directoryId } },
    },
    {
      name: "a request of a second leader of the term",
      reason: "second-leader",
      change: { from: voter(3), entries: [entry(2, 3, 1)] },
    },
  ];
  for (const { name, reason, change } of cases) {
    test(`${name}: ${reason}, and nothing changes`, () => {
      const cluster = steady();
      const before = cluster.raft(2).describe();
      const { raft } = cluster.node(2);
      raft.step(cluster.now, { kind: "message", message: request(cluster, change) });
      cluster.pump(cluster.node(2));
      expect(raft.status().ignored.get(reason)).toBe(1);
      expect(cluster.raft(2).describe()).toBe(before);
      expect(cluster.messages).toEqual([]);
    });
  }

  test("a candidate that disturbs a leader that is heard is not listened to", () => {
    const cluster = steady();
    cluster.receive({
      kind: "VoteRequest",
      from: cluster.node(3).key,
      to: cluster.node(2).key,
      term: 50,
      lastTerm: 50,
      lastOffset: offset(99),
      isTransfer: false,
    });
    expect(cluster.raft(2).status().term).toBe(1);
    expect(cluster.raft(2).status().ignored.get("leader-is-heard")).toBe(1);
  });

  test("an acknowledgement of more than there is counts for nothing", () => {
    const cluster = steady();
    cluster.propose(1);
    cluster.drop();
    cluster.receive(acknowledgement(cluster, { matchOffset: offset(1000) }));
    expect(cluster.raft(1).status().commitOffset).toBe(offset(2));
    expect(cluster.raft(1).status().ignored.get("unknown-position")).toBe(1);
  });

  test("an acknowledgement in the middle of a batch counts for nothing", () => {
    const cluster = steady();
    cluster.propose(1, 5);
    cluster.drop();
    cluster.receive(acknowledgement(cluster, { matchOffset: offset(4) }));
    expect(cluster.raft(1).status().ignored.get("unknown-position")).toBe(1);
    cluster.pass(300);
    expect(cluster.raft(1).status().commitOffset).toBe(offset(7));
  });

  test("a confirmation of a round that was never asked confirms no later read", () => {
    const cluster = steady();
    cluster.receive(acknowledgement(cluster, { readSequence: 99 }));
    cluster.read(1, 1);
    expect(cluster.node(1).reads).toEqual([]);
  });

  test("a snapshot of a term that is yet to come is not fetched", () => {
    const cluster = steady();
    cluster.receive({
      kind: "SnapshotOffer",
      from: cluster.node(1).key,
      to: cluster.node(2).key,
      term: 1,
      snapshot: { offset: offset(50), term: 2 },
      configuration: voters(1, 2, 3),
      readSequence: 0,
    });
    expect(cluster.node(2).fetch).toBeUndefined();
    expect(cluster.raft(2).status().ignored.get("unsound-snapshot")).toBe(1);
  });

  test("a clock that goes back stands still", () => {
    const cluster = steady();
    cluster.pass(100);
    const { raft } = cluster.node(1);
    const before = raft.describe();
    raft.step(5, { kind: "tick" });
    expect(raft.describe()).toBe(before);
    expect(raft.ready().wakeAt).toBeGreaterThanOrEqual(cluster.now);
  });

  test("an old leader is told that its term is over", () => {
    const cluster = steady();
    cluster.partition([1], [2, 3]);
    cluster.elect(2);
    cluster.heal();
    cluster.receive(request(cluster, {}));
    const answer = cluster.messages.find((message) => message.kind === "AppendReply");
    expect(answer?.term).toBe(2);
    cluster.deliverAll();
    expect(cluster.raft(1).status().role).toBe("follower");
  });
});
