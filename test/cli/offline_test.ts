/** `mq log …` and `mq storage info` on real directories: what they print, in which form, with which code. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../../cli/program.ts";
import { Prng } from "../../src/ground/prng.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../harness/temporary_directory.ts";
import { DamagedLog } from "../log/offline/damaged_log.ts";
import { FakeIo, type FakeIoOptions } from "./fake_io.ts";

interface Ran {
  readonly code: number;
  readonly output: string;
  readonly talk: string;
}

async function run(args: readonly string[], options: FakeIoOptions = {}): Promise<Ran> {
  const io = new FakeIo({ ...options, args });
  const code = await runProgram(io, () => import("../../src/mod.ts"));
  return { code, output: io.output, talk: io.talk };
}

interface OnDisk extends Disposable {
  readonly root: string;
  readonly folder: string;
  readonly log: DamagedLog;
}

/** A data directory with one partition, as `hurt` leaves it. */
async function onDisk(hurt: (log: DamagedLog) => void = () => undefined): Promise<OnDisk> {
  const setting = { segmentBytes: 4000, batches: 40, isClean: true };
  const log = await DamagedLog.make(new Prng(11), setting);
  hurt(log);
  const directory: TemporaryDirectory = temporaryDirectory();
  mkdirSync(join(directory.path, "data/orders-0"), { recursive: true });
  for (const [path, { content }] of log.disk.files) writeFileSync(directory.path + path, content);
  const root = `${directory.path}/data`;
  return {
    root,
    folder: `${root}/orders-0`,
    log,
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  };
}

function jsonLines(text: string): readonly Record<string, unknown>[] {
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

/** Damages the batch with this index in place. */
function hurtBatch(index: number): (log: DamagedLog) => void {
  return (log) => {
    const batch = log.batches[index];
    log.flip(batch?.file as string, (batch?.position as number) + 65, 1);
  };
}

const FIRST = "00000000000000000000";

describe("mq log dump", () => {
  test("prints the batches of a log in columns, and records behind a TAB", async () => {
    using disk = await onDisk();
    const { code, output } = await run(["log", "dump", `${disk.folder}/${FIRST}.log`, "-n", "2"]);
    expect(code).toBe(0);
    const [head, first, second, ...more] = output.trimEnd().split("\n");
    expect(head).toMatch(/^POSITION\tSIZE\tBASE-OFFSET\tLAST-OFFSET\tCOUNT\tCODEC\tTIME-TYPE\t/);
    expect(first?.split("\t")[0]).toBe("0");
    expect(second?.split("\t")[0]).toBe(String(disk.log.batches[1]?.position));
    expect(more).toEqual([]);
    const records = await run(["log", "dump", "--records", `${disk.folder}/${FIRST}.log`]);
    expect(records.output.split("\n").filter((line) => /^\t\d+\t1970-/.test(line)).length)
      .toBeGreaterThan(10);
  });

  test("--json has one object a line, of these shapes", async () => {
    using disk = await onDisk(hurtBatch(1));
    const file = `${disk.folder}/${FIRST}.log`;
    const { code, output } = await run(["log", "dump", "--json", "--records", file]);
    expect(code).toBe(10);
    const shapes = new Map(
      jsonLines(output).map((item) => [item["kind"], Object.keys(item).join(" ")]),
    );
    expect(shapes.get("file")).toBe("kind path file state baseOffset bytes");
    expect(shapes.get("batch")).toBe(
      "kind position sizeInBytes baseOffset lastOffset recordCount crc isCrcValid compressionType " +
        "timestampType maxTimestamp producerId producerEpoch baseSequence lastSequence " +
        "isTransactional isControl leaderEpoch deleteHorizon",
    );
    expect(shapes.get("record")).toMatch(/^kind topic partition offset timestamp key value/);
    expect(shapes.get("damage")).toBe("kind position sizeInBytes reason claims");
    expect(shapes.get("summary")).toBe("kind batches records entries damagedPlaces nextOffset");
    const damage = jsonLines(output).find(({ kind }) => kind === "damage");
    expect(damage?.["position"]).toBe(disk.log.batches[1]?.position);
    expect(jsonLines(output).at(-1)?.["damagedPlaces"]).toBe(1);
  });

  test("begins at --from-offset, by the index beside", async () => {
    using disk = await onDisk();
    const batch = disk.log.batches.filter(({ file }) => file === `${FIRST}.log`).at(-1);
    const wanted = String(batch?.baseOffset);
    const file = `${disk.folder}/${FIRST}.log`;
    const { output } = await run(["log", "dump", "--json", "--from-offset", wanted, file]);
    const batches = jsonLines(output).filter(({ kind }) => kind === "batch");
    expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([batch?.baseOffset]);
  });

  test("takes every kind of file by its name", async () => {
    using disk = await onDisk();
    writeFileSync(`${disk.folder}/${FIRST}.index.deleted`, new Uint8Array(16));
    const files = readdirSync(disk.folder).map((name) => `${disk.folder}/${name}`);
    const others = ["meta.properties", ".cleanshutdown", "recovery-point-offset-checkpoint"];
    const all = [...files, ...others.map((name) => `${disk.root}/${name}`)];
    const { code, output } = await run(["log", "dump", "--json", ...all]);
    expect(code).toBe(0);
    const items = jsonLines(output);
    expect(items.filter(({ kind }) => kind === "file")).toHaveLength(all.length);
    const entries = items.map((item) => JSON.stringify(item));
    const { endOffset } = disk.log;
    expect(entries).toContain(
      `{"kind":"entry","topic":"orders","partition":0,"offset":${endOffset}}`,
    );
    expect(entries).toContain('{"kind":"entry","name":"node.id","value":"1"}');
    expect(entries).toContain('{"kind":"entry","leaderEpoch":0,"startOffset":0}');
  });

  test("refuses what is not there, and what it cannot tell", async () => {
    using disk = await onDisk();
    expect((await run(["log", "dump", "/nowhere/x.log"])).code).toBe(3);
    const folder = await run(["log", "dump", disk.folder]);
    expect(folder.code).toBe(2);
    expect(folder.talk).toContain("mq log verify takes folders");
  });
});

describe("mq log verify", () => {
  test("gives 0 for a sound directory and 10 for a damaged one, with a line for each finding", async () => {
    using sound = await onDisk();
    const well = await run(["log", "verify", sound.root]);
    expect([well.code, well.output]).toEqual([0, ""]);
    expect(well.talk).toMatch(/^1 partition, 40 batches, .*: 0 damage, 0 warnings\n$/);
    using hurt = await onDisk(hurtBatch(7));
    const { code, output } = await run(["log", "verify", hurt.root]);
    const batch = hurt.log.batches[7];
    expect(code).toBe(10);
    expect(output).toBe(
      `damage\t${hurt.folder}/${batch?.file} byte ${batch?.position}+${batch?.bytes.length} ` +
        `${spanOf(batch)}\t${
          /CRC is [^\t]*/.exec(output)?.[0]
        }\tmq log repair shows what can be done\n`,
    );
  });

  test("--json is one object, -f ndjson one finding a line", async () => {
    using disk = await onDisk(hurtBatch(3));
    const { output } = await run(["log", "verify", disk.root, "--json"]);
    const report = JSON.parse(output);
    expect(Object.keys(report).join(" ")).toBe(
      "directories partitions isBrokerRunning bytes batches damage warnings findings",
    );
    expect(report.directories).toEqual([{ path: disk.root, state: "clean" }]);
    expect(Object.keys(report.partitions[0]).join(" "))
      .toBe("path startOffset endOffset batches lost");
    const finding = "severity code path position sizeInBytes offsets message remedy";
    expect(Object.keys(report.findings[0]).join(" ")).toBe(finding);
    const lines = jsonLines((await run(["log", "verify", disk.root, "-f", "ndjson"])).output);
    expect(lines.map((line) => line["code"])).toEqual(["batch-damaged"]);
  });

  test("gives 3 where there is no such directory, as JSON too", async () => {
    const { code, output } = await run(["log", "verify", "/nowhere", "--json"]);
    expect(code).toBe(3);
    expect(JSON.parse(output).error.code).toBe("NOT_FOUND");
  });
});

describe("mq log repair", () => {
  test("shows the plan and changes nothing without --yes", async () => {
    using disk = await onDisk(hurtBatch(7));
    const before = readdirSync(disk.folder);
    const { code, output, talk } = await run(["log", "repair", disk.root]);
    expect(code).toBe(10);
    expect(output.split("\n").map((line) => line.split("\t")[0]).join(" "))
      .toMatch(/^move move (move )?cut lost keeps $/);
    expect(output).toContain(`lost\t${disk.folder}\t${spanOf(disk.log.batches[7])}\t`);
    expect(talk).toContain("nothing was changed; --yes does it");
    expect(readdirSync(disk.folder)).toEqual(before);
    expect((await run(["log", "repair", disk.root, "--yes", "--dry-run"])).code).toBe(2);
  });

  test("--yes does it: sound afterwards, and the damaged bytes are kept", async () => {
    using disk = await onDisk(hurtBatch(7));
    const { code, output } = await run(["log", "repair", disk.root, "--yes", "--json"]);
    expect(code).toBe(0);
    const { isExecuted, partitions: [repaired] } = JSON.parse(output);
    expect(isExecuted).toBeTrue();
    expect(Object.keys(repaired).join(" ")).toBe(
      "path startOffset endOffset resumeOffset steps lost refusal keptIn isSound findings",
    );
    expect(repaired.isSound).toBeTrue();
    const batch = disk.log.batches[7];
    expect(repaired.lost).toEqual([{ from: batch?.baseOffset, until: batch?.nextOffset }]);
    expect(readdirSync(repaired.keptIn)).toContain("repair.json");
    const kept = `${repaired.keptIn}/${batch?.file}.${batch?.position}-damaged`;
    expect((await run(["log", "dump", kept])).output).toMatch(/^! damaged at byte 0, /);
    const after = await run(["log", "verify", disk.root]);
    expect(after.code).toBe(0);
    expect((await run(["log", "repair", disk.root, "--yes"])).code).toBe(0);
  });

  test("tells where a log goes on that has lost its tail, and that nothing is left of one", async () => {
    using disk = await onDisk((log) => {
      for (const name of log.names(".log").slice(1)) log.remove(name);
      log.truncate(`${FIRST}.log`, 100);
    });
    const { endOffset } = disk.log;
    const name = `${String(endOffset).padStart(20, "0")}.log`;
    const { output } = await run(["log", "repair", disk.root]);
    expect(output).toContain(`\nlost\t${disk.folder}\toffsets 0 to ${endOffset - 1}\t`);
    expect(output).toContain(`\nkeeps\t${disk.folder}\t-\tno records are left\n`);
    expect(output).toContain(`\ngoes-on\t${disk.folder}/${name}\toffset ${endOffset}\t`);
    const { code, talk } = await run(["log", "repair", disk.root, "--yes"]);
    expect(code).toBe(0);
    expect(talk).toMatch(/\n1 partition repaired, 0 left with damage, /);
    expect(readdirSync(disk.folder)).toContain(name);
    expect((await run(["log", "verify", disk.root])).code).toBe(0);
  });
});

describe("mq storage info", () => {
  test("tells whose a directory is, how full, and what lies in it", async () => {
    using disk = await onDisk();
    const { code, output } = await run(["storage", "info", disk.root, "--json"]);
    expect(code).toBe(0);
    const [stored] = JSON.parse(output);
    expect(Object.keys(stored).join(" ")).toBe(
      "path directoryId clusterId nodeId identityFlaw state freeBytes totalBytes partitions aside " +
        "foreign sizeInBytes reserveBytes lockedBy",
    );
    expect([stored.clusterId, stored.nodeId, stored.state]).toEqual(["c", 1, "clean"]);
    expect(Object.keys(stored.partitions[0]).join(" ")).toBe(
      "topic partition path topicId sizeInBytes segments startOffset endOffset recoveryPoint " +
        "deletedBytes repairBytes",
    );
    expect(stored.partitions[0].endOffset).toBe(disk.log.endOffset);
    const text = await run(["storage", "info", disk.root]);
    expect(text.output).toContain("state\tclean\n");
    expect(text.output).toMatch(/\nTOPIC\tPARTITION\tSIZE\t/);
    expect((await run(["storage", "info", disk.root, "-f", "name"])).output).toBe(
      `${disk.folder}\n`,
    );
  });

  test("without an argument it is the broker's default, which may not be there", async () => {
    const { code, talk } = await run(["storage", "info"]);
    expect(code).toBe(3);
    expect(talk).toContain("/home/fake/.local/share/mq");
  });
});

function spanOf(batch: DamagedLog["batches"][number] | undefined): string {
  const { baseOffset = 0, nextOffset = 0 } = batch ?? {};
  return nextOffset - baseOffset === 1
    ? `offset ${baseOffset}`
    : `offsets ${baseOffset} to ${nextOffset - 1}`;
}
