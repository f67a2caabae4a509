/** `mq consume`: how records are written. */
import { describe, expect, test } from "bun:test";
import { FakeCluster } from "./fake_library.ts";
import { run, valuesOf } from "./run_program.ts";

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
});
