/** `mq consume`: how records are written. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo } from "./fake_io.ts";
import { FakeCluster } from "./fake_library.ts";
import { clusterWith, run, valuesOf } from "./run_program.ts";

describe("mq consume", () => {
  const cluster = new FakeCluster();
  cluster.topics.set("t", [
    { key: "k", value: "v", headers: [["h", new TextEncoder().encode("1")]], timestamp: 1 },
    { key: null, value: null },
    { key: "", value: "" },
  ]);

  test("writes the forms it is asked for", async () => {
    const written = async (flags: string): Promise<string> =>
      (await run(`consume t -o start:end ${flags}`, cluster)).output;
    expect(await written("")).toBe("v\n\n\n");
    expect(await written("-0")).toBe("v\0\0\0");
    expect(await written("-f kv --null ~")).toBe("k\tv\n~\t~\n\t\n");
    expect(await written("-f %t/%p/%o:%k=%v;")).toBe("t/0/0:k=v;t/0/1:=;t/0/2:=;");
    expect(await written("-f %K,%V,%h,%T\\n")).toBe("1,1,h=1,1\n-1,-1,,0\n0,0,,0\n");
    const [line = ""] = (await written("-f json")).split("\n");
    expect(JSON.parse(line).headers).toEqual([["h", "1"]]);
    expect(await written("--json")).toBe(await written("-f json"));
  });

  test("refuses a format it does not know", async () => {
    const { code, talk } = await run("consume t -f jsn", cluster);
    expect(code).toBe(2);
    expect(talk).toContain("Did you mean 'json'?");
  });

  test("what it writes, produce -f json takes back", async () => {
    const { output } = await run("consume t -o start:end -f json", cluster);
    await run("produce copy -f json", cluster, { input: [output] });
    const shown = (topic: string): string => JSON.stringify(cluster.topics.get(topic));
    expect(valuesOf(cluster, "copy")).toEqual(valuesOf(cluster, "t"));
    expect(shown("copy")).toContain('"key":"k"');
  });

  test("that gives up says what is wrong, and to wait longer only where nothing is", async () => {
    const giveUp = async (retryError?: Error): Promise<string> => {
      const stuck = clusterWith({ t: ["v"] });
      const args = ["consume", "t", "-o", "start", "-n", "3", "--timeout", "5s"];
      const io = new FakeIo({ args });
      stuck.onWait = () => io.elapse();
      stuck.retryError = retryError;
      expect(await runProgram(io, () => stuck.library())).toBe(5);
      return io.talk;
    };
    expect(await giveUp()).toBe(
      "mq: Gave up after 5000 ms with 1 of 3 records\nhint: Allow more time with --timeout\n",
    );
    const gone = Object.assign(new Error("Cannot reach 127.0.0.1:9092"), { code: "UNREACHABLE" });
    expect(await giveUp(gone)).toBe(
      "mq: Gave up after 5000 ms with 1 of 3 records; the last try: Cannot reach 127.0.0.1:9092\n",
    );
    const told = await giveUp(Object.assign(gone, { hint: "Start the broker" }));
    expect(told).toMatch(/\nhint: Start the broker\n$/);
  });
});
