import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import { bytesOf, textOf } from "../../../src/ground/text.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../../src/log/checkpoint_file.ts";
import { decodeIdentity } from "../../../src/log/directory/directory_identity.ts";
import { LogDirectory } from "../../../src/log/directory/log_directory.ts";
import { LogDirectoryFault } from "../../../src/log/directory/log_directory_fault.ts";
import { deletedName, parseFolderName } from "../../../src/log/directory/partition_folder.ts";
import { ManualClock } from "../../client/manual_clock.ts";
import { MemoryDisk } from "../memory_disk.ts";

const PATH = "/data";
const TOPIC_ID = "vzuDoFqlSeKm6yOmAVN6kQ" as Uuid;
const HEX = "0123456789abcdef0123456789abcdef";

function open(
  disk: MemoryDisk,
  more: { clusterId?: string; nodeId?: number } = {},
): Promise<LogDirectory> {
  return LogDirectory.open({
    path: PATH,
    disk,
    trace: { event: () => {} },
    clock: new ManualClock(),
    reserveBytes: 0,
    nodeId: more.nodeId ?? 1,
    newIds: { clusterId: "new-cluster", directoryId: "new-directory" },
    ...(more.clusterId === undefined ? {} : { clusterId: more.clusterId }),
  });
}

/** The code of the fault with which opening ends. */
async function refusal(opening: Promise<LogDirectory>): Promise<string> {
  try {
    await opening;
  } catch (fault) {
    if (fault instanceof LogDirectoryFault && fault.hint.length > 0) return fault.code;
    throw fault;
  }
  return "none";
}

describe("LogDirectory.open()", () => {
  test("gives a new directory its identity, durably", async () => {
    const disk = new MemoryDisk();
    const directory = await open(disk);
    expect(directory.identity).toEqual({
      clusterId: "new-cluster",
      nodeId: 1,
      directoryId: "new-directory",
    });
    expect(directory.wasClean).toBeFalse();
    await disk.syncDirectory("/");
    const again = await open(disk.crash(), { clusterId: "new-cluster" });
    expect(again.identity).toEqual(directory.identity);
  });

  test("refuses a directory in use, of another cluster or node, or damaged", async () => {
    const disk = new MemoryDisk();
    const directory = await open(disk, { clusterId: "mine" });
    expect(await refusal(open(disk))).toBe("IN_USE");
    directory.abandon();
    expect(await refusal(open(disk, { clusterId: "other" }))).toBe("WRONG_CLUSTER");
    expect(await refusal(open(disk, { nodeId: 2 }))).toBe("WRONG_CLUSTER");
    const file = disk.open(`${PATH}/meta.properties`, "write");
    file.truncate(5);
    expect(await refusal(open(disk))).toBe("CORRUPT");
    disk.failNext("open", "not-permitted");
    disk.remove(`${PATH}/meta.properties`);
    expect(await refusal(open(disk))).toBe("NOT_PERMITTED");
    expect(await refusal(open(disk))).toBe("none"); // and none of them kept the lock
  });

  test("reads the clean mark once: it is gone, durably, before anything is written", async () => {
    const disk = new MemoryDisk();
    const first = await open(disk);
    await first.close(17);
    await disk.syncDirectory("/");
    const second = await open(disk);
    expect(second.wasClean).toBeTrue();
    expect(second.lastBrokerEpoch).toBe(17);
    const third = await open(disk.crash());
    expect(third.wasClean).toBeFalse();
    expect(third.lastBrokerEpoch).toBeUndefined();
  });

  test("takes a damaged mark for none", async () => {
    for (const text of ["", "{", "null", '{"version":1,"brokerEpoch":1}', '{"version":0}']) {
      const disk = new MemoryDisk();
      (await open(disk)).abandon();
      disk.open(`${PATH}/.cleanshutdown`, "write").write(0, [bytesOf(text)]);
      expect((await open(disk)).wasClean).toBeFalse();
      expect(disk.info(`${PATH}/.cleanshutdown`)).toBeUndefined();
    }
  });
});

describe("partitions()", () => {
  test("finds what createPartition() made; what syncPartition() did, also after a loss of power", async () => {
    const disk = new MemoryDisk();
    const directory = await open(disk);
    const name = { topic: "a-b.c_D", partition: 12 };
    const folder = await directory.createPartition(name, TOPIC_ID, HEX);
    expect(directory.partitions()).toEqual([folder]);
    await directory.syncPartition(folder);
    disk.makeDirectory(`${PATH}/not a partition`);
    disk.makeDirectory(`${PATH}/kafka-3`);
    const expected = [
      { topic: "a-b.c_D", partition: 12, path: `${PATH}/a-b.c_D-12`, topicId: TOPIC_ID },
      { topic: "kafka", partition: 3, path: `${PATH}/kafka-3`, topicId: undefined },
    ];
    expect(directory.partitions()).toEqual(expected);
    await disk.syncDirectory("/");
    expect((await open(disk.crash())).partitions()).toEqual(expected.slice(0, 1));
  });

  test("what is deleted is in no checkpoint any more, also when both are written at once", async () => {
    const disk = new MemoryDisk();
    const directory = await open(disk);
    const [kept, gone] = ["kept", "gone"].map((topic) => ({ topic, partition: 0 }));
    if (kept === undefined || gone === undefined) throw new Error("two partitions are made above");
    for (const one of [kept, gone]) await directory.createPartition(one, TOPIC_ID, HEX);
    const alive = new Set([kept, gone]);
    const entries = () => [...alive].map((one) => ({ ...one, offset: toOffset(1000) }));
    await directory.writeCheckpoint("recoveryPoint", entries);
    const writing = directory.writeCheckpoint("recoveryPoint", entries);
    alive.delete(gone);
    await Promise.all([directory.deletePartitions([gone], () => HEX), writing]);
    const again = directory.writeCheckpoint("recoveryPoint", entries);
    await Promise.all([directory.createPartition(gone, TOPIC_ID, HEX), again]);
    expect(directory.checkpoint("recoveryPoint", gone)).toBe(toOffset(0));
    expect(directory.checkpoint("recoveryPoint", kept)).toBe(toOffset(1000));
    directory.abandon();
    const reopened = await open(disk);
    expect(reopened.checkpoint("recoveryPoint", gone)).toBe(toOffset(0));
    expect(reopened.checkpoint("recoveryPoint", kept)).toBe(toOffset(1000));
  });

  test("createPartition() takes over no folder of another topic", async () => {
    const disk = new MemoryDisk();
    const directory = await open(disk);
    disk.makeDirectory(`${PATH}/t-0`);
    const foreign = disk.open(`${PATH}/t-0/00000000000000000000.log`, "write");
    foreign.write(0, [new Uint8Array(5)]);
    foreign.close();
    await directory.createPartition({ topic: "t", partition: 0 }, TOPIC_ID, HEX);
    const sizes = (): readonly (readonly [string, number])[] =>
      disk.list(`${PATH}/t-0`).map(({ name, bytes }) => [name, bytes] as const);
    const own = [["partition.metadata", 44]];
    expect(sizes()).toEqual(own as [string, number][]);
    expect(disk.list(`${PATH}/t-0.${HEX}-stray`)).toHaveLength(1);
    expect(disk.crash().list(`${PATH}/t-0`)).toEqual([]); // it is aside, durably
    await directory.createPartition({ topic: "t", partition: 0 }, TOPIC_ID, HEX); // its own stays
    expect(sizes()).toEqual(own as [string, number][]);
  });

  test("finds no more what deletePartitions() put aside", async () => {
    const disk = new MemoryDisk();
    const directory = await open(disk);
    await directory.createPartition({ topic: "gone", partition: 0 }, TOPIC_ID, HEX);
    await directory.deletePartitions([{ topic: "gone", partition: 0 }], () => HEX);
    expect(directory.partitions()).toEqual([]);
    expect(disk.info(`${PATH}/gone-0.${HEX}-delete/partition.metadata`)).toBeDefined();
    expect(directory.deletedFolders()).toEqual([`${PATH}/gone-0.${HEX}-delete`]);
  });
});

describe("folder names", () => {
  test("are a partition's or nothing", () => {
    expect(parseFolderName("a-0")).toEqual({ topic: "a", partition: 0 });
    expect(parseFolderName("a-1-2")).toEqual({ topic: "a-1", partition: 2 });
    for (
      const name of ["a", "-0", "a-", "a-01", "a-x", "a b-0", `a-0.${HEX}-delete`, "lost+found"]
    ) {
      expect(parseFolderName(name)).toBeUndefined();
    }
  });

  test("fit a file system also when they are deleted", () => {
    const name = deletedName(`${"x".repeat(249)}-17`, HEX);
    expect(name.length).toBe(255);
    expect(name).toMatch(/^x+-17\.[0-9a-f]{32}-delete$/);
  });
});

describe("checkpoints", () => {
  test("are written in Kafka's form and read back at the next start", async () => {
    const disk = new MemoryDisk();
    const directory = await open(disk);
    const entries = [
      { topic: "a", partition: 0, offset: toOffset(7) },
      { topic: "b-c", partition: 3, offset: toOffset(2 ** 40) },
    ];
    await directory.writeCheckpoint("recoveryPoint", () => entries);
    directory.abandon();
    const text = textOf(disk.readWhole(`${PATH}/recovery-point-offset-checkpoint`) as Uint8Array);
    const lines = ["a 0 7", "a  0  7", "b-c 3 1099511627776", "b-c  3  1099511627776"];
    expect(text).toBe(`0\n4\n${lines.join("\n")}\n`); // Kafka 4.1's OffsetCheckpointFile reads it
    const again = await open(disk);
    expect(again.checkpoint("recoveryPoint", { topic: "b-c", partition: 3 })).toBe(
      toOffset(2 ** 40),
    );
    expect(again.checkpoint("recoveryPoint", { topic: "c", partition: 0 })).toBe(toOffset(0));
    expect(again.checkpoint("logStart", { topic: "a", partition: 0 })).toBe(toOffset(0));
  });

  test("are taken as empty when they are damaged", () => {
    const whole = textOf(encodeCheckpoint([{ topic: "a", partition: 0, offset: toOffset(77) }]));
    for (let length = 0; length < whole.length; length++) {
      expect(decodeCheckpoint(bytesOf(whole.slice(0, length)))).toBeUndefined();
    }
    const twice = bytesOf(whole);
    for (let bit = 0; bit < twice.length * 8; bit++) {
      const flipped = twice.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect([bit, decodeCheckpoint(flipped)]).toEqual([bit, undefined]);
    }
    const kafkas = [{ topic: "a", partition: 0, offset: toOffset(5) }];
    expect(decodeCheckpoint(bytesOf("0\n1\na 0 5\n"))).toEqual(kafkas);
    for (const text of ["1\n0\n", "0\n1\na 0 -1\n", "0\n1\na 0 1 2\n", "0\nx\n"]) {
      expect(decodeCheckpoint(bytesOf(text))).toBeUndefined();
    }
  });
});

describe("decodeIdentity()", () => {
  test("reads what Kafka writes", () => {
    const text = "#\n#Sat Nov 22 20:23:45 UTC 2026\ncluster.id=5L6g3nShT-eMCtK--X86sw\n" +
      "directory.id=Kq3m1\nnode.id=1\nversion=1\n";
    expect(decodeIdentity(bytesOf(text))).toEqual({
      clusterId: "5L6g3nShT-eMCtK--X86sw",
      nodeId: 1,
      directoryId: "Kq3m1",
    });
    expect(decodeIdentity(bytesOf("version=0\nbroker.id=1\n"))).toBe("version is 0, expected 1");
  });
});
