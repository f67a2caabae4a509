/**
 * A leader that votes alone goes on in its term after a clean stop (`src/raft/resumption.ts`).
 */
import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import type { Configuration } from "../../src/raft/configuration.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { RaftStart } from "../../src/raft/options.ts";
import { Raft } from "../../src/raft/raft.ts";
import { Cluster, directory, offset, OPTIONS, voter, voters } from "./cluster.ts";

const TERM = 7;

function entry(baseOffset: number, more: Partial<Entry> = {}): Entry {
  return {
    baseOffset: offset(baseOffset),
    nextOffset: offset(baseOffset + 1),
    term: TERM,
    byteLength: 100,
    ...more,
  };
}

/** What the leader of term 7 leaves that voted alone. */
function left(more: Partial<RaftStart> = {}): RaftStart {
  return {
    self: voter(1),
    bootstrap: voters(1),
    hardState: { term: TERM, votedFor: voter(1) },
    entries: [
      entry(0, { isLeaderChange: true }),
      entry(1, { configuration: voters(1) }),
      entry(2),
    ],
    options: OPTIONS,
    resumes: true,
    random: new Prng(1),
    now: 0,
    ...more,
  };
}

function ruledBy(configuration: Configuration): Partial<RaftStart> {
  return { entries: [entry(0, { isLeaderChange: true }), entry(1, { configuration })] };
}

describe("a leader that votes alone, after a clean stop", () => {
  test("goes on in its term: no new term, no vote, no leader-change, nothing to write", () => {
    const raft = new Raft(left());
    raft.step(1, { kind: "tick" });
    const ready = raft.ready();
    expect(ready.persist).toBeUndefined();
    expect(ready.sendNow).toEqual([]);
    expect(ready.sendWhenDurable).toEqual([]);
    expect(ready.apply).toEqual({ from: offset(0), upTo: offset(3) });
    expect(raft.status().role).toBe("leader");
    expect(raft.status().term).toBe(TERM);
    expect(raft.status().commitOffset).toBe(offset(3));
  });

  test("decides when all of its log is applied, and its entries follow those from before", () => {
    const raft = new Raft(left());
    raft.ready();
    const proposal = { recordCount: 2, byteLength: 10 };
    expect(raft.propose(1, proposal)).toBe("not-ready");
    raft.step(1, { kind: "applied", offset: offset(2) });
    expect(raft.propose(1, proposal)).toBe("not-ready");
    raft.step(1, { kind: "applied", offset: offset(3) });
    expect(raft.ready().softState?.isReadyToDecide).toBeTrue();
    expect(raft.propose(1, proposal)).toEqual({ baseOffset: offset(3), term: TERM });
    expect(raft.ready().persist).toEqual({
      number: 1,
      entries: [entry(3, { nextOffset: offset(5), byteLength: 10 })],
    });
    raft.step(1, { kind: "persisted", number: 1 });
    expect(raft.ready().apply).toEqual({ from: offset(3), upTo: offset(5) });
  });

  test("also where a snapshot holds all but the leader-change", () => {
    const snapshot = { offset: offset(40), term: 6, configuration: voters(1) };
    const entries = [entry(40, { isLeaderChange: true })];
    const raft = new Raft(left({ snapshot, entries }));
    expect(raft.ready().apply).toEqual({ from: offset(40), upTo: offset(41) });
    expect(raft.status().role).toBe("leader");
  });

  test("a tick, or an answer to its earlier life, changes nothing", () => {
    const raft = new Raft(left());
    raft.ready();
    raft.step(100_000, { kind: "tick" });
    for (const kind of ["VoteReply", "PreVoteReply"] as const) {
      const message = { kind, from: voter(2), to: voter(1), term: TERM, isGranted: true };
      raft.step(100_001, { kind: "message", message });
    }
    expect(raft.status().term).toBe(TERM);
    expect(raft.ready().persist).toBeUndefined();
  });

  test("an answer to a read of its earlier life answers none of this one", () => {
    const rounds = new Set<number>();
    for (let seed = 1; seed <= 50; seed++) {
      const raft = new Raft(left({ random: new Prng(seed) }));
      raft.ready();
      raft.step(1, { kind: "applied", offset: offset(3) });
      raft.changeVoters(1, { add: voter(2) });
      raft.read(1, 1);
      for (const { kind, ...message } of raft.ready().sendNow) {
        if (kind !== "AppendRequest") continue;
        rounds.add((message as { readSequence: number }).readSequence);
      }
    }
    expect(rounds.size).toBe(50);
    expect(Math.min(...rounds)).toBeGreaterThan(1000);
  });

  test("admits others as ever: they copy what it had, and what it appends now", () => {
    const cluster = Cluster.of(1);
    cluster.tick(1);
    cluster.propose(1);
    cluster.deliverAll();
    const { term, logEndOffset } = cluster.raft(1).status();
    cluster.restart(1, true);
    expect(cluster.raft(1).status().term).toBe(term);
    expect(cluster.raft(1).status().logEndOffset).toBe(logEndOffset);
    cluster.propose(1);
    cluster.add(2, voters(1));
    expect(cluster.raft(1).changeVoters(cluster.now, { add: voter(2) })).toBe("started");
    cluster.pump(cluster.node(1));
    cluster.deliverAll();
    cluster.pass(3000);
    expect(cluster.raft(1).status().configuration.voters.map(({ id }) => id)).toEqual([1, 2]);
    expect(cluster.raft(2).entries()).toEqual(cluster.raft(1).entries());
  });
});

describe("whoever is not known to have led alone is not asked to go on", () => {
  const cases: readonly (readonly [string, Partial<RaftStart>])[] = [
    ["others vote", ruledBy(voters(1, 2))],
    ["others learn", ruledBy({ voters: [voter(1)], learners: [voter(2)] })],
    ["others are going", ruledBy({ voters: [voter(1)], outgoing: [voter(2)], learners: [] })],
    ["it has another disk", { self: { id: 1, directoryId: directory("B") } }],
    ["no configuration is in its log", { entries: [entry(0, { isLeaderChange: true })] }],
    ["it voted for somebody else", { hardState: { term: TERM, votedFor: voter(2) } }],
    ["it voted for nobody", { hardState: { term: TERM } }],
    ["it was a candidate since", { hardState: { term: TERM + 1, votedFor: voter(1) } }],
    [
      "the term began without a leader-change",
      { entries: [entry(0, { isLeaderChange: true, term: 6 }), ...left().entries.slice(1)] },
    ],
  ];
  for (const [reason, start] of cases) {
    test(reason, () => {
      expect(() => new Raft(left(start))).toThrow();
    });
  }

  test("after a crash the usual election runs, because a learner may have what it has lost", () => {
    const cluster = Cluster.of(1);
    cluster.tick(1);
    cluster.crash(1);
    cluster.restart(1);
    const { term } = cluster.raft(1).status();
    cluster.tick(1);
    expect(cluster.raft(1).status().term).toBe(term + 1);
    expect(cluster.raft(1).entries().at(-1)?.isLeaderChange).toBeTrue();
  });
});
