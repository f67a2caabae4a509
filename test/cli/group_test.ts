/**
 * `mq group`, `mq check group`, `mq wait group`: what they show, what they change, what they refuse.
 * Long because every command is here, over one cluster.
 */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo, type FakeIoOptions } from "./fake_io.ts";
import { LogCluster } from "./log_cluster.ts";

interface Ran {
  readonly code: number;
  readonly output: string;
  readonly talk: string;
}

async function mq(
  line: string,
  cluster: LogCluster,
  options: FakeIoOptions = {},
): Promise<Ran> {
  const io = new FakeIo({ isHasty: true, ...options, args: line.split(" ") });
  const code = await runProgram(io, () => cluster.library());
  return { code, output: io.output, talk: io.talk };
}

async function json(line: string, cluster: LogCluster): Promise<unknown> {
  return JSON.parse((await mq(`${line} --json`, cluster)).output);
}

/** Ten records in t-0, four in t-1; group g has read up to 4 and 4. */
function cluster(): LogCluster {
  const made = new LogCluster();
  made.topic("t", "abcdefghij".split(""), "abcd".split(""));
  made.group("g", { "t 0": 4, "t 1": 4 });
  return made;
}

const MEMBER = {
  memberId: "m-1",
  groupInstanceId: null,
  clientId: "mq",
  clientHost: "/127.0.0.1",
  assignment: [{ topic: "t", partitions: [0, 1, 3] }],
};

function live(): LogCluster {
  const made = cluster();
  Object.assign(made.groups.get("g") as object, { state: "Stable", members: [MEMBER] });
  return made;
}

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

describe("mq group seek", () => {
  test("shows the plan, and changes nothing with --dry-run", async () => {
    const made = cluster();
    expect(await json("group seek g --to 2 --dry-run", made)).toEqual({
      groupId: "g",
      dryRun: true,
      changes: [
        { topic: "t", partition: 0, from: 4, to: 2 },
        { topic: "t", partition: 1, from: 4, to: 2 },
      ],
    });
    expect(made.committed("g", "t 0")).toBe(4);
    const asked = await mq("group seek g --to start", made);
    expect(asked.code).toBe(2);
    expect(asked.output).toMatch("t\t0\t4\t0\t-4\n");
    expect(asked.talk).toMatch("Say --yes to go ahead");
    expect(made.committed("g", "t 0")).toBe(4);
  });

  test("goes to a point, in some partitions only, in topics it has never read", async () => {
    const made = cluster();
    expect((await mq("group seek g --to end --yes", made)).code).toBe(0);
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([10, 4]);
    await mq("group seek g --to -3 -p 0 --yes", made);
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([7, 4]);
    const fresh = await mq("group seek fresh --to start --topics t --yes", made);
    expect(fresh.code).toBe(0);
    expect(made.committed("fresh", "t 1")).toBe(0);
    const nowhere = await mq("group seek nosuch --to start --yes", made);
    expect(nowhere.code).toBe(3);
    expect(nowhere.talk).toMatch("--topics NAME");
  });

  test("goes where another group is, and where a file says", async () => {
    const made = cluster();
    made.group("blue", { "t 0": 7 });
    await mq("group seek g --to-group blue --yes", made);
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([7, 4]);
    const files = { "offsets.txt": "# kept\nt\t0\t1\nt 1 2\n" };
    await mq("group seek g --to-file offsets.txt --yes", made, { files });
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([1, 2]);
    const { output } = await mq("group export g", made);
    expect(output).toBe("t\t0\t1\nt\t1\t2\n");
    await mq("group seek copy --to-file - --yes", made, { input: [output] });
    expect([made.committed("copy", "t 0"), made.committed("copy", "t 1")]).toEqual([1, 2]);
  });

  test("refuses offsets that are not there, and moves the others", async () => {
    const made = cluster();
    const { code, talk } = await mq("group seek g --to 9 --yes", made);
    expect(code).toBe(1);
    expect(talk).toMatch("Cannot seek t-1 to 9: it goes from 0 to 4");
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([9, 4]);
    const files = { f: "t 7 1\n", g: "t x 1\n", h: "t 0 1\nt 0 2\n" };
    expect((await mq("group seek g --to-file f --yes", made, { files })).code).toBe(3);
    expect((await mq("group seek g --to-file g --yes", made, { files })).talk).toMatch(
      "line 1 of g",
    );
    expect((await mq("group seek g --to-file h --yes", made, { files })).talk).toMatch("twice");
    expect((await mq("group seek g --to-file nosuch --yes", made, { files })).code).toBe(3);
  });

  test("is refused while members are live; --force takes them out, also where they are quick", async () => {
    const made = live();
    const refused = await mq("group seek g --to start --yes", made);
    expect(refused.code).toBe(1);
    expect(refused.talk).toMatch("Cannot move group g: it has 1 live member");
    expect((await mq("group seek g --to start --dry-run", made)).code).toBe(0);
    let quick = 2;
    const { members } = made.groups.get("g") as { members: unknown[] };
    made.onAlter = (id) => {
      if (quick-- > 0) Object.assign(made.groups.get(id) as object, { members });
    };
    expect((await mq("group seek g --to start --yes --force", made)).code).toBe(0);
    expect(made.removed).toHaveLength(3);
    expect(made.committed("g", "t 0")).toBe(0);
  });

  test("wants to know where to, once", async () => {
    expect((await mq("group seek g --yes", cluster())).talk).toMatch("Missing flag --to");
    const both = await mq("group seek g --to end --to-group x", cluster());
    expect(both.talk).toMatch("Conflicting flags --to and --to-group");
    expect((await mq("group seek g --to 1:2", cluster())).code).toBe(2);
  });
});

describe("mq group delete", () => {
  test("forgets groups, not those with members, and asks before", async () => {
    const made = live();
    made.group("old", { "t 0": 1 });
    expect((await mq("group delete old", made)).code).toBe(2);
    expect((await mq("group delete old --yes", made)).code).toBe(0);
    expect(made.groups.has("old")).toBeFalse();
    const { code, talk } = await mq("group delete g nosuch --yes", made);
    expect(code).toBe(1);
    expect(talk).toMatch("mq group members g tells who they are");
    expect((await mq("group delete nosuch --yes", made)).code).toBe(3);
    expect((await mq("group delete nosuch --yes --if-exists", made)).code).toBe(0);
  });
});

describe("mq group offset-delete", () => {
  test("forgets what was committed of a topic", async () => {
    const made = cluster();
    expect((await mq("group offset-delete g --yes", made)).code).toBe(2);
    await mq("group offset-delete g --topic t -p 0 --dry-run", made);
    expect(made.committed("g", "t 0")).toBe(4);
    expect((await mq("group offset-delete g --topic t -p 0 --yes", made)).code).toBe(0);
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([undefined, 4]);
    expect((await mq("group offset-delete g --topic u --yes", made)).code).toBe(3);
  });
});

describe("mq check group", () => {
  test("says yes or no by its exit code", async () => {
    const made = cluster();
    expect(await mq("check group g --max-lag 6", made)).toEqual({
      code: 0,
      output: "ok\tgroup g: lag 6, seconds 12.3, stuck 0\n",
      talk: "",
    });
    const over = await mq("check group g --max-lag 5 --max-age 1m", made);
    expect([over.code, over.output]).toEqual([
      10,
      "no\tgroup g: lag 6 is over 5, seconds 12.3, stuck 0\n",
    ]);
    expect((await mq("check group g --max-age 10s", made)).code).toBe(10);
    expect((await mq("check group nosuch --max-lag 5", made)).code).toBe(3);
    expect((await mq("check group g", made)).code).toBe(2);
  });

  test("speaks Nagios and Prometheus and JSON", async () => {
    const made = cluster();
    const nagios = await mq("check group g --max-lag 5 --format nagios", made);
    expect([nagios.code, nagios.output]).toEqual([
      2,
      "CRITICAL - group g: lag 6 is over 5, seconds 12.3, stuck 0 | lag=6;;5 seconds=12.3s;; stuck=0;;\n",
    ]);
    expect((await mq("check group g --max-lag 9 --format nagios", made)).code).toBe(0);
    const unknown = await mq("check group nosuch --max-lag 5 --format nagios", made);
    expect([unknown.code, unknown.output.slice(0, 10)]).toEqual([3, "UNKNOWN - "]);
    const { output, code } = await mq("check group g --max-lag 5 --format prometheus", made);
    expect(code).toBe(10);
    expect(output).toMatch('kafka_consumergroup_lag_sum{consumergroup="g"} 6\n');
    expect(output).toMatch('mq_check_ok{consumergroup="g"} 0\n');
    expect(await json("check group g --max-lag 5", made)).toEqual({
      ok: false,
      subject: "group g",
      groupId: "g",
      lag: 6,
      seconds: 12.3,
      stuck: 0,
      over: [{ name: "lag", value: 6, limit: 5 }],
    });
  });
});

describe("mq wait group", () => {
  test("returns when the group is in the state, and has caught up", async () => {
    const made = cluster();
    const soon = setTimeout(() => {
      Object.assign(made.groups.get("g") as object, { state: "Stable", members: [MEMBER] });
    }, 5);
    expect((await mq("wait group g --state stable", made)).code).toBe(0);
    clearTimeout(soon);
    expect((await mq("wait group g --lag 6", made)).code).toBe(0);
    expect((await mq("wait group g", made)).code).toBe(2);
  });

  test("gives up with 5, and says what it saw", async () => {
    const made = cluster();
    for (
      const [line, seen] of [
        ["wait group g --lag 5 --timeout 1s", "is not at a lag of at most 5; its lag is 6"],
        ["wait group nosuch --state stable --timeout 1s", "not at Stable; it is not there"],
      ] as const
    ) {
      const { code, talk } = await mq(line, made);
      expect([code, talk.includes(seen) ? seen : talk]).toEqual([5, seen]);
    }
  });
});
