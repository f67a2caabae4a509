/** `mq topic trim`: what is planned, told, asked and done. */
import { describe, expect, test } from "bun:test";
import type { Library } from "../../cli/context.ts";
import { resolveOffsets } from "../../src/client/offset_range.ts";
import { codedError, FakeCluster } from "./fake_library.ts";
import { type Run, run as runProgram } from "./run_program.ts";

interface FakePartition {
  start: number;
  readonly end: number;
  readonly error?: string;
}

/** One topic, "logs"; the record at offset N is of the minute N before noon of the fake clock. */
class TrimCluster extends FakeCluster {
  policy = "delete";
  readonly partitions: readonly FakePartition[];
  readonly asked: unknown[] = [];

  constructor(partitions: readonly FakePartition[]) {
    super();
    this.partitions = partitions;
  }

  override library(): Promise<Library> {
    const admin = {
      listOffsets: async (topic: string, spec: unknown, { partitions = this.#all() }) => {
        await Promise.resolve();
        if (topic !== "logs") throw codedError("UNKNOWN_TOPIC_OR_PARTITION");
        return partitions.map((partition: number) => {
          const { start, end } = this.partitions[partition] as FakePartition;
          const offset = spec === "start" ? start : spec === "end" ? end : timed(spec, end);
          return { partition, offset };
        });
      },
      describeConfigs: () =>
        Promise.resolve([{ configs: [{ name: "cleanup.policy", value: this.policy }] }]),
      deleteRecords: (topic: string, offsets: ReadonlyMap<number, number>) => {
        this.asked.push([topic, ...offsets]);
        return Promise.resolve([...offsets].map(([partition, offset]) => {
          const found = this.partitions[partition] as FakePartition;
          const { error } = found;
          if (error !== undefined) return { partition, error: codedError(error) };
          found.start = offset;
          return { partition, lowWatermark: offset };
        }));
      },
    };
    const client = { admin, [Symbol.asyncDispose]: () => Promise.resolve() };
    const connect = (): Promise<unknown> => Promise.resolve(client);
    const library = { connect, createHostEnv: () => ({}), resolveOffsets };
    return Promise.resolve(library as unknown as Library);
  }

  #all(): readonly number[] {
    return this.partitions.map((_, partition) => partition);
  }
}

const NOON_MS = Date.parse("2026-06-01T12:00:00Z");

function timed(spec: unknown, end: number): number {
  const { timestamp } = spec as { timestamp: number };
  const offset = Math.max(Math.ceil((timestamp - NOON_MS) / 60_000) + end, 0);
  return offset < end ? offset : -1;
}

function cluster(): TrimCluster {
  return new TrimCluster([{ start: 0, end: 100 }, { start: 50, end: 60 }]);
}

async function run(typed: string, on = cluster()): Promise<Run & { on: TrimCluster }> {
  return { ...await runProgram(`topic trim ${typed}`, on), on };
}

describe("mq topic trim", () => {
  test("tells what was removed, partition by partition", async () => {
    const { output, talk, code } = await run("logs -o end --yes");
    expect(output).toBe(
      "PARTITION\tOLD-START\tNEW-START\tREMOVED\n0\t0\t100\t100\n1\t50\t60\t10\n",
    );
    expect(talk).toBe("deleted 110 records of topic logs\n");
    expect(code).toBe(0);
  });

  test("takes every point of the offset grammar", async () => {
    const starts = async (words: string): Promise<readonly number[]> => {
      const { on, code } = await run(`logs ${words} --yes`);
      expect(code).toBe(0);
      return on.partitions.map(({ start }) => start);
    };
    expect(await starts("-o start")).toEqual([0, 50]);
    expect(await starts("-o 55")).toEqual([55, 55]);
    expect(await starts("-o 40")).toEqual([40, 50]);
    expect(await starts("-o +5")).toEqual([5, 55]);
    expect(await starts("-o -10")).toEqual([90, 50]);
    expect(await starts("-o @-1h")).toEqual([40, 50]);
    expect(await starts("-o @2026-06-01T11:55:00Z")).toEqual([95, 55]);
    expect(await starts("-o @now")).toEqual([100, 60]);
    expect(await starts("-o end -p 1")).toEqual([0, 60]);
  });

  test("an offset behind the end is refused, and the other partitions are trimmed", async () => {
    const { code, talk, output, on } = await run("logs -o 70 --yes --no-header");
    expect(code).toBe(1);
    expect(talk).toContain("Cannot trim logs-1 to offset 70: it ends at 60");
    expect(output).toBe("0\t0\t70\t70\n");
    expect(on.asked).toEqual([["logs", [0, 70]]]);
    const json = JSON.parse((await run("logs -o 70 --yes --json")).output);
    expect(json.results[1].error.code).toBe("OFFSET_OUT_OF_RANGE");
  });

  test("--dry-run deletes nothing and says what it would", async () => {
    const { output, talk, on } = await run("logs -o 90 -p 0 --dry-run");
    expect(output).toContain("0\t0\t90\t90\n");
    expect(talk).toBe("would delete 90 records of topic logs\n");
    expect(on.asked).toEqual([]);
    on.policy = "compact";
    const refused = await run("logs -o end --dry-run", on);
    expect([refused.code, refused.talk]).toEqual([1, refused.talk]);
    expect(refused.talk).toContain("its cleanup.policy is compact");
    on.policy = "compact,delete";
    expect((await run("logs -o end --dry-run", on)).code).toBe(0);
  });

  test("--json tells it as one object", async () => {
    const { output } = await run("logs -o -10 --yes --json");
    expect(JSON.parse(output)).toEqual({
      topic: "logs",
      dryRun: false,
      removed: 90,
      results: [
        { partition: 0, oldStart: 0, newStart: 90, removed: 90 },
        { partition: 1, oldStart: 50, newStart: 50, removed: 0 },
      ],
    });
  });

  test("what the broker refuses is told, with the exit code of its error", async () => {
    const on = new TrimCluster([{ start: 0, end: 9, error: "POLICY_VIOLATION" }]);
    const { code, output } = await run("logs -o end --yes --json", on);
    expect(code).toBe(1);
    expect(JSON.parse(output).error.code).toBe("POLICY_VIOLATION");
    expect((await run("nosuch -o end --yes")).code).toBe(3);
  });

  test("never asks where nobody can answer, and then changes nothing", async () => {
    const { code, talk, on } = await run("logs -o end -p 0-1");
    expect(code).toBe(2);
    expect(talk).toContain(
      "Delete the records of topic logs, partitions 0-1, before end: not without a confirmation",
    );
    expect(on.asked).toEqual([]);
    const terminals = ["stdin", "stdout", "stderr"] as const;
    const typed = "topic trim logs -o end";
    expect((await runProgram(typed, on, { terminals, input: ["n\n"] })).code).toBe(1);
    expect(on.asked).toEqual([]);
    expect((await runProgram(typed, on, { terminals, input: ["y\n"] })).code).toBe(0);
    expect(on.asked).toHaveLength(1);
  });

  test("wants one point", async () => {
    expect((await run("logs --yes")).talk).toContain("Missing flag --offset");
    for (const range of ["5:", "5:9", ":end", "@-1h:now", "soon", ""]) {
      expect((await run(`logs -o=${range} --yes`)).code).toBe(2);
    }
  });
});
