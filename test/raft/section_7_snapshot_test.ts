/**
 * Raft §7: compaction, and followers that need what is compacted.
 */
import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { Raft } from "../../src/raft/raft.ts";
import { Cluster, offset, OPTIONS, voter, voters } from "./cluster.ts";

/** 3 has missed offsets 2 to 5, and the leader has compacted them. */
function lagging(): Cluster {
  const cluster = Cluster.of(3);
  cluster.elect(1);
  cluster.partition([1, 2], [3]);
  for (let count = 0; count < 4; count++) cluster.propose(1);
  cluster.deliverAll();
  cluster.compact(1);
  cluster.heal();
  return cluster;
}

describe("Raft §7: snapshots", () => {
  test("a follower that needs what is compacted is offered the snapshot, and fetches it once", () => {
    const cluster = lagging();
    let fetches = 0;
    cluster.onEvent = (line) => {
      if (line.includes("fetches")) fetches++;
    };
    cluster.pass(700); // offers come with every heartbeat
    expect(fetches).toBe(1);
    expect(cluster.raft(1).status().replicas[2]?.state).toBe("snapshot");
    cluster.install(3);
    cluster.propose(1);
    cluster.pass(200);
    expect(cluster.raft(1).status().replicas[2]?.state).toBe("replicate");
    expect(cluster.raft(3).status().commitOffset).toBe(offset(7));
    expect(cluster.node(3).appliedFrom).toBe(6);
  });

  test("a fetch that failed is begun again with the next offer", () => {
    const cluster = lagging();
    cluster.pass(200);
    const node = cluster.node(3);
    const fetch = node.fetch;
    if (fetch === undefined) throw new Error("nothing fetched");
    node.fetch = undefined;
    node.raft.step(cluster.now, { kind: "snapshot-failed", snapshot: fetch.snapshot });
    cluster.pump(node);
    expect(node.fetch).toBeUndefined();
    cluster.pass(200);
    expect(node.fetch).toBeDefined();
  });

  test("a leader never loads a snapshot (KIP-630)", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    const node = cluster.node(1);
    node.raft.step(cluster.now, {
      kind: "snapshot-installed",
      snapshot: { offset: offset(50), term: 1 },
      configuration: voters(1, 2, 3),
    });
    expect(node.raft.ready().persist?.resetTo).toBeUndefined();
    expect(node.raft.status().commitOffset).toBeLessThan(50);
  });

  test("a snapshot that the log has overtaken is not loaded", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose(1);
    cluster.deliverAll();
    const node = cluster.node(3);
    node.raft.step(cluster.now, {
      kind: "snapshot-installed",
      snapshot: { offset: offset(2), term: 1 },
      configuration: voters(1, 2, 3),
    });
    expect(node.raft.ready().persist).toBeUndefined();
    expect(node.raft.status().logStartOffset).toBe(offset(0));
  });

  test("a snapshot that the log holds already commits it, and keeps what lies behind", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose(1);
    cluster.propose(1);
    cluster.deliverAll((message) => message.kind === "AppendRequest" && message.to.id === 3);
    const { raft } = cluster.node(3);
    expect(raft.status().commitOffset).toBeLessThan(3);
    raft.step(cluster.now, {
      kind: "snapshot-installed",
      snapshot: { offset: offset(3), term: 1 },
      configuration: voters(1, 2, 3),
    });
    const { persist, apply } = raft.ready();
    expect(persist).toBeUndefined();
    expect(apply?.upTo).toBe(offset(3));
    expect(raft.status().logEndOffset).toBe(offset(4));
  });

  test("an installed snapshot brings its configuration", () => {
    const cluster = lagging();
    cluster.add(4, voters(1, 2, 3));
    cluster.raft(1).changeVoters(cluster.now, { add: voter(4) });
    cluster.pump(cluster.node(1));
    cluster.partition([1, 2, 4], [3]);
    for (let round = 0; round < 10; round++) {
      cluster.pass(110);
      cluster.install(4);
    }
    cluster.compact(1);
    cluster.heal();
    cluster.pass(250);
    cluster.install(3);
    cluster.pass(150);
    const ids = cluster.raft(3).status().configuration.voters.map((member) => member.id);
    expect(ids).toEqual([1, 2, 3, 4]);
    expect(cluster.raft(3).status().commitOffset).toBe(cluster.raft(1).status().commitOffset);
  });

  test("compaction keeps the configuration, also over a restart", () => {
    const cluster = Cluster.of(1);
    cluster.add(2, voters(1));
    cluster.tick(1);
    cluster.raft(1).changeVoters(cluster.now, { add: voter(2) });
    cluster.pump(cluster.node(1));
    cluster.deliverAll();
    cluster.compact(1);
    cluster.crash(1);
    cluster.restart(1);
    const status = cluster.raft(1).status();
    expect(status.configuration.voters.map((member) => member.id)).toEqual([1, 2]);
    expect(status.logStartOffset).toBe(status.logEndOffset);
    expect(status.commitOffset).toBe(status.logStartOffset);
  });

  test("a snapshot of what is not applied here is not believed, nor an older one", () => {
    const cluster = Cluster.of(1);
    cluster.tick(1);
    cluster.propose(1);
    const { raft } = cluster.node(1);
    raft.step(cluster.now, { kind: "snapshot-taken", snapshot: { offset: offset(9), term: 1 } });
    expect(raft.status().logStartOffset).toBe(offset(0));
    cluster.compact(1);
    raft.step(cluster.now, { kind: "snapshot-taken", snapshot: { offset: offset(2), term: 1 } });
    expect(raft.status().logStartOffset).toBe(offset(3));
  });

  test("a log that has a hole is refused at the start", () => {
    expect(() =>
      new Raft({
        self: voter(1),
        bootstrap: voters(1),
        hardState: { term: 3 },
        snapshot: { offset: offset(5), term: 2, configuration: voters(1) },
        entries: [{ baseOffset: offset(6), nextOffset: offset(7), term: 3, byteLength: 1 }],
        options: OPTIONS,
        random: new Prng(1),
        now: 0,
      })
    ).toThrow("an entry begins where the log ends");
  });

  test("a snapshot of a term that the vote file does not know yet is taken up, without a vote", () => {
    const snapshot = { offset: offset(6), term: 12, configuration: voters(1, 2, 3) };
    const start = {
      self: voter(1),
      bootstrap: voters(1, 2, 3),
      snapshot,
      entries: [],
      options: OPTIONS,
      random: new Prng(1),
      now: 0,
    };
    // 1. A vote for 2 in term 11; 2. an offer of term 12, fetched and durable; 3. a crash before the
    // term is.
    const raft = new Raft({ ...start, hardState: { term: 11, votedFor: voter(2) } });
    expect(raft.term()).toBe(12);
    expect(raft.votedFor()).toBeUndefined();
    expect(raft.commitOffset()).toBe(offset(6));
    // The term goes to the disk before anything leaves that rests on it.
    const { persist } = raft.ready();
    expect(persist?.hardState).toEqual({ term: 12 });
    // A vote of the same term as the log's is kept, and written nowhere again.
    const known = new Raft({ ...start, hardState: { term: 12, votedFor: voter(2) } });
    expect(known.votedFor()?.id).toBe(2);
    expect(known.ready().persist).toBeUndefined();
  });
});
