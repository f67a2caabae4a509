/** The harness of clusters: what was started is gone afterwards, whatever happened. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import process from "node:process";
import { mq } from "./broker.ts";
import { Cluster } from "./cluster.ts";
import { freePorts } from "./free_port.ts";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("freePorts()", () => {
  test("gives different ports that nobody gets by chance", async () => {
    const ports = await freePorts(20);
    expect(new Set(ports).size).toBe(20);
    expect(ports.every((port) => port > 1024 && port < 32_768)).toBe(true);
  });
});

describe("Cluster", () => {
  for (const isProxied of [false, true]) {
    test(`runs three nodes, and nothing is left of them${isProxied ? ", with links" : ""}`, async () => {
      const pids: number[] = [];
      let directory = "";
      {
        await using cluster = await Cluster.start({ isProxied });
        directory = cluster.node(1).dataDirectory;
        expect(existsSync(directory)).toBe(true);
        const listed = await mq(["cluster", "brokers", "-f", "name"], cluster.node(3));
        expect(listed.text, listed.stderr).toBe("1\n2\n3\n");
        await cluster.node(1).kill();
        await cluster.node(1).start();
        cluster.node(2).pause(); // what is stopped is ended as well
        for (const node of cluster.nodes) {
          expect(isAlive(node.pid)).toBe(true);
          pids.push(node.pid);
        }
        expect(cluster.node(1).lifeCount).toBe(2);
      }
      expect(pids.filter(isAlive)).toEqual([]);
      expect(existsSync(directory)).toBe(false);
    });
  }

  test("leaves nothing behind when a node does not start", async () => {
    const words = (id: number): readonly string[] => id === 2 ? ["-X", "num.partitions=no"] : [];
    await expect(Cluster.start({ words })).rejects.toThrow(/Cannot start a node/);
  });
});
