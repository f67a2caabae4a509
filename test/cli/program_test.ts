/** The whole program without a process and without a network: exit codes, help, where it connects. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { ExitCalled, FakeIo } from "./fake_io.ts";
import { codedError, FakeCluster } from "./fake_library.ts";
import { clusterWith, run } from "./run_program.ts";

describe("exit codes", () => {
  test("2 for what was typed wrongly, and nothing on stdout", async () => {
    for (
      const typed of ["topic creat x", "topic", "consume", "consume t --ofset 1", "produce t -p x"]
    ) {
      const { code, output, talk } = await run(typed);
      expect(code).toBe(2);
      expect(output).toBe("");
      expect(talk).toMatch(/^mq: /);
    }
  });

  test("2 for an empty name, before anything is asked", async () => {
    for (
      const args of [["produce", "", "x"], ["consume", ""], ["topic", "create", "a", ""], [
        "topic",
        "delete",
        "",
        "--yes",
      ]]
    ) {
      const cluster = new FakeCluster();
      const io = new FakeIo({ args });
      expect(await runProgram(io, () => cluster.library())).toBe(2);
      expect(io.talk).toMatch(/^mq: Empty argument (TOPIC|NAME) of mq /);
      expect(cluster.connected).toHaveLength(0);
    }
  });

  test("2 for what the broker calls a bad value", async () => {
    for (const code of ["INVALID_CONFIG", "INVALID_PARTITIONS", "INVALID_TOPIC_EXCEPTION"]) {
      const cluster = new FakeCluster();
      cluster.unreachable = codedError(code);
      expect((await run("topic create t", cluster)).code).toBe(2);
    }
  });

  test("3 for what is not there", async () => {
    expect((await run("topic describe nosuch")).code).toBe(3);
    expect((await run("consume nosuch -o start:end")).code).toBe(3);
    expect((await run("topic delete nosuch --yes")).code).toBe(3);
    expect((await run("produce t @nosuch.txt")).code).toBe(3);
  });

  test("4 for what is not allowed", async () => {
    const cluster = new FakeCluster();
    cluster.unreachable = codedError("CLUSTER_AUTHORIZATION_FAILED");
    expect((await run("topic list", cluster)).code).toBe(4);
  });

  test("5 where nobody answers", async () => {
    const cluster = new FakeCluster();
    cluster.unreachable = codedError("UNREACHABLE");
    for (const typed of ["topic list", "produce t x", "consume t"]) {
      expect((await run(typed, cluster)).code).toBe(5);
    }
  });

  test("1 for what is none of these, also for one of several", async () => {
    const cluster = clusterWith({ a: [] });
    expect((await run("topic create a", cluster)).code).toBe(1);
    expect((await run("topic create a b", cluster)).code).toBe(1);
    expect(cluster.topics.has("b")).toBeTrue();
    cluster.deliveryError = codedError("INVALID_RECORD");
    expect((await run("produce a x", cluster)).code).toBe(1);
  });

  test("0 where the reader of stdout has gone", async () => {
    const cluster = clusterWith({ t: ["a", "b"] });
    const { code, talk } = await run("consume t -o start", cluster, { outputBytesMax: 1 });
    expect(code).toBe(0);
    expect(talk).toBe("");
    expect((await run("help", cluster, { outputBytesMax: 1 })).code).toBe(0);
  });

  test("5 at the deadline, whatever error it leaves behind", async () => {
    const cluster = clusterWith({ t: ["a"] });
    cluster.isSilent = true;
    const io = new FakeIo({ args: ["topic", "list", "--timeout", "1s"] });
    const running = runProgram(io, () => cluster.library());
    await new Promise((resolve) => setImmediate(resolve));
    io.elapse();
    expect(await running).toBe(5);
    expect(io.talk).toContain("Gave up after 1000 ms");
  });

  test("5 where -n is not met, with what there is written", async () => {
    const cluster = clusterWith({ t: ["a", "b"] });
    const { code, output } = await run("consume t -o start:end -n 3", cluster);
    expect(code).toBe(5);
    expect(output).toBe("a\nb\n");
    expect((await run("consume t -o start:end -n 2", cluster)).code).toBe(0);
  });

  test("130 and 143 after a signal, with what there is written", async () => {
    for (const [name, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      const io = new FakeIo({ args: ["consume", "t", "-o", "start"] });
      const running = runProgram(io, () => clusterWith({ t: ["a"] }).library());
      await new Promise((resolve) => setImmediate(resolve));
      io.signal(name);
      expect(await running).toBe(code);
      expect(io.output).toBe("a\n");
      expect(io.talk).toBe("");
    }
  });

  test("a second signal ends it at once", async () => {
    const cluster = clusterWith({});
    cluster.isSilent = true;
    const io = new FakeIo({ args: ["topic", "list"] });
    const running = runProgram(io, () => cluster.library());
    io.signal("SIGINT");
    expect(() => io.signal("SIGINT")).toThrow(ExitCalled);
    expect(io.exitCode).toBe(130);
    expect(await running).toBe(130);
  });
});

describe("brokers", () => {
  test("come from -b before MQ_BROKERS before the default", async () => {
    const brokersOf = async (typed: string, environment = {}): Promise<unknown> => {
      const cluster = new FakeCluster();
      await run(typed, cluster, { environment });
      return cluster.connected[0]?.["brokers"];
    };
    const MQ_BROKERS = "env:1";
    expect(await brokersOf("topics")).toEqual([{ host: "127.0.0.1", port: 9092 }]);
    expect(await brokersOf("topics", { MQ_BROKERS })).toEqual([{ host: "env", port: 1 }]);
    expect(await brokersOf("topics -b flag", { MQ_BROKERS })).toEqual([{
      host: "flag",
      port: 9092,
    }]);
  });
});

describe("variables", () => {
  test("that are empty are not set; what is wrong in one is said of it", async () => {
    const environment = { MQ_FORMAT: "", MQ_TIMEOUT: "", MQ_BROKERS: "" };
    expect((await run("topics", new FakeCluster(), { environment })).code).toBe(0);
    const slow = { environment: { MQ_TIMEOUT: "5" } };
    const { code, talk } = await run("topics", new FakeCluster(), slow);
    expect(code).toBe(2);
    expect(talk).toContain("'5' for MQ_TIMEOUT");
  });
});

describe("mq help", () => {
  test("without a word, with a command, with a topic", async () => {
    for (const typed of ["", "help", "--help", "-h"]) {
      const { code, output } = await run(typed);
      expect(code).toBe(0);
      expect(output).toContain("Examples");
    }
    expect((await run("help topic create")).output).toContain("--if-not-exists");
    expect((await run("topic create --help")).output).toContain("mq topic create NAME…");
    for (const topic of ["exit-codes", "environment", "formatting", "offsets"]) {
      expect((await run(`help ${topic}`)).code).toBe(0);
    }
    expect((await run("help topic")).output).toContain("mq topic list");
  });

  test("settings are the library's, all of them", async () => {
    const io = new FakeIo({ args: ["help", "settings"] });
    expect(await runProgram(io, () => import("../../src/mod.ts"))).toBe(0);
    expect(io.output).toContain("\nnum.partitions=1\n    ");
    expect(io.output).toContain("\nmq.durability=quorum-fsync\n    ");
  });

  test("names the word that is missing", async () => {
    expect((await run("broker")).talk).toContain("'start' is missing");
    expect((await run("topic")).talk).toMatch(/one of list, create, .*, delete is missing/);
  });

  test("suggests", async () => {
    expect((await run("help exit-code")).talk).toContain("Did you mean 'exit-codes'?");
    expect((await run("help consme")).talk).toContain("Did you mean 'consume'?");
  });

  test("every command has a page within 100 columns, with examples", async () => {
    const table = JSON.parse((await run("help --json")).output);
    expect(table.commands.length).toBeGreaterThan(5);
    for (const { path } of table.commands) {
      const { output } = await run(`${path} --help`);
      expect(output).toContain("Examples");
      expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    }
  });

  test("version is one line with --version, and more with the command", async () => {
    expect((await run("--version")).output).toMatch(/^mq \d+\.\d+\.\d+ \(test\)\n$/);
    expect((await run("version")).output).toContain("crc32c: typescript");
  });
});
