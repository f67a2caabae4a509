import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { Prng } from "../../../src/ground/prng.ts";
import type { Finding } from "../../../src/log/offline/finding.ts";
import { storageInfo } from "../../../src/log/offline/storage_info.ts";
import { verifyLogs, type VerifyReport } from "../../../src/log/offline/verify_directory.ts";
import { BatchBuilder } from "../../../src/record/batch_builder.ts";
import { DamagedLog, damageOf, DIRECTORY, ROOT, write } from "./damaged_log.ts";

function codesOf(findings: readonly Finding[]): readonly string[] {
  return [...new Set(findings.map(({ severity, code }) => `${severity} ${code}`))].sort();
}

function makeLog(isClean = false): Promise<DamagedLog> {
  return DamagedLog.make(new Prng(3), { segmentBytes: 4000, batches: 60, isClean });
}

const TOPIC_ID = "P07ZTVFuTPmV-Z44bn97Zg";

/** A metadata log whose records are JSON, for a decoder that knows JSON. */
function putMetadata(log: DamagedLog, records: readonly object[]): void {
  const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType: "none" });
  for (const record of records) {
    const value = new TextEncoder().encode(JSON.stringify(record));
    builder.append({ key: null, value, timestamp: 1 });
  }
  const fields = { baseOffset: 0, partitionLeaderEpoch: 0 };
  const tools = { crc32c: crc32cTables, compress: (_: string, bytes: Uint8Array) => bytes };
  const folder = `${ROOT}/__cluster_metadata-0`;
  log.disk.makeDirectory(folder);
  write(log.disk, `${folder}/00000000000000000000.log`, builder.finish(fields, tools));
  write(log.disk, `${folder}/leader-epoch-checkpoint`, "0\n1\n0 0\n");
  write(log.disk, `${folder}/partition.metadata`, "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n");
}

function verify(log: DamagedLog, paths: readonly string[] = [ROOT]): Promise<VerifyReport> {
  const decodeMetadata = (bytes: Uint8Array): unknown => {
    return JSON.parse(new TextDecoder().decode(bytes));
  };
  return verifyLogs({ disk: log.disk, crc32c: crc32cTables, paths, decodeMetadata });
}

const TOPIC = { kind: "topic", version: 0, name: "orders", topicId: TOPIC_ID };
const PARTITION = { kind: "partition", topicId: TOPIC_ID, partitionId: 0, replicas: [1] };

describe("verifyLogs()", () => {
  test("a torn tail is cut at the next start above the recovery point, and is damage below", async () => {
    const log = await makeLog();
    const name = log.names(".log").at(-1) as string;
    log.truncate(name, log.bytes(name).length - 3);
    expect(codesOf((await log.verify()).findings)).toContain("damage batch-damaged");

    const base = log.batches.at(-1)?.baseOffset ?? 0;
    write(log.disk, `${ROOT}/recovery-point-offset-checkpoint`, `0\n1\norders 0 ${base}\n`);
    const found = (await log.verify()).findings.filter(({ code }) => code === "tail-torn");
    expect(found).toHaveLength(1);
    expect(found[0]?.severity).toBe("warning");
  });

  test("beside a running broker half a batch at the end is no damage", async () => {
    const log = await makeLog();
    write(log.disk, `${ROOT}/.lock`, "");
    const lock = log.disk.lock(`${ROOT}/.lock`);
    const name = log.names(".log").at(-1) as string;
    write(log.disk, `${ROOT}/recovery-point-offset-checkpoint`, "0\n1\norders 0 10\n");
    log.truncate(name, log.bytes(name).length - 3);
    const report = await log.verify();
    expect(report.isRunning).toBeTrue();
    expect(codesOf(report.findings)).toEqual(["info tail-moving"]);
    await expect(log.repair(true)).rejects.toThrow(/a broker has the directory/);
    lock?.release();
    expect((await log.repair(true)).repaired).toHaveLength(1);
  });

  test("damage above the recovery point with sound batches behind: repair before the start", async () => {
    const log = await makeLog();
    write(log.disk, `${ROOT}/recovery-point-offset-checkpoint`, "0\n1\norders 0 0\n");
    const middle = log.batches[30];
    log.flip(middle?.file as string, (middle?.position as number) + 70, 1);
    const [found] = damageOf((await log.verify()).findings);
    expect(found?.remedy).toMatch(/before the broker starts/);
    expect(found?.offsets).toEqual({
      from: middle?.baseOffset as number,
      until: middle?.nextOffset as number,
    });
  });

  test("a gap is damage where the topic is known not to be compacted", async () => {
    for (const policy of [undefined, "delete", "compact"]) {
      const log = await makeLog();
      const config = { kind: "config", resourceType: "topic", resourceName: "orders" };
      const set = { ...config, name: "cleanup.policy", value: policy ?? null };
      putMetadata(log, [TOPIC, PARTITION, ...(policy === undefined ? [] : [set])]);
      const second = log.names(".log")[1] as string;
      for (const end of [".log", ".index", ".timeindex", ".txnindex", ".snapshot"]) {
        log.remove(second.replace(".log", end));
      }
      const codes = codesOf((await verify(log)).findings);
      if (policy === "compact") expect(codes).toEqual([]);
      else expect(codes).toEqual(["damage offset-gap"]);
    }
  });

  test("says what is not as the metadata log has it", async () => {
    const log = await makeLog();
    const other = { ...PARTITION, partitionId: 7 };
    putMetadata(log, [{ ...TOPIC, topicId: "x18IFitpRbuPqk2HeXNTrA" }, {
      ...other,
      topicId: "x18IFitpRbuPqk2HeXNTrA",
    }]);
    expect(codesOf((await verify(log)).findings)).toEqual([
      "warning partition-missing",
      "warning topic-id-wrong",
    ]);
    putMetadata(log, [{ ...TOPIC, name: "else" }]);
    expect(codesOf((await verify(log)).findings)).toEqual(["info topic-unknown"]);
  });

  test("tells of leftovers, foreign files, folders set aside and wrong files of the directory", async () => {
    const log = await makeLog();
    log.put("00000000000000000000.log.deleted", new Uint8Array(9));
    log.put("00000000000000000000.index.cleaned", new Uint8Array(9));
    log.put("notes.txt", new Uint8Array(9));
    log.disk.makeDirectory(`${ROOT}/old-0.${"ab".repeat(16)}-delete`);
    write(log.disk, `${ROOT}/lost+found`, "");
    write(log.disk, `${ROOT}/log-start-offset-checkpoint`, "0\n1\nnowhere 0 5\n");
    write(log.disk, `${ROOT}/replication-offset-checkpoint`, "garbage");
    write(log.disk, `${ROOT}/meta.properties`, "version=1\n");
    expect(codesOf((await log.verify()).findings)).toEqual([
      "damage identity-wrong",
      "info checkpoint-wrong",
      "info foreign",
      "info leftover",
      "info set-aside",
      "warning checkpoint-wrong",
    ]);
    const stored = storageInfo(log.disk, ROOT, 64);
    expect(stored.partitions[0]?.deletedBytes).toBe(9);
    expect(stored.partitions[0]?.endOffset).toBe(log.endOffset);
    expect(stored.aside).toHaveLength(1);
  });

  test("storageInfo() tells the reserve that acts", async () => {
    const log = await makeLog();
    log.disk.sizeBytes = 1600;
    expect(storageInfo(log.disk, ROOT, 64).reserveBytes).toBe(64);
    expect(storageInfo(log.disk, ROOT, 1000).reserveBytes).toBe(100);
    log.disk.sizeBytes = Infinity;
    expect(storageInfo(log.disk, ROOT, 1000).reserveBytes).toBe(1000);
  });

  test("one partition's folder is held to the directory around it", async () => {
    const log = await makeLog();
    const name = log.names(".log").at(-1) as string;
    log.truncate(name, log.bytes(name).length - 3);
    const report = await log.verify([DIRECTORY]);
    expect(report.partitions[0]?.hints.recoveryPoint).toBe(log.endOffset);
    expect(damageOf(report.findings)).toHaveLength(1);
    await expect(log.verify(["/nowhere"])).rejects.toThrow("There is no /nowhere");
  });

  test("a partition that lies in two directories is told of", async () => {
    const log = await makeLog();
    log.disk.makeDirectory("/more/orders-0");
    write(
      log.disk,
      "/more/meta.properties",
      "version=1\ncluster.id=c\nnode.id=1\ndirectory.id=d\n",
    );
    const report = await log.verify([ROOT, "/more"]);
    expect(codesOf(report.findings)).toContain("damage partition-twice");
  });

  test("a disk that does not give its bytes is not repaired", async () => {
    const log = await makeLog();
    log.disk.failNext("read", "io");
    const report = await log.repair(false);
    expect(report.plans[0]?.refusal).toMatch(/copy the folder/);
  });

  test("the metadata log is cut at its end, never in its middle", async () => {
    const log = await makeLog();
    putMetadata(log, [TOPIC, PARTITION]);
    const file = `${ROOT}/__cluster_metadata-0/00000000000000000000.log`;
    const sound = log.disk.readWhole(file) as Uint8Array;
    write(log.disk, file, Uint8Array.from([...sound, 0, 0, 0]));
    const tail = await log.repair(false);
    expect(tail.plans[0]?.refusal).toBeUndefined();
    expect(tail.plans[0]?.steps.map(({ kind }) => kind)).toEqual(["cut"]);
    const damaged = sound.slice();
    damaged[80] = (damaged[80] as number) ^ 1;
    write(log.disk, file, Uint8Array.from([...damaged, ...sound.slice(0, 8)]));
    write(log.disk, `${ROOT}/recovery-point-offset-checkpoint`, "0\n1\n__cluster_metadata 0 2\n");
    const middle = await log.repair(true);
    expect(middle.plans.map(({ refusal }) => refusal !== undefined)).toEqual([true]);
    expect(middle.repaired).toEqual([]);
  });
});
