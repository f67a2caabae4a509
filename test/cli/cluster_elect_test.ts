/** `mq cluster elect`: whom it asks for, what it tells, what it asks first. */
import { describe, expect, test } from "bun:test";
import { clusterWith, run } from "./run_program.ts";

/** One that brings no hint of its own. */
function plainError(code: string): Error {
  return Object.assign(new Error(`Cannot: ${code}`), { code });
}

describe("mq cluster elect", () => {
  test("gives all partitions back, and tells of those that had to be", async () => {
    const cluster = clusterWith({ a: [] });
    const none = await run("cluster elect", cluster);
    expect([none.code, none.talk]).toEqual([0, "no partition needs an election\n"]);
    expect(JSON.parse((await run("cluster elect --json", cluster)).output)).toEqual({
      results: [],
    });
    cluster.quorum.elected = [
      { name: "a", partition: 0 },
      { name: "b", partition: 2, error: plainError("PREFERRED_LEADER_NOT_AVAILABLE") },
    ];
    const { code, talk } = await run("cluster elect", cluster);
    expect(code).toBe(1);
    expect(talk).toContain("elected a leader of a-0\n");
    expect(talk).toContain("hint: Its first replica is not alive, or not in sync");
    expect((await run("cluster elect -f name", cluster)).output).toBe("a-0\n");
    expect(cluster.quorum.asked[0]).toEqual({ elect: null, type: "preferred" });
  });

  test("asks for the partitions of the topics that are named", async () => {
    const cluster = clusterWith({ a: [] });
    const partition = { leaderEpoch: 1, offlineReplicas: [], partition: 0 };
    cluster.partitionsOf.set("a", [{ ...partition, leaderId: 1, replicas: [1], isr: [1] }]);
    cluster.quorum.elected = [
      { name: "a", partition: 0, error: plainError("ELECTION_NOT_NEEDED") },
    ];
    const { code, talk } = await run("cluster elect a", cluster);
    expect([code, talk]).toEqual([0, "no partition needs an election\n"]);
    expect(cluster.quorum.asked).toEqual([
      { elect: [{ name: "a", partitions: [0] }], type: "preferred" },
    ]);
    const { results } = JSON.parse((await run("cluster elect a nothing --json", cluster)).output);
    expect(results[0].error.code).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    expect(results[1]).toEqual({ name: "a-0", topic: "a", partition: 0, elected: false });
    expect((await run("cluster elect nothing", cluster)).code).toBe(3);
  });

  test("asks before records may be lost", async () => {
    const cluster = clusterWith({ a: [] });
    expect((await run("cluster elect --unclean", cluster)).code).toBe(2);
    expect(cluster.quorum.asked).toEqual([]);
    expect((await run("cluster elect --unclean --yes", cluster)).code).toBe(0);
    expect(cluster.quorum.asked).toEqual([{ elect: null, type: "unclean" }]);
    cluster.quorum.refusal = plainError("NOT_CONTROLLER");
    const refused = await run("cluster elect", cluster);
    expect(refused.code).toBe(1);
    expect(refused.talk).toContain("hint: There is no active controller at this moment");
  });
});
