/**
 * Raft §5.4: which logs may lead, and what may be committed. Figure 8 is a scenario script.
 */
import { describe, expect, test } from "bun:test";
import { Cluster, offset } from "./cluster.ts";

describe("Raft §5.4: safety", () => {
  test("§5.4.1: a candidate with an older last term gets no vote, however long its log", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.partition([1], [2, 3]);
    for (let count = 0; count < 10; count++) cluster.propose(1);
    cluster.elect(2);
    cluster.propose(2);
    cluster.deliverAll();
    cluster.crash(2);
    cluster.heal();
    cluster.pass(5000);
    expect(cluster.leader()?.key.id).toBe(3);
    expect(cluster.raft(1).status().logEndOffset).toBe(cluster.raft(3).status().logEndOffset);
  });

  test("§5.4.1: of equal last terms the longer log wins", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.partition([1, 2], [3]);
    cluster.propose(1);
    cluster.deliverAll();
    cluster.crash(1);
    cluster.heal();
    cluster.expire(3);
    cluster.deliverAll();
    expect(cluster.raft(3).status().role === "leader").toBe(false);
    cluster.pass(3000);
    expect(cluster.leader()?.key.id).toBe(2);
  });

  test("§5.4.2: a leader that was elected again commits nothing before an entry of its term", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.propose(1);
    cluster.deliverAll((message) => message.to.id !== 1); // on all three, and 1 does not know
    cluster.drop();
    cluster.crash(1);
    cluster.restart(1);
    cluster.expire(1);
    cluster.deliverAll((message) => message.kind !== "AppendRequest");
    expect(cluster.raft(1).status().role).toBe("leader");
    expect(cluster.raft(1).status().commitOffset).toBe(offset(0));
    cluster.deliverAll();
    expect(cluster.raft(1).status().commitOffset).toBe(offset(4));
  });

  test("a leader counts itself only up to what is durable (RaftFsync)", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.partition([1, 2], [3]);
    cluster.holdDisk(1);
    cluster.holdDisk(2);
    cluster.propose(1);
    cluster.deliverAll();
    expect(cluster.raft(1).status().commitOffset).toBe(offset(2));
    cluster.sync(2);
    cluster.deliverAll();
    expect(cluster.raft(1).status().commitOffset).toBe(offset(2)); // 2 has it, 1 not for good
    cluster.sync(1);
    expect(cluster.raft(1).status().commitOffset).toBe(offset(3));
  });

  test("no request, from whatever leader, cuts off what is committed", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose(1);
    cluster.deliverAll();
    const before = cluster.node(2).disk.durable.batches;
    for (const prevOffset of [0, 1, 2]) {
      cluster.receive({
        kind: "AppendRequest",
        from: cluster.node(3).key,
        to: cluster.node(2).key,
        term: 5,
        prevOffset: offset(prevOffset),
        prevTerm: prevOffset === 0 ? 0 : 1,
        entries: [{
          baseOffset: offset(prevOffset),
          nextOffset: offset(prevOffset + 5),
          term: 5,
          byteLength: 1,
        }],
        records: new Uint8Array(),
        commitOffset: offset(9),
        readSequence: 0,
      });
    }
    expect(cluster.node(2).disk.durable.batches).toEqual(before);
    expect(cluster.raft(2).status().commitOffset).toBe(offset(3));
  });
});
