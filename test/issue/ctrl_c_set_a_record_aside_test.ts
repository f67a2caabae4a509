/**
 * `mq consume --exec … --dlq` in a terminal: Ctrl-C ended the command, the end of the command was heard
 * of some milliseconds before the signal, and the record went to the dead-letter topic.
 */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo } from "../cli/fake_io.ts";
import { clusterWith, mq } from "../cli/group_run.ts";

const LINE = ["consume", "t", "-g", "g", "-e", "--exec", "work", "--dlq", "t.dlq"];

describe("a command of --exec that fails", () => {
  test("sets nothing aside where a signal for both is heard of a moment later", async () => {
    for (const end of [{ code: null, signal: "SIGINT" }, { code: 130 }, { code: 1 }] as const) {
      const cluster = clusterWith("{1}");
      const io = new FakeIo({
        args: LINE,
        shell: () => (setTimeout(() => io.signal("SIGINT"), 1), end),
      });
      expect(await runProgram(io, () => cluster.library())).toBe(130);
      expect(cluster.topics.has("t.dlq")).toBeFalse();
      expect(cluster.committed("g", "t 0")).toBeUndefined();
    }
  });

  test("what ends by a signal that was for it alone has failed", async () => {
    for (const signal of ["SIGKILL", "SIGTERM"]) {
      const cluster = clusterWith("{1}");
      const shell = (): object => ({ code: null, signal });
      expect((await mq(LINE, cluster, { shell })).code).toBe(0);
      expect(cluster.values("t.dlq")).toEqual(["{1}"]);
    }
  });
});
