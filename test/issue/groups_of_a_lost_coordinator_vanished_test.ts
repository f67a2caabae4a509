/**
 * `mq group list` left out the groups of a broker that was away for good and ended with 0; a group of it
 * was "not there".
 */
import { describe, expect, test } from "bun:test";
import { cluster, mq } from "../cli/group_samples.ts";

describe("mq group list", () => {
  test("tells that groups are missing whose coordinator is away", async () => {
    const made = cluster();
    made.topic("__consumer_offsets", [], [], []);
    expect((await mq("group list", made)).code).toBe(0);
    made.leaders.set("__consumer_offsets-1", -1);
    const { code, output, talk } = await mq("group list", made);
    expect(code).toBe(5);
    expect(output).toMatch("g\t");
    expect(talk).toMatch(
      "Groups are missing: 1 of 3 partitions of __consumer_offsets have no leader",
    );
    expect(talk).toMatch("mq cluster status");
    expect((await mq("group list another", made)).talk).toMatch("Groups are missing");
  });
});
