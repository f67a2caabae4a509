/** `mq topic alter --partitions`: what it asks for, what it refuses. */
import { describe, expect, test } from "bun:test";
import { clusterWith, run } from "./run_program.ts";

describe("mq topic alter --partitions", () => {
  test("asks for so many partitions in each topic", async () => {
    const cluster = clusterWith({ a: [], b: [] });
    const { code, talk } = await run("topic alter a b -p 6", cluster);
    expect([code, talk]).toEqual([0, "gave topic a 6 partitions\ngave topic b 6 partitions\n"]);
    await run("topic alter a --partitions 7 --dry-run", cluster);
    expect(cluster.quorum.asked).toEqual([
      { topics: [{ name: "a", partitions: 6 }, { name: "b", partitions: 6 }], validateOnly: false },
      { topics: [{ name: "a", partitions: 7 }], validateOnly: true },
    ]);
  });

  test("gives a remedy, and is not mixed with settings", async () => {
    const cluster = clusterWith({ a: [] });
    cluster.quorum.refusal = Object.assign(new Error("Cannot: 5 there are"), {
      code: "INVALID_PARTITIONS",
    });
    const refused = await run("topic alter a -p 2", cluster);
    expect(refused.code).toBe(2);
    expect(refused.talk).toContain("hint: Partitions are never taken away; mq topic describe a");
    for (const words of ["a -p 0", "a -p x", "a -p 3 --set retention.ms=1"]) {
      expect((await run(`topic alter ${words}`, cluster)).code).toBe(2);
    }
  });
});
