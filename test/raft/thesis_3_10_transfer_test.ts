/**
 * Raft thesis §3.10: handing leadership over.
 */
import { describe, expect, test } from "bun:test";
import { Cluster, voter } from "./cluster.ts";

function transfer(cluster: Cluster, id: number, to?: number): string {
  const key = to === undefined ? undefined : voter(to);
  const answer = cluster.raft(id).transferLeadership(cluster.now, key);
  cluster.pump(cluster.node(id));
  return answer;
}

describe("Raft thesis §3.10: leadership transfer", () => {
  test("without a name the most complete follower is chosen", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.partition([1, 3], [2]);
    cluster.propose(1);
    cluster.deliverAll();
    cluster.heal();
    expect(transfer(cluster, 1)).toBe("started");
    cluster.deliverAll();
    expect(cluster.leader()?.key.id).toBe(3);
  });

  test("it happens although all others hear the leader", () => {
    const cluster = Cluster.of(5);
    cluster.elect(1);
    cluster.pass(300);
    expect(transfer(cluster, 1, 4)).toBe("started");
    cluster.pass(10);
    expect(cluster.leader()?.key.id).toBe(4);
  });

  test("refusals: not the leader, not a voter, nobody there", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    expect(transfer(cluster, 2, 3)).toBe("not-leader");
    expect(transfer(cluster, 1, 9)).toBe("not-a-voter");
    const alone = Cluster.of(1);
    alone.tick(1);
    expect(transfer(alone, 1)).toBe("nobody-to-transfer-to");
  });

  test("a word to campaign that does not come from the leader is not heard", () => {
    const cluster = Cluster.of(3);
    cluster.elect(1);
    cluster.deliverAll();
    cluster.receive({
      kind: "TimeoutNow",
      from: cluster.node(3).key,
      to: cluster.node(2).key,
      term: 1,
    });
    expect(cluster.raft(2).status().role).toBe("follower");
    expect(cluster.raft(2).status().ignored.get("not-asked")).toBe(1);
  });
});
