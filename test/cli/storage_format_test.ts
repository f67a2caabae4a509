/** `mq storage format` and `random-id`: with a library of values, and as a process on real directories. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createHostEnv, formatStorage, randomClusterId } from "../../src/mod.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { codedError } from "./fake_library.ts";
import { clusterWith, run } from "./run_program.ts";

describe("mq storage format", () => {
  test("formats the directories that are named, else the default one", async () => {
    const cluster = clusterWith({});
    const { code, talk } = await run("storage format --cluster-id C --node-id 3 /a /b /a", cluster);
    expect([code, talk]).toEqual([
      0,
      "formatted /a: node 3 of cluster C, directory directory-0\n" +
      "formatted /b: node 3 of cluster C, directory directory-1\n",
    ]);
    const { output } = await run("storage format -t C -g --json", cluster);
    expect(JSON.parse(output)[0].path).toBe("/home/fake/.local/share/mq");
    expect(cluster.formatAsked.map(({ nodeId }) => nodeId)).toEqual([3, 1]);
    expect(cluster.formatAsked.map((asked) => asked.isContentWithFormatted)).toEqual([false, true]);
  });

  test("wants a cluster id, and tells why it does not", async () => {
    const cluster = clusterWith({});
    const { code, talk } = await run("storage format /a", cluster);
    expect([code, talk]).toEqual([
      2,
      "mq: Missing --cluster-id: which cluster is it for?\nhint: mq storage random-id gives an id " +
      "for a new one; mq cluster status shows that of a running one\n",
    ]);
    expect((await run("storage format -t C --node-id -1 /a", cluster)).code).toBe(2);
    expect(cluster.formatAsked).toEqual([]);
    cluster.formatError = codedError("NOT_EMPTY");
    expect((await run("storage format -t C /a", cluster)).code).toBe(1);
  });
});

describe("mq storage random-id", () => {
  test("prints an id", async () => {
    const cluster = clusterWith({});
    expect((await run("storage random-id", cluster)).output).toBe("Kq3m1-fresh-cluster-id\n");
    expect((await run("storage random-id --json", cluster)).output)
      .toBe('{"id":"Kq3m1-fresh-cluster-id"}\n');
    const id = randomClusterId(createHostEnv());
    expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
  });
});

describe("formatStorage()", () => {
  const env = createHostEnv();
  const wanted = { clusterId: "cluster-a", nodeId: 2 };

  test("writes an identity with a directory id of its own into each, and nothing else", async () => {
    using root = temporaryDirectory();
    const directories = [join(root.path, "deep", "one"), join(root.path, "two")];
    const formatted = await formatStorage(env, { ...wanted, directories });
    expect(new Set(formatted.map(({ directoryId }) => directoryId)).size).toBe(2);
    for (const { path, directoryId, isNew } of formatted) {
      expect(isNew).toBe(true);
      expect(readFileSync(join(path, "meta.properties"), "utf8")).toBe(
        `version=1\ncluster.id=cluster-a\nnode.id=2\ndirectory.id=${directoryId}\n`,
      );
      expect(readdirSync(path).filter((name) => name !== ".lock")).toEqual(["meta.properties"]);
    }
  });

  test("formats nothing over, and touches none where one is refused", async () => {
    using root = temporaryDirectory();
    const [first, second] = [join(root.path, "1"), join(root.path, "2")] as const;
    await formatStorage(env, { ...wanted, directories: [first] });
    const before = readFileSync(join(first, "meta.properties"), "utf8");
    for (const other of [wanted, { ...wanted, nodeId: 3 }, { ...wanted, clusterId: "b" }]) {
      await expect(formatStorage(env, { ...other, directories: [second, first] })).rejects
        .toThrow(/belongs to node 2 of cluster cluster-a/);
    }
    expect(existsSync(second)).toBe(false);
    const again = { ...wanted, directories: [first, second], isContentWithFormatted: true };
    expect((await formatStorage(env, again)).map(({ isNew }) => isNew)).toEqual([false, true]);
    expect(readFileSync(join(first, "meta.properties"), "utf8")).toBe(before);
    await expect(formatStorage(env, { ...again, nodeId: 3 })).rejects.toThrow(/belongs to node 2/);
  });

  test("refuses data without an identity, a broken identity, and what is no id", async () => {
    using root = temporaryDirectory();
    const path = join(root.path, "1");
    mkdirSync(join(path, "orders-0"), { recursive: true });
    const options = { ...wanted, directories: [path] };
    await expect(formatStorage(env, options)).rejects.toThrow(/it holds 'orders-0'/);
    writeFileSync(join(path, "meta.properties"), "version=7\n");
    await expect(formatStorage(env, options)).rejects.toThrow(/version is 7/);
    for (const clusterId of ["", "-x", "a b", "x".repeat(65)]) {
      await expect(formatStorage(env, { ...options, clusterId })).rejects.toThrow(
        /Invalid cluster/,
      );
    }
  });
});
