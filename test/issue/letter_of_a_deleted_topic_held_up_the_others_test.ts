/** `mq dlq redrive`: one letter whose topic had been deleted, and no other letter was put back. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo } from "../cli/fake_io.ts";
import { LogCluster, type StoredRecord } from "../cli/log_cluster.ts";

function letter(value: string, topic: string): StoredRecord {
  const headers = [["mq-dlq-topic", new TextEncoder().encode(topic)] as const];
  return { key: null, value, timestamp: 1, headers };
}

describe("mq dlq redrive", () => {
  test("leaves letters of a topic that is gone, and puts the others back", async () => {
    const cluster = new LogCluster();
    cluster.topic("jobs");
    cluster.topics.set("jobs.dlq", [[
      letter("a", "jobs"),
      letter("x", "gone"),
      letter("b", "jobs"),
    ]]);
    const io = new FakeIo({ args: ["dlq", "redrive", "jobs.dlq", "--yes"] });
    expect(await runProgram(io, () => cluster.library())).toBe(1);
    expect(io.talk).toMatch("offset 1 of jobs.dlq-0 stays: there is no topic gone; --to TOPIC");
    expect(cluster.values("jobs")).toEqual(["a", "b"]);
  });
});
