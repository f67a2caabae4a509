/**
 * Raft §5.1, §5.2: terms, votes, and who becomes the leader.
 */
import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import type { Message } from "../../src/raft/message.ts";
import { Raft } from "../../src/raft/raft.ts";
import { Cluster, offset, OPTIONS, voter, voters } from "./cluster.ts";

function fresh(term = 0): Raft {
  return new Raft({
    self: voter(1),
    bootstrap: voters(1, 2, 3),
    hardState: { term },
    entries: [],
    options: OPTIONS,
    random: new Prng(1),
    now: 0,
  });
}

function voteRequest(from: number, term: number, isTransfer = false): Message {
  const key = { id: from, directoryId: voter(from).directoryId };
  const to = { id: 1, directoryId: voter(1).directoryId };
  return {
    kind: "VoteRequest",
    from: key,
    to,
    term,
    lastTerm: 0,
    lastOffset: offset(0),
    isTransfer,
  };
}

describe("Raft §5.2: elections", () => {
  test("a voter alone is elected at its first tick, with one write before and one after", () => {
    const raft = new Raft({
      self: voter(1),
      bootstrap: voters(1),
      hardState: { term: 0 },
      entries: [],
      options: OPTIONS,
      random: new Prng(1),
      now: 50,
    });
    expect(raft.ready().wakeAt).toBe(50);
    raft.step(50, { kind: "tick" });
    const vote = raft.ready().persist;
    expect(vote?.hardState?.term).toBe(1);
    expect(vote?.entries).toEqual([]);
    raft.step(51, { kind: "persisted", number: 1 });
    const first = raft.ready().persist;
    expect(first?.entries.map((entry) => entry.isLeaderChange === true)).toEqual([true, false]);
    raft.step(52, { kind: "persisted", number: 2 });
    expect(raft.ready().apply).toEqual({ from: offset(0), upTo: offset(2) });
    expect(raft.status().isReadyToDecide).toBe(false);
    raft.step(52, { kind: "applied", offset: offset(2) });
    expect(raft.ready().softState?.isReadyToDecide).toBe(true);
  });

  test("a replica votes once in a term, and again for the same candidate", () => {
    const raft = fresh();
    const answers = [voteRequest(2, 5), voteRequest(3, 5), voteRequest(2, 5)].map((message) => {
      raft.step(1, { kind: "message", message });
      const ready = raft.ready();
      if (ready.persist !== undefined) {
        raft.step(1, { kind: "persisted", number: ready.persist.number });
      }
      const reply = [...ready.sendNow, ...ready.sendWhenDurable][0];
      return reply?.kind === "VoteReply" && reply.isGranted;
    });
    expect(answers).toEqual([true, false, true]);
  });

  test("a vote survives a restart: the same term is not given to another", () => {
    const raft = new Raft({
      self: voter(1),
      bootstrap: voters(1, 2, 3),
      hardState: { term: 5, votedFor: { id: 2, directoryId: voter(2).directoryId } },
      entries: [],
      options: OPTIONS,
      random: new Prng(1),
      now: 0,
    });
    raft.step(1, { kind: "message", message: voteRequest(3, 5) });
    const reply = raft.ready().sendNow[0];
    expect(reply?.kind === "VoteReply" && !reply.isGranted).toBe(true);
  });

  test("a higher term makes a leader step down", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.receive({
      kind: "AppendReply",
      from: cluster.node(2).key,
      to: cluster.node(1).key,
      term: 9,
      isAccepted: false,
      matchOffset: offset(0),
      readSequence: 0,
    });
    expect(cluster.raft(1).status().role).toBe("follower");
    expect(cluster.raft(1).status().term).toBe(9);
  });

  test("two candidates that split the votes try again with other timeouts", () => {
    const cluster = Cluster.of(2);
    cluster.expire(1);
    cluster.tick(2);
    cluster.pass(5000);
    expect(cluster.leader()).toBeDefined();
  });

  test("timeouts differ: no two of a hundred draws of two replicas keep step", () => {
    const a = fresh();
    const wakes = new Set<number>();
    for (let round = 0; round < 100; round++) {
      a.step(10_000 * (round + 1), { kind: "tick" }); // refused by nobody, answered by nobody
      wakes.add(a.ready().wakeAt - 10_000 * (round + 1));
    }
    expect(wakes.size).toBeGreaterThan(50);
  });

  test("a candidate that is not granted its vote does not put off another's election", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose(1);
    cluster.deliverAll();
    const before = cluster.node(2).wakeAt;
    cluster.now += 500; // the leader is not heard any more
    cluster.receive({ ...voteRequest(3, 7), to: cluster.node(2).key } as Message);
    expect(cluster.raft(2).status().term).toBe(7);
    expect(cluster.node(2).wakeAt).toBe(before);
  });
});
