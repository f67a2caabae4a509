/**
 * `mq consume -g` and `--exec`: what is committed, and what becomes of records that fail. Long because
 * the two are tried in all their combinations.
 */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo, type FakeIoOptions, type FakeShellRun } from "./fake_io.ts";
import { codedError } from "./fake_library.ts";
import { LogCluster } from "./log_cluster.ts";

interface Ran {
  readonly code: number;
  readonly io: FakeIo;
}

async function mq(
  args: readonly string[],
  cluster: LogCluster,
  options: FakeIoOptions = {},
): Promise<Ran> {
  const io = new FakeIo({ isHasty: true, ...options, args });
  return { code: await runProgram(io, () => cluster.library()), io };
}

function clusterWith(...values: readonly string[]): LogCluster {
  const cluster = new LogCluster();
  cluster.topic("t", values);
  return cluster;
}

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
    ];
    for (const [line, told] of refused) {
      const { code, io } = await mq(words(line), cluster);
      expect([code, io.talk.includes(told) ? told : io.talk]).toEqual([2, told]);
    }
  });
});

describe("mq consume --exec", () => {
  const jsonOnly = ({ input }: FakeShellRun): object =>
    input.startsWith("{") ? { output: `${input}!\n` } : { code: 5, errors: "hm\njq: error\n" };
  const line = (...more: readonly string[]): readonly string[] => [
    ...["consume", "t", "-g", "g", "-o", "start:end", "--exec", "work"],
    ...more,
  ];

  test("gives the command the value and what else the record is", async () => {
    const cluster = clusterWith();
    cluster.topics.set("t", [[{
      key: "k",
      value: null,
      timestamp: 7,
      headers: [["h", new TextEncoder().encode("1")]],
    }]]);
    let seen: FakeShellRun | undefined;
    await mq(line(), cluster, { shell: (run) => (seen = run, {}) });
    expect(seen?.command).toBe("work");
    expect(seen?.input).toBe("");
    expect(seen?.environment).toEqual({
      MQ_TOPIC: "t",
      MQ_PARTITION: "0",
      MQ_OFFSET: "0",
      MQ_TIMESTAMP: "7",
      MQ_ATTEMPT: "1",
      MQ_HEADERS: '[["h","1"]]',
      MQ_KEY: "k",
      MQ_TOMBSTONE: "1",
    });
  });

  test("sets aside what fails, with why, and goes on", async () => {
    const cluster = clusterWith("{1}", "not json", "{3}");
    const args = line("--retries", "2", "--dlq", "t.dlq");
    const { code, io } = await mq(args, cluster, { shell: jsonOnly });
    expect(code).toBe(0);
    expect(io.output).toBe("{1}!\n{3}!\n");
    expect(cluster.committed("g", "t 0")).toBe(3);
    expect(cluster.values("t.dlq")).toEqual(["not json"]);
    expect(cluster.configs.get("t.dlq")).toEqual({ "retention.ms": "-1" });
    const [letter] = cluster.records("t.dlq");
    expect(letter?.timestamp).toBe(1);
    const headers = (letter?.headers ?? []).map(([name, value]) =>
      `${name}=${new TextDecoder().decode(value ?? undefined)}`
    );
    expect(headers).toEqual([
      "mq-dlq-topic=t",
      "mq-dlq-partition=0",
      "mq-dlq-offset=1",
      "mq-dlq-error=exit 5: jq: error",
      "mq-dlq-attempts=3",
    ]);
    // Behind 0.2 s and 0.4 s; what is longer than such a wait are deadlines.
    expect(io.delays.filter((ms) => ms < 1000)).toEqual([200, 400]);
  });

  test("without --dlq the first that fails ends it; those before are committed", async () => {
    const cluster = clusterWith("{1}", "not json", "{3}");
    const { code, io } = await mq(line(), cluster, { shell: jsonOnly });
    expect(code).toBe(1);
    expect(io.talk).toMatch("Cannot process the record at offset 1 of t-0: exit 5: jq: error");
    expect(io.talk).toMatch("--dlq TOPIC sets such records aside");
    expect(cluster.committed("g", "t 0")).toBe(1);
  });

  test("a command that cannot be run fills no dead-letter topic", async () => {
    const cluster = clusterWith("a");
    const { code, io } = await mq(line("--dlq", "t.dlq"), cluster, {
      shell: () => ({ code: 127 }),
    });
    expect(code).toBe(1);
    expect(io.talk).toMatch("it was not found");
    expect(cluster.topics.has("t.dlq")).toBeFalse();
    expect(cluster.committed("g", "t 0")).toBeUndefined();
  });

  test("stops where too many in a row fail, and a success in between begins anew", async () => {
    const cluster = clusterWith("x", "{1}", "x", "x", "x");
    const args = line("--dlq", "t.dlq", "--dlq-max", "2");
    const { code, io } = await mq(args, cluster, { shell: jsonOnly });
    expect(code).toBe(1);
    expect(io.talk).toMatch("Stopped at offset 4 of t-0: 2 records in a row went to t.dlq");
    expect(cluster.values("t.dlq")).toHaveLength(3);
    expect(cluster.committed("g", "t 0")).toBe(4);
  });

  test("a record whose letter cannot be written is not committed", async () => {
    const cluster = clusterWith("x");
    cluster.sendsLeft = 0;
    const { code, io } = await mq(line("--dlq", "t.dlq"), cluster, { shell: jsonOnly });
    expect(code).toBe(1);
    expect(io.talk).toMatch("Cannot set the record at offset 0 of t-0 aside in t.dlq");
    expect(cluster.committed("g", "t 0")).toBeUndefined();
  });

  test("a command that a Ctrl-C ended with it is no fault of the record", async () => {
    const cluster = clusterWith("{1}", "{2}");
    const io = new FakeIo({
      args: line("--dlq", "t.dlq"),
      isHasty: true,
      shell: ({ input }) => {
        if (input === "{1}") return {};
        io.signal("SIGINT");
        return { code: null, signal: "SIGINT" };
      },
    });
    expect(await runProgram(io, () => cluster.library())).toBe(130);
    expect(cluster.topics.has("t.dlq")).toBeFalse();
    expect(cluster.committed("g", "t 0")).toBe(1);
  });

  test("a record that is taken away meanwhile is its new owner's", async () => {
    const cluster = clusterWith("x", "y");
    const tried: string[] = [];
    const io = new FakeIo({
      args: [...line("--retries", "9", "--dlq", "t.dlq")],
      isHasty: true,
      shell: ({ input }) => {
        tried.push(input);
        cluster.consumers[0]?.options.onLost([{ topic: "t", partition: 0 }]);
        return { code: 1 };
      },
    });
    expect(await runProgram(io, () => cluster.library())).toBe(0);
    expect(tried).toEqual(["x"]);
    expect(cluster.topics.has("t.dlq")).toBeFalse();
    expect(cluster.consumers[0]?.doneUpTo.size).toBe(0);
  });

  test("without a group it works through a range, and ends by itself", async () => {
    const cluster = clusterWith("{1}", "{2}");
    const args = ["consume", "t", "-o", "start:end", "--exec", "work", "-n", "1"];
    const { code, io } = await mq(args, cluster, { shell: jsonOnly });
    expect([code, io.output]).toEqual([0, "{1}!\n"]);
  });
});
