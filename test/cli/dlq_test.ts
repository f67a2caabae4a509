/** `mq dlq`: what lies in dead-letter topics, and putting it back, each letter once. */
import { describe, expect, test } from "bun:test";
import { deadLetter, originOf, redriven, replaysOf } from "../../cli/dead_letter.ts";
import { runProgram } from "../../cli/program.ts";
import { formatMark, lowerEnds, parseMark } from "../../cli/redrive_mark.ts";
import { FakeIo, type FakeIoOptions } from "./fake_io.ts";
import { LogCluster, type StoredRecord } from "./log_cluster.ts";

interface Ran {
  readonly code: number;
  readonly output: string;
  readonly talk: string;
}

async function mq(
  line: string | readonly string[],
  cluster: LogCluster,
  options: FakeIoOptions = {},
): Promise<Ran> {
  const args = typeof line === "string" ? line.split(" ") : line;
  const io = new FakeIo({ isHasty: true, ...options, args });
  const code = await runProgram(io, () => cluster.library());
  return { code, output: io.output, talk: io.talk };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function letterOf(value: string, topic: string, more: StoredRecord["headers"] = []): StoredRecord {
  const record = {
    ...{ topic, partition: 0, offset: 41, timestamp: 9 },
    ...{ key: bytes("k"), value: bytes(value), headers: [["own", bytes("1")] as const, ...more] },
  };
  return { key: "k", value, timestamp: 9, headers: deadLetter(record, "exit 5: why", 3).headers };
}

/** Letters of `jobs` in jobs.dlq, and jobs with one record. */
function cluster(...values: readonly string[]): LogCluster {
  const made = new LogCluster();
  made.topic("jobs", ["first"]);
  made.topics.set("jobs.dlq", [values.map((value) => letterOf(value, "jobs"))]);
  return made;
}

const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `v${index}`);

describe("deadLetter()", () => {
  test("keeps the record's own headers, and tells of the last failure only", () => {
    const record = { topic: "a", partition: 1, offset: 2, timestamp: 3, key: null, value: null };
    const first = deadLetter({ ...record, headers: [["h", null]] }, "exit 1", 2);
    const again = deadLetter({ ...record, topic: "b", headers: first.headers }, "exit 9", 1);
    expect(again.headers.map(([name]) => name)).toEqual([
      "h",
      "mq-dlq-topic",
      "mq-dlq-partition",
      "mq-dlq-offset",
      "mq-dlq-error",
      "mq-dlq-attempts",
    ]);
    expect(originOf(again.headers)).toEqual({
      topic: "b",
      partition: 1,
      offset: 2,
      error: "exit 9",
      attempts: 1,
    });
    expect(originOf([["h", null]])).toBeUndefined();
  });

  test("redriven() takes its headers off again, and counts", () => {
    const record = { topic: "q", partition: 0, offset: 0, timestamp: 3, key: null, value: null };
    const { headers } = deadLetter({ ...record, headers: [] }, "exit 1", 2);
    const once = redriven({ ...record, headers }, "q-0-0");
    const twice = redriven({ ...record, headers: once.headers }, "q-0-5");
    expect(twice.headers.map(([name]) => name)).toEqual(["mq-dlq-replays", "mq-redrive-id"]);
    expect(replaysOf(twice.headers)).toBe(2);
  });
});

describe("parseMark()", () => {
  test("reads what formatMark() writes, and takes nothing else for a mark", () => {
    const mark = {
      run: "1.2",
      at: 5,
      ends: new Map([["t", new Map([[0, 7], [3, 8]])]]),
      left: [2, 3, 4, 9],
    };
    expect(parseMark(formatMark(mark))).toEqual(mark);
    const free = { run: undefined, at: 5, ends: new Map(), left: [] };
    expect(parseMark(formatMark(free))).toEqual(free);
    for (const text of ["", "x", "null", "[]", "{}", '{"at":"x"}', '{"at":1,"ends":null}']) {
      expect(parseMark(text)).toBeUndefined();
    }
    expect(parseMark('{"at":1,"ends":{"t":[[0,1],["x",2],3]}}')?.ends.get("t")).toEqual(
      new Map([[0, 1]]),
    );
  });

  test("lowerEnds() keeps all places, and of both the lower", () => {
    const one = new Map([["t", new Map([[0, 7], [1, 2]])]]);
    const other = new Map([["t", new Map([[0, 5], [2, 9]])], ["u", new Map([[0, 1]])]]);
    expect(lowerEnds(one, other)).toEqual(
      new Map([["t", new Map([[0, 5], [1, 2], [2, 9]])], ["u", new Map([[0, 1]])]]),
    );
    expect(one.get("t")?.get(0)).toBe(7);
  });
});

describe("mq dlq list", () => {
  test("knows them by their names, and counts what waits", async () => {
    const made = cluster("a", "b");
    made.topic("other-dead-letters");
    made.topic("dlq-notes");
    made.group("mq-redrive.jobs.dlq", { "jobs.dlq 0": 1 });
    expect((await mq("dlq list", made)).output).toBe(
      "TOPIC\tCOUNT\tWAITING\njobs.dlq\t2\t1\nother-dead-letters\t0\t0\n",
    );
    expect((await mq("dlq list dlq-* -f name", made)).output).toBe("dlq-notes\n");
    expect((await mq("dlq list nosuch*", made)).code).toBe(0);
    for (const command of ["list", "show", "redrive --yes", "drop -o start:end --yes"]) {
      expect((await mq(`dlq ${command} nosuch`, made)).code).toBe(3);
    }
  });
});

describe("mq dlq show", () => {
  test("shows where letters came from, and why", async () => {
    const made = cluster("a", "b\nc");
    expect((await mq("dlq show jobs.dlq --no-header", made)).output).toBe(
      "0\t0\tjobs-0@41\t3\t0\texit 5: why\ta\n0\t1\tjobs-0@41\t3\t0\texit 5: why\tb c\n",
    );
    const [letter] = JSON.parse((await mq("dlq show jobs.dlq -n 1 --json", made)).output);
    expect([letter.value, letter.error, letter.origin.offset]).toEqual(["a", "exit 5: why", 41]);
    made.group("mq-redrive.jobs.dlq", { "jobs.dlq 0": 1 });
    expect((await mq("dlq show jobs.dlq -f name", made)).output).toBe("jobs.dlq-0-1\n");
    expect((await mq("dlq show jobs.dlq -f name --all", made)).output).toMatch("jobs.dlq-0-0\n");
    const missing = await mq("dlq show nosuch", made);
    expect(missing.code).toBe(3);
  });
});

describe("mq dlq redrive", () => {
  test("puts each back where it came from, once", async () => {
    const made = cluster("a", "b");
    const dry = JSON.parse((await mq("dlq redrive jobs.dlq --dry-run --json", made)).output);
    expect(dry).toEqual({
      topic: "jobs.dlq",
      dryRun: true,
      would: 2,
      alreadyThere: 0,
      refused: [],
    });
    expect(made.values("jobs")).toEqual(["first"]);
    expect(made.groups.size).toBe(0);
    expect((await mq("dlq redrive jobs.dlq", made)).code).toBe(2);
    expect((await mq("dlq redrive jobs.dlq --yes", made)).code).toBe(0);
    expect(made.values("jobs")).toEqual(["first", "a", "b"]);
    const again = JSON.parse((await mq("dlq redrive jobs.dlq --yes --json", made)).output);
    expect(again.moved).toBe(0);
    expect(made.values("jobs")).toHaveLength(3);
    const back = made.records("jobs")[1];
    expect([back?.key, back?.timestamp]).toEqual(["k", 9]);
    expect(
      back?.headers.map(([name, value]) =>
        `${name}=${new TextDecoder().decode(value ?? undefined)}`
      ),
    )
      .toEqual(["own=1", "mq-dlq-replays=1", "mq-redrive-id=jobs.dlq-0-0"]);
  });

  test("edits the values; a newline that only the editor added goes", async () => {
    const made = cluster("a");
    const shell = ({ input, command }: { input: string; command: string }): object => ({
      output: `${command}:${input}\n`,
    });
    await mq(["dlq", "redrive", "jobs.dlq", "--edit", "x y", "--yes"], made, { shell });
    expect(made.values("jobs").at(-1)).toBe("x y:a");
    const broken = cluster("a");
    const failed = await mq("dlq redrive jobs.dlq --edit x --yes", broken, {
      shell: () => ({ code: 2, errors: "oh\n" }),
    });
    expect(failed.code).toBe(1);
    expect(failed.talk).toMatch("Cannot edit the letter at offset 0 of jobs.dlq-0: exit 2: oh");
    expect(broken.values("jobs")).toHaveLength(1);
  });

  test("a run that is killed anywhere is gone on with: every letter once", async () => {
    const values = many(250);
    for (const sendsLeft of [0, 1, 57, 99, 100, 101, 199, 250]) {
      const made = cluster(...values);
      made.sendsLeft = sendsLeft;
      await mq("dlq redrive jobs.dlq --yes", made);
      made.sendsLeft = 80; // killed a second time
      await mq("dlq redrive jobs.dlq --yes", made);
      made.sendsLeft = Infinity;
      expect((await mq("dlq redrive jobs.dlq --yes -q", made)).code).toBe(0);
      expect(made.values("jobs").slice(1).toSorted()).toEqual([...values].toSorted());
      expect((await mq("dlq list --json", made)).output).toMatch('"waiting":0');
    }
  });

  test("two at a time send nothing twice", async () => {
    const values = many(150);
    const made = cluster(...values);
    const runs = await Promise.all([
      mq("dlq redrive jobs.dlq --yes", made),
      mq("dlq redrive jobs.dlq --yes", made, { pid: 8 }),
    ]);
    expect(runs.map(({ code }) => code).toSorted()).toEqual([0, 1]);
    expect(runs.map(({ talk }) => talk).join()).toMatch("Another redrive of jobs.dlq is at work");
    expect((await mq("dlq redrive jobs.dlq --yes", made)).code).toBe(0);
    expect(made.values("jobs").slice(1).toSorted()).toEqual([...values].toSorted());
  });

  test("guards against loops, and leaves what does not say where it came from", async () => {
    const made = cluster("a");
    const replayed: StoredRecord["headers"] = [["mq-dlq-replays", bytes("3")]];
    made.topics.set("jobs.dlq", [[
      letterOf("looped", "jobs", replayed),
      { key: null, value: "stray", headers: [] },
      letterOf("good", "jobs"),
    ]]);
    const { code, talk } = await mq("dlq redrive jobs.dlq --yes", made);
    expect(code).toBe(1);
    expect(talk).toMatch("it was put back 3 times already");
    expect(talk).toMatch("it does not say where it came from");
    expect(talk).toMatch("The next redrive tries them again");
    expect(made.values("jobs")).toEqual(["first", "good"]);
  });

  test("--to sends all of them elsewhere; a target that is missing is 3", async () => {
    const made = cluster("a");
    made.topic("repaired");
    expect((await mq("dlq redrive jobs.dlq --to nosuch --yes", made)).code).toBe(3);
    expect((await mq("dlq redrive jobs.dlq --to jobs.dlq --yes", made)).code).toBe(2);
    expect((await mq("dlq redrive jobs.dlq --to repaired --yes", made)).code).toBe(0);
    expect(made.values("repaired")).toEqual(["a"]);
    expect(made.values("jobs")).toEqual(["first"]);
  });
});

describe("mq dlq drop", () => {
  test("deletes from the oldest on, and asks before", async () => {
    const made = cluster("a", "b", "c");
    made.group("mq-redrive.jobs.dlq", { "jobs.dlq 0": 1 });
    expect((await mq("dlq drop jobs.dlq", made)).code).toBe(2);
    expect((await mq("dlq drop jobs.dlq -o 1:2 --yes", made)).code).toBe(2);
    const asked = await mq("dlq drop jobs.dlq -o start:end", made);
    expect(asked.talk).toMatch("Delete 3 dead letters of jobs.dlq, 2 of which were not put back");
    await mq("dlq drop jobs.dlq -o :2 --dry-run", made);
    expect(made.starts.size).toBe(0);
    expect((await mq("dlq drop jobs.dlq --redriven --yes", made)).code).toBe(0);
    expect(made.starts.get("jobs.dlq-0")).toBe(1);
    const { output } = await mq("dlq drop jobs.dlq -o start:end --yes --json", made);
    expect(JSON.parse(output).removed).toBe(2);
    expect(made.starts.get("jobs.dlq-0")).toBe(3);
  });
});
