/** `mq group list|describe|lag`: what they show. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo } from "./fake_io.ts";
import { cluster, json, live, mq } from "./group_samples.ts";
import { LogCluster } from "./log_cluster.ts";

describe("mq group list", () => {
  test("lists groups by pattern, state and type", async () => {
    const made = live();
    made.group("other");
    expect((await mq("group list", made)).output).toBe(
      "GROUP\tSTATE\tTYPE\ng\tStable\tclassic\nother\tEmpty\tclassic\n",
    );
    expect((await mq("groups o* -f name", made)).output).toBe("other\n");
    expect((await mq("group list --state stable -f name", made)).output).toBe("g\n");
    expect((await mq("group list --type consumer -f name", made)).output).toBe("");
    expect((await mq("group list nosuch*", made)).code).toBe(0);
    const missing = await mq("group list othre", made);
    expect([missing.code, missing.talk.includes("Did you mean 'other'?")]).toEqual([3, true]);
    const wrong = await mq("group list --state stabel", made);
    expect(wrong.code).toBe(2);
    expect(wrong.talk).toMatch("Did you mean 'stable'?");
  });
});

describe("mq group describe", () => {
  test("shows state, lag and members, and marks what is stuck with since when", async () => {
    const made = live();
    made.lagFacts.set("t-0", { isStuck: true, advancedAtMs: 1000, memberId: "m-1" });
    const { output } = await mq("group describe g", made);
    expect(output).toMatch("state\tStable");
    expect(output).toMatch("lag\t6");
    expect(output).toMatch("t\t0\t4\t10\t6\t12.3\tm-1\tSTUCK since 1970-01-01T00:00:01.000Z\n");
    expect(output).toMatch("t\t1\t4\t4\t0\t0\t-\t-\n");
    expect(output).toMatch("m-1\tmq\t/127.0.0.1\t-\t3\tt:0-1,3\n");
    const document = await json("group describe g", made) as Record<string, unknown>;
    const { groupId, lag, stuckPartitions, partitions, history } = document;
    expect([groupId, lag, stuckPartitions, history]).toEqual(["g", 6, 1, null]);
    expect((partitions as Record<string, unknown>[]).map(({ stuckSince }) => stuckSince)).toEqual([
      "1970-01-01T00:00:01.000Z",
      null,
    ]);
  });

  test("shows past rebalances, and says where nobody keeps them", async () => {
    const made = live();
    expect((await mq("group describe g --section history", made)).code).toBe(1);
    (made.groups.get("g") as { history: readonly object[] }).history = [
      { atMs: 5, generation: 3, memberCount: 2, durationMs: 40, reason: "member m-2 joined" },
      { atMs: 1, generation: 2, memberCount: 1, durationMs: -1, reason: "x" },
    ];
    expect((await mq("group describe g --section history", made)).output).toBe(
      "TIME\tGENERATION\tMEMBERS\tSTOOD-STILL\tREASON\n" +
        "1970-01-01T00:00:00.005Z\t3\t2\t40 ms\tmember m-2 joined\n" +
        "1970-01-01T00:00:00.001Z\t2\t1\tgoing on\tx\n",
    );
  });

  test("a group that is not there is 3, with the one that was meant", async () => {
    const made = new LogCluster();
    made.group("workers");
    const { code, talk } = await mq("group describe wrokers", made);
    expect(code).toBe(3);
    expect(talk).toMatch("There is no group wrokers. Did you mean 'workers'?");
    const several = await mq("group describe workers nosuch", made);
    expect(several.code).toBe(3);
    expect(several.output).toMatch("state\tEmpty");
  });
});

describe("mq group lag", () => {
  test("in records and seconds, by partition, group, and in total", async () => {
    const made = cluster();
    expect((await mq("group lag g --total", made)).output).toBe("6\n");
    expect((await mq("group lag g --total --seconds", made)).output).toBe("12.3\n");
    expect((await mq("group lag g --no-header", made)).output).toBe(
      "t\t0\t4\t10\t6\t12.3\t-\t-\nt\t1\t4\t4\t0\t0\t-\t-\n",
    );
    expect((await mq("group lag", made)).output).toBe(
      "GROUP\tSTATE\tLAG\tSECONDS\tSTUCK\ng\tEmpty\t6\t12.3\t0\n",
    );
    const document = await json("group lag g --total", made);
    expect(document).toEqual({
      groupId: "g",
      state: "Empty",
      lag: 6,
      lagSeconds: 12.34,
      stuckPartitions: 0,
      uncommittedPartitions: 0,
      failedPartitions: 0,
    });
    expect((await mq("group lag nosuch", made)).code).toBe(3);
  });

  test("--watch looks again until a signal, an object a line in JSON", async () => {
    const made = cluster();
    const io = new FakeIo({ args: "group lag g --total --watch --json".split(" ") });
    const ran = runProgram(io, () => made.library());
    const looks = async (count: number): Promise<void> => {
      while (io.output.split("\n").length <= count) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await looks(1);
    io.elapse();
    await looks(2);
    io.signal("SIGINT");
    expect(await ran).toBe(130);
    for (const line of io.output.trim().split("\n")) expect(JSON.parse(line).lag).toBe(6);
  });
});
