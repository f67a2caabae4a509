/** `mq check group`, `mq wait group`: what they answer, and when. */
import { describe, expect, test } from "bun:test";
import { cluster, json, MEMBER, mq } from "./group_samples.ts";

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
      unknown: null,
    });
  });
});

describe("mq wait group", () => {
  test("returns when the group is in the state, and has caught up", async () => {
    const made = cluster();
    const group = made.groups.get("g") as object;
    let looks = 0;
    Object.assign(group, { members: [MEMBER] });
    Object.defineProperty(group, "state", { get: () => ++looks > 3 ? "Stable" : "Empty" });
    expect((await mq("wait group g --state stable", made)).code).toBe(0);
    expect(looks).toBeGreaterThan(3);
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
