/** `mq consume --exec`: what a command is given, and what becomes of records that fail. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo, type FakeShellRun } from "./fake_io.ts";
import { clusterWith, mq } from "./group_run.ts";

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
    // Behind 0.2 s and 0.4 s, and a moment in which a signal may come; what is longer are deadlines.
    expect(io.delays.filter((ms) => ms < 1000)).toEqual([200, 400, 5]);
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
