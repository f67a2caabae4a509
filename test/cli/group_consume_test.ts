/** `mq consume -g`: what is committed, and when a member goes. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo } from "./fake_io.ts";
import { codedError } from "./fake_library.ts";
import { clusterWith, mq, type Ran } from "./group_run.ts";
import { LogCluster } from "./log_cluster.ts";

describe("mq consume -g", () => {
  const words = (text: string): readonly string[] => text.split(" ");

  test("begins at the start, and commits what was written when it ends", async () => {
    const cluster = clusterWith("a", "b", "c");
    const { code, io } = await mq(words("consume t -g g -o start:end"), cluster);
    expect(code).toBe(0);
    expect(io.output).toBe("a\nb\nc\n");
    expect(cluster.committed("g", "t 0")).toBe(3);
    const { groupId, commit, until, from } = cluster.consumers[0]?.options ?? {};
    expect({ groupId, commit, until, from }).toEqual({
      groupId: "g",
      commit: "auto",
      until: "end",
      from: { kind: "start" },
    });
  });

  test("goes on where the group has committed; -n commits that many", async () => {
    const cluster = clusterWith("a", "b", "c");
    expect((await mq(words("consume t -g g -n 2"), cluster)).io.output).toBe("a\nb\n");
    expect(cluster.committed("g", "t 0")).toBe(2);
    expect((await mq(words("consume t -g g -n 1"), cluster)).io.output).toBe("c\n");
    expect(cluster.committed("g", "t 0")).toBe(3);
  });

  test("commits and leaves on a signal, with the signal's exit code", async () => {
    for (const [name, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      const cluster = clusterWith("a", "b");
      const io = new FakeIo({ args: words("consume t -g g") });
      cluster.onIdle = () => io.signal(name);
      expect(await runProgram(io, () => cluster.library())).toBe(code);
      expect(cluster.consumers[0]?.closedWith).toEqual({ commit: true });
      expect(cluster.committed("g", "t 0")).toBe(2);
    }
  });

  test("commits nothing more when the reader of stdout has gone, and still leaves", async () => {
    for (const commit of ["auto", "batch"]) {
      const cluster = clusterWith("a", "b");
      const args = words(`consume t -g g --commit ${commit}`);
      const { code } = await mq(args, cluster, { outputBytesMax: 0 });
      expect(code).toBe(0);
      expect(cluster.consumers[0]?.closedWith).toEqual({ commit: false });
      expect(cluster.consumers[0]?.doneUpTo.size).toBe(0);
    }
  });

  test("leaves at once where the reader goes while there is nothing to write", async () => {
    const cluster = clusterWith("a");
    const io = new FakeIo({ args: words("consume t -g g") });
    cluster.onIdle = () => io.loseReader();
    expect([await runProgram(io, () => cluster.library()), io.output]).toEqual([0, "a\n"]);
    expect(cluster.consumers[0]?.closedWith).toEqual({ commit: false });
    expect(cluster.committed("g", "t 0")).toBeUndefined();
  });

  test("--commit none tells the group nothing; --commit batch commits behind each batch", async () => {
    const none = clusterWith("a");
    await mq(words("consume t -g g -e --commit none"), none);
    expect(none.consumers[0]?.doneUpTo.size).toBe(0);
    expect(none.consumers[0]?.closedWith).toEqual({ commit: false });
    const batch = new LogCluster();
    batch.topic("t", ["a"], ["b"]);
    const { io } = await mq(words("consume t -g g -e --commit batch"), batch);
    expect(io.output).toBe("a\nb\n");
    expect(batch.consumers[0]?.options.commit).toBe("manual");
    expect(batch.consumers[0]?.commits).toBe(3); // two batches, and the end
  });

  test("goes on where a commit comes too late, and ends where it is refused for good", async () => {
    const commitFails = async (code: string): Promise<Ran> => {
      const cluster = clusterWith("a");
      const io = new FakeIo({ args: words("consume t -g g --commit batch") });
      const opened = cluster.consumers;
      const push = opened.push.bind(opened);
      opened.push = (consumer) => {
        consumer.commitError = codedError(code, `told ${code}`);
        return push(consumer);
      };
      cluster.onIdle = (consumer) => {
        consumer.commitError = undefined;
        io.signal("SIGTERM");
      };
      return { code: await runProgram(io, () => cluster.library()), io };
    };
    const late = await commitFails("REBALANCE_IN_PROGRESS");
    expect(late.code).toBe(143);
    expect(late.io.talk).toMatch("A commit was refused: told REBALANCE_IN_PROGRESS");
    expect((await commitFails("GROUP_AUTHORIZATION_FAILED")).code).toBe(4);
  });

  test("a partition that is taken away waits until what was read of it is out", async () => {
    const cluster = clusterWith("a", "b");
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const io = new FakeIo({ args: words("consume t -g g"), gate });
    const seen: (number | undefined)[] = [];
    cluster.onIdle = async ({ options, doneUpTo }) => {
      const revoked = options.onRevoked([{ topic: "t", partition: 0 }]);
      revoked.then(() => seen.push(doneUpTo.get("t 0")));
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(doneUpTo.get("t 0"));
      open();
      await revoked;
      io.signal("SIGTERM");
    };
    await runProgram(io, () => cluster.library());
    expect(seen).toEqual([undefined, 2]);
  });

  test("an end inside the topic leaves the rest unread and uncommitted", async () => {
    const cluster = clusterWith("a", "b", "c");
    const { io } = await mq(words("consume t -g g -o start:2"), cluster);
    expect(io.output).toBe("a\nb\n");
    expect(cluster.committed("g", "t 0")).toBe(2);
    const beyond = await mq(words("consume t -g g -o start:9"), cluster);
    expect(beyond.code).toBe(2);
    expect(beyond.io.talk).toMatch("t-0 ends at 3");
  });

  test("a topic that is not there is an error at once", async () => {
    expect((await mq(words("consume nosuch -g g"), clusterWith())).code).toBe(3);
  });

  test("tells what the library cannot mend by itself", async () => {
    const cluster = clusterWith("a");
    const io = new FakeIo({ args: words("consume t -g g") });
    cluster.onIdle = ({ options }) => {
      options.onNotice({ kind: "too-slow", message: "left the group" });
      io.signal("SIGTERM");
    };
    await runProgram(io, () => cluster.library());
    expect(io.talk).toMatch("warning: left the group");
  });

  test("refuses lines that make no sense, with what would", async () => {
    const cluster = clusterWith("a");
    const refused: readonly (readonly [string, string])[] = [
      ["consume t --commit batch", "Flag --commit needs --group"],
      ["consume t --retries 2", "Flag --retries needs --exec"],
      ["consume t -g g -p 0", "Conflicting flags --group and --partition"],
      ["consume t -g g --assignor uniform", "needs --group-protocol consumer"],
      ["consume t -g g --assignor nosuch", "one of cooperative-sticky, range, roundrobin"],
      ["consume t -g g --exec x -f json", "Conflicting flags --exec and --format"],
      ["consume t -g g --exec x --dlq t", "records are read from there"],
      ["consume t -g g --exec x --dlq-max 3", "--dlq-max needs --dlq"],
      ["consume t -g g -o start:+5", "Invalid end +5 of a range for a group"],
      ["consume t -g g --group-instance-id a/b", "Invalid value 'a/b' for --group-instance-id"],
      ["consume t -g g --group-instance-id ..", "Invalid value '..' for --group-instance-id"],
      [`consume t -g g --group-instance-id ${"i".repeat(250)}`, "At most 249 letters"],
      [`consume t -g ${"é".repeat(16_384)}`, "Invalid --group 'ééé"],
      [`group describe ${"g".repeat(32_768)}`, "it has 32768 bytes"],
      [`consume t -g g --exec x --dlq ${"g".repeat(32_768)}`, "Invalid --dlq 'ggg"],
    ];
    for (const [line, told] of refused) {
      const { code, io } = await mq(words(line), cluster);
      expect([code, io.talk.includes(told) ? told : io.talk]).toEqual([2, told]);
    }
  });

  test("a name of blanks is for the classic protocol, an empty one for nobody", async () => {
    const asked = async (group: string, protocol: string): Promise<number> => {
      const args = ["consume", "t", "-g", group, "-e", "--group-protocol", protocol];
      return (await mq(args, clusterWith("a"))).code;
    };
    expect(await asked("  ", "classic")).toBe(0);
    expect(await asked("  ", "consumer")).toBe(2);
    expect(await asked("", "classic")).toBe(2);
  });
});
