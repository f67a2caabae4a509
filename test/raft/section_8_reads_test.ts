/**
 * Raft §8 and thesis §6.4: linearizable reads without leases.
 */
import { describe, expect, test } from "bun:test";
import { Cluster, offset } from "./cluster.ts";

describe("Raft §8: reads", () => {
  test("all reads of one turn share a round of heartbeats", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    const node = cluster.node(1);
    for (let token = 1; token <= 100; token++) node.raft.read(cluster.now, token);
    cluster.pump(node);
    expect(cluster.messages).toHaveLength(2);
    cluster.deliverAll();
    expect(node.reads).toHaveLength(100);
    expect(node.reads.every((read) => read.offset === offset(2))).toBe(true);
  });

  test("a voter alone confirms itself", () => {
    const cluster = Cluster.of(1);
    cluster.tick(1);
    cluster.read(1, 5);
    expect(cluster.node(1).reads).toEqual([{ token: 5, offset: offset(2) }]);
  });

  test("an answer to an older heartbeat confirms nothing", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.read(1, 1);
    cluster.deliverAll((message) => message.to.id === 2); // 2 confirms round 1
    const late = cluster.messages.filter((message) => message.from.id === 2);
    cluster.drop();
    cluster.read(1, 2);
    cluster.drop();
    for (const message of late) cluster.receive(message);
    expect(cluster.node(1).reads.map((read) => read.token)).toEqual([1]);
  });

  test("a read is refused where nobody leads, and when leadership ends before it is confirmed", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.read(2, 1);
    expect(cluster.node(2).reads).toEqual([{ token: 1, offset: undefined }]);
    cluster.partition([1], [2, 3]);
    cluster.read(1, 2);
    cluster.pass(1000);
    expect(cluster.node(1).reads).toEqual([{ token: 2, offset: undefined }]);
  });

  test("while both sets rule, a majority of each confirms", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.raft(1).changeVoters(cluster.now, { remove: cluster.node(3).key });
    cluster.pump(cluster.node(1));
    cluster.partition([1, 3], [2]); // a majority of 1, 2, 3; not of 1, 2
    cluster.read(1, 1);
    cluster.deliverAll();
    expect(cluster.node(1).reads).toEqual([]);
    cluster.heal();
    cluster.pass(110);
    expect(cluster.node(1).reads).toHaveLength(1);
  });
});
