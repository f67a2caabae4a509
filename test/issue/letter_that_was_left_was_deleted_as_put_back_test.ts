/**
 * Letters that a redrive could not put back counted as put back: `mq dlq list` had none waiting, `mq dlq
 * show` showed none, and `mq dlq drop --redriven` deleted them for good.
 */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo } from "../cli/fake_io.ts";
import { LogCluster, type StoredRecord } from "../cli/log_cluster.ts";

function letter(value: string, topic: string): StoredRecord {
  const headers = [["mq-dlq-topic", new TextEncoder().encode(topic)] as const];
  return { key: null, value, timestamp: 1, headers };
}

async function mq(
  cluster: LogCluster,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly text: string; readonly talk: string }> {
  const io = new FakeIo({ args: ["dlq", ...args], isHasty: true });
  const code = await runProgram(io, () => cluster.library());
  return { code, text: io.output, talk: io.talk };
}

function withLetters(...letters: readonly StoredRecord[]): LogCluster {
  const cluster = new LogCluster();
  cluster.topic("jobs");
  cluster.topics.set("jobs.dlq", [[...letters]]);
  return cluster;
}

describe("a letter that cannot be put back", () => {
  const letters = [
    letter("a", "jobs"),
    letter("x", "gone"),
    letter("y", "gone"),
    letter("b", "jobs"),
  ];

  test("still waits, is shown, and is not deleted with those put back", async () => {
    const cluster = withLetters(...letters);
    expect((await mq(cluster, "redrive", "jobs.dlq", "--yes")).code).toBe(1);
    const listed = JSON.parse((await mq(cluster, "list", "--json")).text);
    expect([listed[0].count, listed[0].waiting]).toEqual([4, 2]);
    const shown = JSON.parse((await mq(cluster, "show", "jobs.dlq", "--json")).text);
    expect(shown.map(({ offset }: { offset: number }) => offset)).toEqual([1, 2]);
    const dropped = await mq(cluster, "drop", "jobs.dlq", "--redriven", "--yes", "--json");
    expect(JSON.parse(dropped.text).removed).toBe(1);
  });

  test("is tried again by every run, and goes alone when it can", async () => {
    const cluster = withLetters(...letters);
    await mq(cluster, "redrive", "jobs.dlq", "--yes");
    expect((await mq(cluster, "redrive", "jobs.dlq", "--yes")).code).toBe(1);
    expect(cluster.values("jobs")).toEqual(["a", "b"]);
    cluster.topic("gone");
    expect((await mq(cluster, "redrive", "jobs.dlq", "--yes")).code).toBe(0);
    expect([cluster.values("jobs"), cluster.values("gone")]).toEqual([["a", "b"], ["x", "y"]]);
    const listed = JSON.parse((await mq(cluster, "list", "--json")).text);
    expect(listed[0].waiting).toBe(0);
    expect((await mq(cluster, "redrive", "jobs.dlq", "--yes")).code).toBe(0);
    expect([cluster.values("jobs"), cluster.values("gone")]).toEqual([["a", "b"], ["x", "y"]]);
  });

  test("goes once too where runs are killed anywhere", async () => {
    const values = Array.from({ length: 240 }, (_, at) => `v${at}`);
    const topicOf = (at: number): string => at % 3 === 0 ? "gone" : "jobs";
    for (const sendsLeft of [0, 1, 57, 99, 100, 101, 159, 160]) {
      const cluster = withLetters(...values.map((value, at) => letter(value, topicOf(at))));
      cluster.sendsLeft = sendsLeft;
      await mq(cluster, "redrive", "jobs.dlq", "--yes");
      cluster.topic("gone");
      for (const left of [30, 45]) {
        cluster.sendsLeft = left;
        // deno-lint-ignore no-await-in-loop -- one run behind the other
        await mq(cluster, "redrive", "jobs.dlq", "--yes");
      }
      cluster.sendsLeft = Infinity;
      expect((await mq(cluster, "redrive", "jobs.dlq", "--yes")).code).toBe(0);
      for (const topic of ["gone", "jobs"]) {
        const expected = values.filter((_, at) => topicOf(at) === topic).toSorted();
        expect(cluster.values(topic).toSorted()).toEqual(expected);
      }
    }
  });
});
