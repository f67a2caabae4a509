/**
 * Raft §6 and thesis §4: changing the voters.
 */
import { describe, expect, test } from "bun:test";
import type { VoterChange } from "../../src/raft/voter_change.ts";
import { Cluster, offset, voter, voters } from "./cluster.ts";

function change(cluster: Cluster, id: number, what: VoterChange): string {
  const answer = cluster.raft(id).changeVoters(cluster.now, what);
  cluster.pump(cluster.node(id));
  return answer;
}

function three(): Cluster {
  const cluster = Cluster.of(3);
  cluster.add(4, voters(1, 2, 3));
  cluster.elect(1);
  cluster.deliverAll();
  return cluster;
}

function voterIds(cluster: Cluster, id: number): readonly number[] {
  return cluster.raft(id).status().configuration.voters.map((member) => member.id);
}

describe("Raft §6: cluster membership changes", () => {
  test("refusals name their reason and change nothing", () => {
    const cluster = three();
    const end = cluster.raft(1).status().logEndOffset;
    expect(change(cluster, 2, { add: voter(4) })).toBe("not-leader");
    expect(change(cluster, 1, {})).toBe("nothing-to-do");
    expect(change(cluster, 1, { add: voter(2) })).toBe("already-a-voter");
    expect(change(cluster, 1, { add: voter(2, "B") })).toBe("duplicate-id");
    expect(change(cluster, 1, { remove: voter(4) })).toBe("not-a-voter");
    expect(change(cluster, 1, { remove: voter(2, "B") })).toBe("not-a-voter");
    expect(change(cluster, 1, { add: voter(2), remove: voter(2) })).toBe("already-a-voter");
    expect(cluster.raft(1).status().logEndOffset).toBe(end);
    const alone = Cluster.of(1);
    alone.tick(1);
    expect(change(alone, 1, { remove: voter(1) })).toBe("last-voter");
  });

  test("one change at a time", () => {
    const cluster = three();
    expect(change(cluster, 1, { remove: voter(3) })).toBe("started");
    expect(change(cluster, 1, { add: voter(4) })).toBe("change-in-progress");
    cluster.deliverAll();
    expect(change(cluster, 1, { add: voter(4) })).toBe("started");
  });

  test("a learner that does not answer is given up, and taken out again", () => {
    const cluster = three();
    cluster.crash(4);
    expect(change(cluster, 1, { add: voter(4) })).toBe("started");
    cluster.pass(1000);
    expect(cluster.raft(1).status().change?.phase).toBe("catch-up");
    cluster.pass(25_000);
    const { configuration, change: left } = cluster.raft(1).status();
    expect(left).toBeUndefined();
    expect(configuration.learners).toEqual([]);
    expect(voterIds(cluster, 1)).toEqual([1, 2, 3]);
  });

  test("a dead voter is replaced in one change", () => {
    const cluster = three();
    cluster.crash(3);
    expect(change(cluster, 1, { add: voter(4), remove: voter(3) })).toBe("started");
    cluster.pass(500);
    expect(voterIds(cluster, 2)).toEqual([1, 2, 4]);
    expect(cluster.raft(1).status().configuration.outgoing).toBeUndefined();
    expect(cluster.raft(1).status().change).toBeUndefined();
  });

  test("a voter gets another address without an election", () => {
    const cluster = three();
    expect(change(cluster, 1, { add: { ...voter(2), host: "elsewhere", port: 1 } })).toBe(
      "started",
    );
    cluster.deliverAll();
    expect(cluster.raft(3).status().configuration.voters[1]?.host).toBe("elsewhere");
    expect(cluster.raft(1).status().term).toBe(1);
    expect(cluster.raft(1).status().change).toBeUndefined();
  });

  test("a learner that stayed behind is added at another address", () => {
    const cluster = three();
    cluster.crash(4);
    change(cluster, 1, { add: { ...voter(4), port: 1 } });
    cluster.pass(10);
    cluster.raft(1).transferLeadership(cluster.now, voter(2));
    cluster.pump(cluster.node(1));
    cluster.pass(10);
    expect(cluster.raft(2).status().configuration.learners[0]?.port).toBe(1);
    cluster.restart(4);
    expect(change(cluster, 2, { add: voter(4) })).toBe("started");
    cluster.pass(500);
    expect(cluster.raft(2).status().configuration.learners).toEqual([]);
    expect(cluster.raft(2).status().configuration.voters[3]?.port).toBe(voter(4).port);
  });

  test("a read that waits for a dead voter is answered when that voter is removed", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.pass(200);
    cluster.raft(1).changeVoters(cluster.now, { remove: voter(3) });
    cluster.pump(cluster.node(1));
    cluster.pass(200);
    // 1 and 2: while 2 still answers appends, its confirmations of reads are lost.
    cluster.raft(1).changeVoters(cluster.now, { remove: voter(2) });
    cluster.pump(cluster.node(1));
    cluster.read(1, 7);
    cluster.drop((message) => message.kind === "AppendRequest" && message.readSequence > 0);
    for (let round = 0; round < 20; round++) {
      cluster.messages = cluster.messages.map((message) =>
        message.kind === "AppendReply" ? { ...message, readSequence: 0 } : message
      );
      if (!cluster.deliver()) break;
    }
    expect(cluster.raft(1).status().configuration.voters).toHaveLength(1);
    expect(cluster.node(1).reads).toHaveLength(1);
  });

  test("a configuration is in force when it is appended, before it is committed", () => {
    const cluster = three();
    cluster.partition([1], [2, 3, 4]);
    change(cluster, 1, { remove: voter(3) });
    const status = cluster.raft(1).status();
    expect(status.isConfigurationCommitted).toBe(false);
    expect(status.configuration.outgoing?.length).toBe(3);
  });

  test("status() tells the leader's view of every replica", () => {
    const cluster = three();
    change(cluster, 1, { add: voter(4) });
    const before = cluster.raft(1).status().replicas;
    expect(before.map(({ key, isVoter }) => [key.id, isVoter]))
      .toEqual([[1, true], [2, true], [3, true], [4, false]]);
    cluster.deliverAll();
    const after = cluster.raft(1).status().replicas;
    expect(after.every(({ isVoter, matchOffset }) => isVoter && matchOffset === offset(5))).toBe(
      true,
    );
    expect(after[3]?.lastCaughtUpMs).toBe(cluster.now);
    expect(cluster.raft(2).status().replicas).toEqual([]);
  });

  test("a removed leader goes on until its removal is committed, and proposes nothing after", () => {
    const cluster = three();
    change(cluster, 1, { remove: voter(1) });
    expect(cluster.raft(1).status().role).toBe("leader");
    cluster.deliverAll();
    expect(cluster.propose(1)).toBe("not-leader");
    expect(cluster.leader()?.key.id === 1).toBe(false);
    cluster.pass(5000);
    expect(cluster.raft(1).status().role).toBe("follower"); // and never campaigns
    expect(typeof cluster.propose(cluster.leader()?.key.id ?? 0)).toBe("object");
  });

  test("a removed leader that is needed campaigns after a restart too (thesis §4.2.2)", () => {
    const cluster = new Cluster();
    for (const id of [1, 2, 3]) cluster.add(id, voters(1));
    cluster.tick(1);
    change(cluster, 1, { add: voter(2), remove: voter(1) });
    cluster.pass(5000);
    expect(cluster.leader()?.key.id).toBe(2);
    // 1. Leader 2 gives way to 3: the joint state is committed on both; 2. it appends the final one
    // and is cut off.
    change(cluster, 2, { add: voter(3), remove: voter(2) });
    while (cluster.raft(2).status().change?.phase !== "final") {
      if (!cluster.deliver()) cluster.pass(10);
    }
    cluster.drop();
    cluster.crash(2);
    // 3. It comes back with the longest log, and knows of no commit: not even that it ever was a voter.
    cluster.restart(2);
    expect(cluster.raft(2).status().commitOffset).toBe(offset(0));
    expect(cluster.raft(2).status().isVoter).toBe(false);
    cluster.pass(5000);
    expect(cluster.leader()?.key.id).toBe(3);
    expect(cluster.raft(3).status().isConfigurationCommitted).toBe(true);
    expect(typeof cluster.propose(3)).toBe("object");
  });

  test("a cluster grows from one to five and shrinks to one again, serving all the while", () => {
    const cluster = new Cluster();
    for (let id = 1; id <= 5; id++) cluster.add(id, voters(1));
    cluster.tick(1);
    for (let id = 2; id <= 5; id++) {
      expect(change(cluster, 1, { add: voter(id) })).toBe("started");
      cluster.pass(20);
      expect(typeof cluster.propose(1)).toBe("object");
      cluster.pass(20);
    }
    expect(voterIds(cluster, 5)).toEqual([1, 2, 3, 4, 5]);
    for (let id = 1; id <= 4; id++) {
      const leader = cluster.leader()?.key.id ?? 0;
      expect(change(cluster, leader, { remove: voter(id) })).toBe("started");
      cluster.pass(1000);
    }
    expect(cluster.leader()?.key.id).toBe(5);
    expect(voterIds(cluster, 5)).toEqual([5]);
    expect(typeof cluster.propose(5)).toBe("object");
    expect(cluster.raft(5).status().commitOffset).toBe(cluster.raft(5).status().logEndOffset);
  });
});
