/**
 * The known pitfalls of quorums, one named test each: what others lost data or sleep over. Several have a
 * scenario script beside this (`test/scenario/raft/`).
 *
 * Long because it is one list, in the order in which the pitfalls are known.
 */
import { describe, expect, test } from "bun:test";
import type { Message } from "../../src/raft/message.ts";
import { Cluster, offset, voter, voters } from "./cluster.ts";

function of(kind: Message["kind"], to?: number): (message: Message) => boolean {
  return (message) => message.kind === kind && (to === undefined || message.to.id === to);
}

/** Raft figure 8 up to (d), with a machine that may have a bug. */
function figure8(cluster: Cluster): void {
  const vote = (id: number): void => {
    for (let round = 0; round < 2 && cluster.raft(id).status().role !== "leader"; round++) {
      cluster.expire(id);
      cluster.deliverAll((message) => message.kind !== "AppendRequest");
    }
  };
  cluster.elect(1);
  cluster.partition([1, 2], [3, 4, 5]);
  cluster.propose(1);
  cluster.deliverAll();
  cluster.crash(1);
  vote(5);
  cluster.crash(5);
  cluster.drop();
  cluster.heal();
  cluster.restart(1);
  vote(1);
  cluster.drop();
  cluster.expire(1);
  cluster.deliverAll(of("AppendRequest"));
  cluster.deliverAll(of("AppendReply"));
  cluster.drop(of("AppendRequest", 2));
  cluster.drop(of("AppendRequest", 4));
  cluster.deliver(of("AppendRequest", 3)); // the old entry alone
  cluster.deliverAll(of("AppendReply"));
  cluster.drop();
  cluster.crash(1);
  cluster.crash(2);
  cluster.restart(5);
  cluster.elect(5);
  cluster.elect(5);
}

/** 3 is back, and what it missed the leader has as a snapshot only. */
function withSnapshotNeeded(): Cluster {
  const cluster = Cluster.of(3);
  cluster.elect(1);
  cluster.partition([1, 2], [3]);
  cluster.propose(1);
  cluster.deliverAll();
  cluster.compact(1);
  cluster.heal();
  return cluster;
}

describe("pitfalls", () => {
  test("P1: entries of former terms are not committed by counting (figure 8)", () => {
    const raft = { appendBytesMax: 150 };
    figure8(Cluster.of(5, { raft }));
    expect(() => figure8(Cluster.of(5, { raft, sabotage: ["commit-old-term"] })))
      .toThrow("leader completeness");
  });

  test("P2: a new leader changes no voters before an entry of its own term is committed", () => {
    const cluster = Cluster.of(3);
    cluster.add(4, voters(1, 2, 3));
    cluster.expire(1);
    cluster.deliverAll((message) => message.kind !== "AppendRequest");
    expect(cluster.raft(1).status().role).toBe("leader");
    expect(cluster.raft(1).changeVoters(cluster.now, { add: voter(4) })).toBe("not-ready");
    expect(cluster.propose(1)).toBe("not-ready");
    cluster.deliverAll();
    expect(cluster.raft(1).changeVoters(cluster.now, { add: voter(4) })).toBe("started");
  });

  test("P3: a configuration that is cut off is out of force, on a node that then counts right", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.partition([1], [2, 3]);
    cluster.raft(1).changeVoters(cluster.now, { remove: voter(3) });
    cluster.pump(cluster.node(1));
    cluster.elect(2);
    cluster.heal();
    cluster.pass(200);
    expect(cluster.raft(1).status().configuration.outgoing).toBeUndefined();
    cluster.crash(2);
    cluster.pass(2000); // 1 and 3 are a majority of three
    expect(cluster.leader()).toBeDefined();
  });

  test("P4: who believes to be removed still votes, and a stranger may be a candidate", () => {
    const cluster = Cluster.of(2);
    cluster.add(3, voters(1, 2)); // by what it knows it is no voter
    cluster.receive({
      kind: "VoteRequest",
      from: { id: 7, directoryId: voter(7).directoryId },
      to: cluster.node(3).key,
      term: 4,
      lastTerm: 3,
      lastOffset: offset(10),
      isTransfer: false,
    });
    const reply = cluster.messages.at(-1);
    expect(reply?.kind === "VoteReply" && reply.isGranted).toBe(true);
  });

  test("P4: a voter that was removed in its absence is served until it knows", () => {
    const cluster = Cluster.of(4);
    cluster.elect(1);
    cluster.crash(4);
    cluster.raft(1).changeVoters(cluster.now, { remove: voter(4) });
    cluster.pump(cluster.node(1));
    cluster.pass(20_000); // the leader has long stopped to call it
    cluster.restart(4);
    cluster.pass(3000);
    expect(cluster.raft(4).status().isVoter).toBe(false);
    expect(cluster.raft(1).status().term).toBe(1);
    let preVotes = 0;
    cluster.onEvent = (line) => {
      if (line.includes("PreVoteRequest")) preVotes++;
    };
    cluster.pass(5000);
    expect(preVotes).toBe(0);
  });

  test("P5: a leader on its way out does not count itself", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.raft(1).changeVoters(cluster.now, { remove: voter(1) });
    cluster.pump(cluster.node(1));
    cluster.deliverAll(of("AppendRequest"));
    cluster.deliverAll(of("AppendReply")); // both sets have agreed: the final one goes out
    expect(cluster.raft(1).status().configuration.voters).toHaveLength(2);
    cluster.drop(of("AppendRequest", 3));
    cluster.deliverAll();
    expect(cluster.raft(1).status().role).toBe("leader"); // 1 and 2 are no majority of 2, 3
    expect(cluster.raft(1).status().isConfigurationCommitted).toBe(false);
    cluster.pass(150);
    expect(cluster.raft(1).status().role).toBe("follower");
  });

  test("P5: a leader that removed itself may be needed once more (thesis §4.2.2, figure 4.6)", () => {
    const cluster = Cluster.of(2);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.raft(1).changeVoters(cluster.now, { remove: voter(1) });
    cluster.pump(cluster.node(1));
    cluster.deliverAll(of("AppendRequest"));
    cluster.deliverAll(of("AppendReply"));
    cluster.drop(); // the final set stands in the log of 1 alone
    cluster.crash(1);
    cluster.restart(1);
    expect(cluster.raft(1).status().isVoter).toBe(false);
    cluster.pass(5000);
    expect(cluster.leader()?.key.id).toBe(2);
    expect(cluster.raft(2).status().configuration.voters.map((member) => member.id)).toEqual([2]);
  });

  test("P6: a replica that was cut off for a long time deposes nobody when it is back", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.pass(200);
    cluster.partition([3], [1, 2]);
    cluster.pass(20_000);
    cluster.heal();
    cluster.pass(2000);
    expect(cluster.raft(1).status().role).toBe("leader");
    expect(cluster.raft(3).status().term).toBe(1);
  });

  test("P6: a leader without a majority steps down by itself (check-quorum)", () => {
    const cluster = Cluster.of(5);
    cluster.elect(1);
    cluster.partition([1, 2], [3, 4, 5]);
    cluster.pass(600);
    expect(cluster.raft(1).status().role === "leader").toBe(false);
  });

  test("P6: a follower that missed its leader defends it no longer", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.pass(200);
    cluster.crash(1);
    const asked = (): Message => ({
      kind: "PreVoteRequest",
      from: cluster.node(3).key,
      to: cluster.node(2).key,
      term: 2,
      lastTerm: 1,
      lastOffset: offset(2),
    });
    cluster.receive(asked());
    cluster.now += 401;
    cluster.receive(asked());
    const granted = cluster.messages
      .filter((message) => message.kind === "PreVoteReply")
      .map((message) => message.kind === "PreVoteReply" && message.isGranted);
    expect(granted).toEqual([false, true]);
  });

  test("P7: a leader that is sure of itself answers no read without a majority (no leases)", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.pass(200); // heard by all a moment ago
    cluster.partition([1], [2, 3]);
    cluster.read(1, 1);
    cluster.deliverAll();
    expect(cluster.node(1).reads).toEqual([]);
    cluster.pass(2000);
    expect(cluster.node(1).reads).toEqual([{ token: 1, offset: undefined }]);
  });

  test("P8: a vote does not leave before it is durable", () => {
    const cluster = Cluster.of(3);
    cluster.holdDisk(2);
    cluster.expire(1);
    cluster.deliverAll(of("PreVoteRequest"));
    cluster.deliverAll(of("PreVoteReply"));
    cluster.deliverAll(of("VoteRequest", 2));
    expect(cluster.messages.filter(of("VoteReply"))).toEqual([]);
    cluster.releaseDisk(2);
    expect(cluster.messages.filter(of("VoteReply"))).toHaveLength(1);
  });

  test("P8: nor does a request for votes before the candidate's own vote", () => {
    const cluster = Cluster.of(3);
    cluster.holdDisk(1);
    cluster.expire(1);
    cluster.deliverAll();
    expect(cluster.raft(1).status().role).toBe("candidate");
    expect(cluster.messages).toEqual([]);
    cluster.releaseDisk(1);
    cluster.deliverAll();
    expect(cluster.raft(1).status().role).toBe("leader");
  });

  test("P8: a replica that lost its disk has another directory id, and no vote", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose(1);
    cluster.deliverAll();
    cluster.crash(3);
    cluster.replaceDisk(3, "B");
    cluster.crash(2);
    cluster.pass(5000);
    expect(cluster.leader()).toBeUndefined(); // 1 and the new 3 are not two of three
    const foreign = cluster.raft(3).status();
    expect(foreign.term).toBe(0);
    expect(foreign.isVoter).toBe(false);
    expect(foreign.ignored.get("not-for-me") ?? 0).toBeGreaterThan(0);
  });

  test("P8: nor do its answers count for the leader", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.partition([1], [2], [3]);
    cluster.propose(1);
    cluster.heal();
    cluster.receive({
      kind: "AppendReply",
      from: { id: 3, directoryId: voter(3, "B").directoryId },
      to: cluster.node(1).key,
      term: 1,
      isAccepted: true,
      matchOffset: offset(3),
      readSequence: 0,
    });
    expect(cluster.raft(1).status().commitOffset).toBe(offset(2));
    expect(cluster.raft(1).status().ignored.get("not-a-member")).toBe(1);
  });

  test("P9: two snapshots in short order: the offer always names the newest (etcd 18055)", () => {
    const cluster = withSnapshotNeeded();
    cluster.pass(150);
    expect(cluster.node(3).fetch?.snapshot.offset).toBe(offset(3));
    cluster.propose(1);
    cluster.pass(5);
    cluster.compact(1);
    cluster.pass(150);
    expect(cluster.node(3).fetch?.snapshot.offset).toBe(offset(4));
    cluster.install(3);
    cluster.pass(150);
    expect(cluster.raft(3).status().commitOffset).toBe(offset(4));
  });

  test("P10: an offered snapshot changes nothing until it is reported whole and sound", () => {
    const cluster = withSnapshotNeeded();
    const before = cluster.raft(3).status();
    cluster.pass(150);
    const node = cluster.node(3);
    const snapshot = node.fetch?.snapshot ?? { offset: offset(0), term: 0 };
    node.raft.step(cluster.now, { kind: "snapshot-failed", snapshot });
    expect(node.raft.ready().persist).toBeUndefined();
    const after = node.raft.status();
    expect([after.logStartOffset, after.logEndOffset, after.commitOffset])
      .toEqual([before.logStartOffset, before.logEndOffset, before.commitOffset]);
  });

  test("P11: learners count neither for commits nor for votes nor for reads", () => {
    const cluster = Cluster.of(3);
    cluster.add(5, voters(1, 2, 3));
    cluster.elect(1);
    cluster.pass(200);
    cluster.crash(5);
    cluster.raft(1).changeVoters(cluster.now, { add: voter(5) });
    cluster.pump(cluster.node(1));
    cluster.pass(10);
    cluster.raft(1).transferLeadership(cluster.now, voter(2)); // whose leader leaves 5 a learner
    cluster.pump(cluster.node(1));
    cluster.restart(5);
    cluster.pass(500);
    expect(cluster.raft(2).status().role).toBe("leader");
    expect(cluster.raft(2).status().configuration.learners).toHaveLength(1);
    expect(cluster.raft(5).status().logEndOffset).toBe(cluster.raft(2).status().logEndOffset);
    cluster.partition([2, 5], [1, 3]);
    cluster.propose(2);
    cluster.read(2, 1);
    cluster.deliverAll();
    const { commitOffset, logEndOffset } = cluster.raft(2).status();
    expect(cluster.raft(5).status().logEndOffset).toBe(logEndOffset);
    expect(commitOffset).toBeLessThan(logEndOffset);
    expect(cluster.node(2).reads).toEqual([]);
    cluster.crash(1);
    cluster.heal();
    cluster.partition([2], [3, 5]); // 3 and 5 elect nobody
    cluster.pass(5000);
    expect(cluster.leader()).toBeUndefined();
    expect(cluster.raft(5).status().role).toBe("follower");
  });

  test("P12: votes and acknowledgements that come twice count once", () => {
    const cluster = Cluster.of(5);
    cluster.expire(1);
    cluster.deliverAll(of("PreVoteRequest"));
    cluster.deliverAll(of("PreVoteReply"));
    cluster.deliverAll(of("VoteRequest", 2));
    const vote = cluster.messages.find(of("VoteReply")) as Message;
    for (let count = 0; count < 5; count++) cluster.receive(vote);
    expect(cluster.raft(1).status().role).toBe("candidate");
    cluster.deliverAll();
    cluster.propose(1);
    cluster.deliverAll(of("AppendRequest", 2));
    const reply = cluster.messages.find(of("AppendReply")) as Message;
    for (let count = 0; count < 5; count++) cluster.receive(reply);
    expect(cluster.raft(1).status().commitOffset).toBe(offset(2));
  });

  test("P12: votes of an earlier campaign do not elect a later one", () => {
    const cluster = Cluster.of(3);
    cluster.expire(1);
    cluster.deliverAll(of("PreVoteRequest"));
    cluster.deliverAll(of("PreVoteReply"));
    cluster.deliverAll(of("VoteRequest"));
    const late = cluster.messages.filter(of("VoteReply"));
    cluster.drop();
    cluster.expire(1);
    cluster.deliverAll(of("PreVoteRequest"));
    cluster.deliverAll(of("PreVoteReply"));
    expect(cluster.raft(1).status().term).toBe(2);
    for (const message of late) cluster.receive(message);
    expect(cluster.raft(1).status().role).toBe("candidate");
    expect(cluster.raft(1).status().ignored.get("old-term")).toBe(2);
  });

  test("P13: a process that was stopped reads its mail before it campaigns", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.pass(300);
    const stopped = cluster.node(3);
    stopped.isUp = false; // messages to it are lost; its timer does not run
    cluster.pass(5000);
    stopped.isUp = true;
    cluster.tick(3); // the timer first, as it happens
    expect(cluster.raft(3).status().role).toBe("follower");
    cluster.pass(1000);
    expect(cluster.raft(3).status().leader?.id).toBe(1);
    expect(cluster.raft(1).status().term).toBe(1);
  });

  test("P14: a leader with a hanging disk stalls nobody, and hands over", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.pass(200);
    cluster.holdDisk(1);
    cluster.propose(1);
    cluster.pass(300);
    expect(cluster.raft(2).status().commitOffset).toBe(offset(3)); // the others go on
    expect(cluster.raft(1).status().appliedOffset).toBe(offset(2)); // 1 applies what it has
    cluster.pass(2500);
    const leader = cluster.leader()?.key.id ?? 0;
    expect(leader === 2 || leader === 3).toBe(true);
    cluster.pass(5000);
    expect(cluster.leader()?.key.id).toBe(leader); // 1 does not come back while it hangs
  });

  test("P14: a follower with a hanging disk is no dead follower", () => {
    const cluster = Cluster.of(2);
    cluster.elect(1);
    cluster.pass(200);
    cluster.holdDisk(2);
    cluster.propose(1);
    cluster.pass(3000);
    expect(cluster.raft(1).status().role).toBe("leader");
    expect(cluster.raft(1).status().commitOffset).toBe(offset(2));
    cluster.releaseDisk(2);
    cluster.pass(10);
    expect(cluster.raft(1).status().commitOffset).toBe(offset(3));
  });

  test("P15: what a full disk never writes is never acknowledged, and is not led for long", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.pass(200);
    for (const id of [1, 2, 3]) cluster.holdDisk(id);
    cluster.propose(1);
    cluster.pass(2500);
    expect(cluster.raft(1).status().commitOffset).toBe(offset(2));
    expect(cluster.propose(1)).toBe("not-leader");
  });

  test("P16: entries that were cut off and appended again are not durable by the old write", () => {
    const cluster = Cluster.of(5);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.holdDisk(2);
    cluster.partition([1, 2], [3, 4, 5]);
    cluster.propose(1);
    cluster.deliverAll();
    cluster.partition([1], [2, 3, 4, 5]);
    cluster.elect(3);
    cluster.pass(110);
    expect(cluster.raft(2).status().logEndOffset).toBe(offset(3));
    cluster.sync(2, 1);
    expect(cluster.raft(2).status().durableOffset).toBe(offset(2));
    const known = cluster.raft(3).status().replicas[1]?.matchOffset ?? 0;
    expect(known).toBeLessThanOrEqual(2);
  });
});
