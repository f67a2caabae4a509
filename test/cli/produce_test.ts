/** `mq produce`: what becomes a record, and what is said about it. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo } from "./fake_io.ts";
import { codedError, FakeCluster } from "./fake_library.ts";
import { run, valuesOf } from "./run_program.ts";

describe("mq produce", () => {
  test("sends one record a line, and what is behind the last newline", async () => {
    const cluster = new FakeCluster();
    const { code, output, talk } = await run("produce t", cluster, { input: ["a\nb", "b\n\nc"] });
    expect(code).toBe(0);
    expect(valuesOf(cluster, "t")).toEqual(["a", "bb", "", "c"]);
    expect(output + talk).toBe("");
  });

  test("does not send an unfinished line when a signal ends it", async () => {
    const cluster = new FakeCluster();
    const io = new FakeIo({ args: ["produce", "t"], input: ["a\nunfinish"], isInputOpen: true });
    const running = runProgram(io, () => cluster.library());
    for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve));
    expect(valuesOf(cluster, "t")).toEqual(["a"]);
    io.signal("SIGTERM");
    expect(await running).toBe(143);
    expect(valuesOf(cluster, "t")).toEqual(["a"]);
  });

  test("takes values from arguments, files and stdin in their order", async () => {
    const cluster = new FakeCluster();
    await run("produce t 007 @f @@x - z", cluster, {
      input: ["in\n"],
      files: { f: "whole\nfile" },
    });
    expect(valuesOf(cluster, "t")).toEqual(["007", "whole\nfile", "@x", "in", "z"]);
  });

  test("finds keys where they are said to be", async () => {
    const keysOf = async (flags: string, input: string): Promise<readonly (string | null)[]> => {
      const cluster = new FakeCluster();
      await run(`produce t ${flags}`, cluster, { input: [input] });
      return (cluster.topics.get("t") ?? []).map(({ key, value }) => `${key}|${value}`);
    };
    expect(await keysOf("-k 0123", "a\n")).toEqual(["0123|a"]);
    expect(await keysOf("-K :", "k:v:w\nnone\n")).toEqual(["k|v:w", "null|none"]);
    expect(await keysOf("-K : -Z", "k:\ngone\n")).toEqual(["k|null", "gone|null"]);
    expect(await keysOf("--key-from .u", '{"u":"x"}\n{"u":7}\n{}\n'))
      .toEqual(['x|{"u":"x"}', '7|{"u":7}', "null|{}"]);
    expect(await keysOf("-Z -k k", "not read\n")).toEqual(["k|null"]);
    expect(await keysOf("--null NULL", "NULL\nNULLS\n")).toEqual(["null|null", "null|NULLS"]);
    expect(await keysOf("-0", "a\nb\0c\0")).toEqual(["null|a\nb", "null|c"]);
    expect(await keysOf("-D ;;", "a;b;;c")).toEqual(["null|a;b", "null|c"]);
  });

  test("sends headers, partition and time", async () => {
    const cluster = new FakeCluster();
    await run("produce t x -H a=1 -H a:2 -H n -p 3 --at 2026-01-02", cluster);
    const [record] = cluster.topics.get("t") ?? [];
    expect(record?.partition).toBe(3);
    expect(record?.timestamp).toBe(Date.parse("2026-01-02"));
    const headers = (record?.headers ?? []).map(([name, value]) =>
      `${name}=${value === null ? null : new TextDecoder().decode(value)}`
    );
    expect(headers).toEqual(["a=1", "a=2", "n=null"]);
  });

  test("names the record that is no JSON, after those before it", async () => {
    const cluster = new FakeCluster();
    const input = ['{"value":"a"}\nnot json\n'];
    const { code, talk } = await run("produce t -f json", cluster, { input });
    expect(code).toBe(1);
    expect(talk).toContain("record 2");
    expect(valuesOf(cluster, "t")).toEqual(["a"]);
    expect((await run("produce t --key-from .a", cluster, { input: ["x\n"] })).code).toBe(1);
  });

  test("tells how many were not delivered, and why", async () => {
    const cluster = new FakeCluster();
    cluster.deliveryError = codedError("MESSAGE_TOO_LARGE", "too big");
    const { code, talk } = await run("produce t", cluster, { input: ["a\nb\n"] });
    expect(code).toBe(1);
    expect(talk).toContain("Cannot deliver 1 of 1 records to t: too big");
    expect(talk).toContain("hint: Hint for MESSAGE_TOO_LARGE");
  });

  test("hands its flags to the producer", async () => {
    const cluster = new FakeCluster();
    await run("produce t x -z zstd --acks 1 --linger 20ms --timeout 3s", cluster);
    const [options] = cluster.producerOptions;
    expect(options?.["compressionType"]).toBe("zstd");
    expect(options?.["acks"]).toBe(1);
    expect(options?.["lingerMs"]).toBe(20);
    expect(options?.["deliveryTimeoutMs"]).toBe(3000);
  });

  test("--json says what went where", async () => {
    const { output } = await run("produce t a b --json");
    expect(JSON.parse(output)).toEqual({
      topic: "t",
      records: 2,
      partitions: [{ partition: 0, records: 2, firstOffset: 0, lastOffset: 1 }],
    });
  });

  test("a record without a key that a compacted topic refuses: the flags that help", async () => {
    for (const message of ["takes no record without a key", "cannot accept message without key"]) {
      const cluster = new FakeCluster();
      cluster.deliveryError = Object.assign(new Error(message), { code: "INVALID_RECORD" });
      const { code, talk } = await run("produce t x", cluster);
      expect(code).toBe(1);
      expect(talk).toContain("hint: Give every record a key, with -k, -K or --key-from");
    }
  });

  test("refuses two ways to find a key", async () => {
    expect((await run("produce t x -k a -K :")).code).toBe(2);
    expect((await run("produce t x -f json -K :")).code).toBe(2);
  });
});
