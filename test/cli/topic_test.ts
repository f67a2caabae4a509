/** `mq topic …`: lists in all forms, outcomes of several targets, confirmations. */
import { describe, expect, test } from "bun:test";
import { clusterWith, run } from "./run_program.ts";

describe("mq topic", () => {
  test("list has one form for each format", async () => {
    const cluster = clusterWith({ "a.v1": [], "b": [], "__in": [] });
    expect((await run("topic list -f name", cluster)).output).toBe("a.v1\nb\n");
    expect((await run("topic list a.* -f name", cluster)).output).toBe("a.v1\n");
    expect((await run("topic list nosuch*", cluster)).code).toBe(0);
    expect((await run("topic list nosuch", cluster)).code).toBe(3);
    expect((await run("topics --no-header", cluster)).output).toBe("a.v1\t1\t1\nb\t1\t1\n");
    expect((await run("topic list", cluster)).output).toMatch(/^NAME\tPARTITIONS\tREPLICAS\n/);
    const items = JSON.parse((await run("topic list --json", cluster)).output);
    expect(items.map(({ name }: { name: string }) => name)).toEqual(["a.v1", "b"]);
    const environment = { MQ_FORMAT: "name" };
    expect((await run("topic list --internal", cluster, { environment })).output)
      .toBe("__in\na.v1\nb\n");
  });

  test("list writes no colour into a pipe, not even with CI", async () => {
    const cluster = clusterWith({ a: [] });
    const esc = "\u001b";
    const environment = { CI: "true" };
    expect((await run("topic list", cluster, { environment })).output).not.toContain(esc);
    const forced = await run("topic list --color always", cluster, { terminals: ["stdout"] });
    expect(forced.output).toContain(esc);
  });

  test("create is content with --if-not-exists, and creates nothing with --dry-run", async () => {
    const cluster = clusterWith({ a: [] });
    expect((await run("topic create a --if-not-exists", cluster)).code).toBe(0);
    expect((await run("topic create b --dry-run", cluster)).code).toBe(0);
    expect(cluster.topics.has("b")).toBeFalse();
    const { output, code } = await run("topic create a b --json", cluster);
    const { results } = JSON.parse(output);
    expect(code).toBe(1);
    expect(results[0].error.code).toBe("TOPIC_ALREADY_EXISTS");
    expect(results[1]).toEqual({ name: "b", created: true });
  });

  test("delete never asks where nobody can answer, and then changes nothing", async () => {
    const cluster = clusterWith({ a: [] });
    const all = ["stdin", "stdout", "stderr"] as const;
    const { code, talk } = await run("topic delete a", cluster);
    expect(code).toBe(2);
    expect(talk).toContain("--yes");
    expect((await run("topic delete a --no-input", cluster, { terminals: all })).code).toBe(2);
    const environment = { MQ_NO_INPUT: "1" };
    expect((await run("topic delete a", cluster, { terminals: all, environment })).code).toBe(2);
    expect((await run("topic delete a", cluster, { terminals: all, input: ["n\n"] })).code).toBe(1);
    expect((await run("topic delete a --dry-run", cluster)).code).toBe(0);
    expect(cluster.topics.has("a")).toBeTrue();
    expect((await run("topic delete a", cluster, { terminals: all, input: ["y\n"] })).code).toBe(0);
    expect(cluster.topics.has("a")).toBeFalse();
    expect((await run("topic delete a --yes --if-exists", cluster)).code).toBe(0);
  });

  test("describe shows settings, and errors as JSON", async () => {
    const cluster = clusterWith({ a: [] });
    const described = JSON.parse((await run("topic describe a --json", cluster)).output);
    expect(described.config["cleanup.policy"]).toBe("delete");
    const { output } = await run("topic describe nosuch --json", cluster);
    expect(JSON.parse(output).error.code).toBe("UNKNOWN_TOPIC_OR_PARTITION");
    const several = JSON.parse((await run("topic describe a nosuch --json", cluster)).output);
    expect(several.results[1].error.retriable).toBeFalse();
  });

  test("describe tells of partitions that are offline or have no leader, and asks them nothing", async () => {
    const cluster = clusterWith({ a: [] });
    const partition = (number: number, leaderId: number, offlineReplicas: readonly number[]) => ({
      partition: number,
      leaderId,
      leaderEpoch: 3,
      replicas: [1, 2],
      isr: [1],
      offlineReplicas,
    });
    cluster.partitionsOf.set("a", [
      partition(0, 1, []),
      partition(1, 1, [1]),
      partition(2, -1, [2]),
    ]);
    const { code, output, talk } = await run("topic describe a --section partitions", cluster);
    expect(code).toBe(0);
    expect(output).toBe(
      "PARTITION\tLEADER\tEPOCH\tREPLICAS\tISR\tSTART-OFFSET\tEND-OFFSET\n" +
        "0\t1\t3\t1,2\t1\t0\t7\n1\t1\t3\t1,2\t1\t-\t-\n2\t-1\t3\t1,2\t1\t-\t-\n",
    );
    expect(cluster.askedOffsets).toEqual([[0], [0]]);
    const warnings = talk.split("\n").filter((line) => line.startsWith("mq: warning:"));
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain("a-1 is offline");
    expect(talk).toContain("See what broker 1 logs; on its machine mq log verify");
    expect(warnings[1]).toContain("a-2 has no leader");
    expect(talk).toContain("Start broker 1 or 2");
    const json = JSON.parse((await run("topic describe a --json", cluster)).output);
    expect(json.partitions.map(({ isOffline }: { isOffline: boolean }) => isOffline))
      .toEqual([false, true, false]);
    expect(json.partitions[1].endOffset).toBeNull();
  });
});
