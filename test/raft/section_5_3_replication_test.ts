/**
 * Raft §5.3: copying the log.
 */
import { describe, expect, test } from "bun:test";
import type { AppendRequest, Message } from "../../src/raft/message.ts";
import { Cluster, offset } from "./cluster.ts";

function requests(cluster: Cluster, to: number): readonly AppendRequest[] {
  return cluster.messages.filter((message): message is AppendRequest =>
    message.kind === "AppendRequest" && message.to.id === to
  );
}

describe("Raft §5.3: log replication", () => {
  test("proposals made in one turn are one request", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    const { raft, disk } = cluster.node(1);
    for (const name of ["a", "b", "c"]) {
      const proposed = raft.propose(cluster.now, { recordCount: 2, byteLength: 10 });
      if (typeof proposed === "string") throw new Error(proposed);
      disk.proposals.set(`${proposed.baseOffset}/${proposed.term}`, name);
    }
    cluster.pump(cluster.node(1));
    expect(requests(cluster, 2).map((request) => request.entries.length)).toEqual([3]);
    cluster.deliverAll();
    expect(cluster.raft(2).status().commitOffset).toBe(offset(8));
  });

  test("requests follow each other without waiting, up to the limit", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    for (let count = 0; count < 20; count++) cluster.propose(1);
    expect(requests(cluster, 2)).toHaveLength(4);
    cluster.deliverAll();
    expect(cluster.raft(2).status().commitOffset).toBe(cluster.raft(1).status().logEndOffset);
  });

  test("a follower far behind is sent bounded requests", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.partition([1, 2], [3]);
    for (let count = 0; count < 60; count++) {
      cluster.propose(1);
      cluster.deliverAll();
    }
    cluster.heal();
    let largest = 0;
    cluster.onEvent = () => {
      for (const request of requests(cluster, 3)) {
        largest = Math.max(largest, request.entries.length);
      }
    };
    cluster.pass(500);
    expect(largest).toBe(10); // of 100 bytes each, at most 1000
    expect(cluster.raft(3).status().commitOffset).toBe(cluster.raft(1).status().commitOffset);
  });

  test("a late request cuts off nothing that came after it", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose(1);
    const late = requests(cluster, 2)[0] as Message;
    cluster.propose(1);
    cluster.deliverAll((message) => message.to.id === 2);
    expect(cluster.raft(2).status().logEndOffset).toBe(offset(4));
    cluster.receive(late);
    expect(cluster.raft(2).status().logEndOffset).toBe(offset(4));
  });

  test("a lost request is noticed by the next heartbeat and sent again", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose(1);
    cluster.drop();
    cluster.pass(110);
    expect(cluster.raft(2).status().logEndOffset).toBe(offset(3));
  });

  test("unreachable starts the pipeline again from what is known to match", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.propose(1);
    cluster.drop();
    const node = cluster.node(1);
    node.raft.step(cluster.now, { kind: "unreachable", to: cluster.node(2).key });
    cluster.pump(node);
    expect(cluster.messages).toEqual([]); // not before the next heartbeat
    cluster.pass(110);
    expect(cluster.raft(2).status().logEndOffset).toBe(offset(3));
  });

  test("a run of several terms is stepped over in one refusal each, not one per entry", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.partition([1], [2, 3]);
    for (let count = 0; count < 200; count++) cluster.propose(1);
    cluster.elect(2);
    cluster.deliverAll();
    for (let count = 0; count < 200; count++) {
      cluster.propose(2);
      cluster.deliverAll();
    }
    cluster.heal();
    let refusals = 0;
    cluster.onEvent = (line) => {
      if (line.includes("1->2 AppendReply") && line.includes("refused")) refusals++;
    };
    cluster.pass(300);
    expect(refusals).toBeLessThanOrEqual(2);
    expect(cluster.raft(1).status().commitOffset).toBe(cluster.raft(2).status().commitOffset);
  });

  test("the bytes of entries that were replaced before they were written are not kept", () => {
    const cluster = Cluster.of(5);
    cluster.elect(1);
    cluster.deliverAll();
    // Both leaders' requests arrive before a Ready is taken.
    cluster.partition([1, 2], [3, 4, 5]);
    cluster.propose(1);
    const ofOne = requests(cluster, 2)[0] as Message;
    cluster.drop();
    cluster.heal();
    cluster.partition([1], [2], [3, 4, 5]);
    cluster.elect(3);
    cluster.propose(3);
    cluster.deliverAll();
    const node3 = cluster.node(3);
    const records = node3.disk.read(2, 4);
    const follower = cluster.node(2);
    follower.raft.step(cluster.now, { kind: "message", message: ofOne });
    follower.raft.step(cluster.now, {
      kind: "message",
      message: {
        kind: "AppendRequest",
        from: node3.key,
        to: follower.key,
        term: node3.raft.status().term,
        prevOffset: offset(2),
        prevTerm: 1,
        entries: node3.raft.entries().slice(2),
        records,
        commitOffset: offset(4),
        readSequence: 0,
      },
    });
    cluster.pump(follower);
    expect(follower.disk.durable.batches.map((batch) => batch.line))
      .toEqual(node3.disk.durable.batches.map((batch) => batch.line));
  });

  test("a follower whose disk is behind is not asked again and again", () => {
    const cluster = Cluster.of(3, { raft: { inflightMax: 1 } });
    cluster.elect(1);
    cluster.deliverAll();
    cluster.holdDisk(3);
    for (let count = 0; count < 5; count++) cluster.propose(1);
    cluster.expire(1);
    let messages = 0;
    cluster.onEvent = () => messages++;
    cluster.deliverAll();
    expect(messages).toBeLessThan(60);
    cluster.releaseDisk(3);
    cluster.deliverAll();
    expect(cluster.raft(3).status().commitOffset).toBe(cluster.raft(1).status().commitOffset);
  });

  test("an idle turn hands out the same empty lists", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    const { raft } = cluster.node(2);
    const one = raft.ready();
    const other = raft.ready();
    expect(one.sendNow === other.sendNow && one.reads === other.reads).toBe(true);
    expect(one.persist).toBeUndefined();
    expect(one.softState).toBeUndefined();
  });

  test("a heartbeat costs a follower no write", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    const before = cluster.node(2).lastPersistNumber;
    cluster.pass(2000);
    expect(cluster.node(2).lastPersistNumber).toBe(before);
    expect(cluster.raft(1).status().term).toBe(1);
  });
});
