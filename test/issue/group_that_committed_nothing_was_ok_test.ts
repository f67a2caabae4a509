/**
 * A consumer that hung at its first record, 5,000 behind, was "ok" for `mq check group`, because nothing
 * was committed and so nothing was known of its lag. And one that had nothing to read was waited for.
 */
import { describe, expect, test } from "bun:test";
import { cluster, mq } from "../cli/group_samples.ts";
import type { LogCluster } from "../cli/log_cluster.ts";

const NOTHING_COMMITTED = { committed: null, lag: null, lagSeconds: null };

function withFacts(facts: object): LogCluster {
  const made = cluster();
  made.lagFacts.set("t-0", facts);
  return made;
}

describe("a partition of which nothing is known", () => {
  test("is no limit kept: 10, and UNKNOWN for Nagios", async () => {
    const made = withFacts(NOTHING_COMMITTED);
    const { code, output } = await mq("check group g --max-lag 10", made);
    expect([code, output]).toEqual([
      10,
      "no\tgroup g: lag 0, seconds 0, stuck 0, nothing committed yet in 1 partition\n",
    ]);
    const nagios = await mq("check group g --max-lag 10 --format nagios", made);
    expect([nagios.code, nagios.output.startsWith("UNKNOWN - group g")]).toEqual([3, true]);
  });

  test("is told of where its leader does not answer", async () => {
    const error = { code: "LEADER_NOT_AVAILABLE", message: "no leader" };
    const made = withFacts({ ...NOTHING_COMMITTED, start: null, end: null, error });
    const { code, output } = await mq("check group g --max-age 1m", made);
    expect([code, output.includes("no answer about 1 partition")]).toEqual([10, true]);
  });

  test("is at its end where there is nothing to read", async () => {
    const made = withFacts({ ...NOTHING_COMMITTED, start: 3, end: 3 });
    expect((await mq("check group g --max-lag 0", made)).code).toBe(0);
    expect((await mq("wait group g --lag 0", made)).code).toBe(0);
  });
});
