import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { toOffset } from "../../src/ground/numbers.ts";
import { DIRECTORY, LogFixture } from "./log_fixture.ts";
import { MemoryDisk } from "./memory_disk.ts";

const GOLDEN = fileURLToPath(new URL("../golden/kafka_directories", import.meta.url));
const END = 40;
const BASES = [0, 10, 20, 30].map((base) => String(base).padStart(20, "0"));
const ACTIVE = `${DIRECTORY}/${BASES.at(-1)}`;
/** Kafka's `segment.index.bytes`, rounded down to whole entries. */
const PREALLOCATED = { index: 10_485_760, timeindex: 10_485_756 };
/** As the topic was made. */
const SETTINGS = { indexIntervalBytes: 100 };

function golden(name: string): Uint8Array {
  return new Uint8Array(readFileSync(`${GOLDEN}/transactions-0/${name}`));
}

function put(disk: MemoryDisk, path: string, bytes: Uint8Array): void {
  disk.remove(path);
  const file = disk.open(path, "write");
  file.write(0, [bytes]);
  file.close();
}

/** The transactions of the golden partition, in four segments with an abort each. */
function kafkaDisk(): MemoryDisk {
  const disk = new MemoryDisk();
  disk.makeDirectory(DIRECTORY);
  for (const name of readdirSync(`${GOLDEN}/transactions-0`)) {
    put(disk, `${DIRECTORY}/${name}`, golden(name));
  }
  return disk;
}

/** What Kafka leaves when it is killed: no final snapshot, indexes of the last segment full of zeros. */
function killedDisk(): MemoryDisk {
  const disk = kafkaDisk();
  disk.remove(`${DIRECTORY}/00000000000000000040.snapshot`);
  for (const [kind, size] of Object.entries(PREALLOCATED)) {
    const bytes = new Uint8Array(size);
    bytes.set(golden(`${BASES.at(-1)}.${kind}`));
    put(disk, `${ACTIVE}.${kind}`, bytes);
  }
  return disk;
}

async function open(
  disk: MemoryDisk,
  isClean: boolean,
  recoveryPoint: number,
): Promise<LogFixture> {
  return await LogFixture.open({ disk, isClean, recoveryPoint, settings: SETTINGS });
}

async function abortedOf(fixture: LogFixture): Promise<readonly unknown[]> {
  return await fixture.log.abortedTransactions(toOffset(0), toOffset(END));
}

describe("a partition that Kafka 4.1.1 left", () => {
  test("when it was killed opens at any recovery point, and knows all that a clean one knows", async () => {
    const wanted = await open(kafkaDisk(), true, END);
    const batches = await wanted.readAll();
    expect(await abortedOf(wanted)).toHaveLength(4);
    for (const recoveryPoint of [0, 10, 15, 30, 34, END]) {
      const opened = await open(killedDisk(), false, recoveryPoint);
      expect(opened.log.logEndOffset).toBe(toOffset(END));
      expect(await opened.readAll()).toEqual(batches);
      expect(await abortedOf(opened)).toEqual(await abortedOf(wanted));
      for (const kind of ["index", "timeindex"]) {
        expect(opened.disk.info(`${ACTIVE}.${kind}`)?.bytes).toBeLessThan(100);
      }
      const [left, right] = [opened, wanted].map(({ log }) => [...log.producers.entries()].length);
      expect(left).toBe(right);
    }
  });

  test("gets the transaction indexes back that it lost, byte for byte", async () => {
    for (const isLost of [true, false]) {
      const disk = killedDisk();
      for (const base of BASES) {
        if (isLost) disk.remove(`${DIRECTORY}/${base}.txnindex`);
        else disk.files.get(`${DIRECTORY}/${base}.txnindex`)?.content.fill(0, 10);
      }
      // After a clean stop a damaged one is found when it is used; a lost one only by a walk.
      const opened = isLost ? await open(disk, false, 0) : await open(kafkaWith(disk), true, END);
      expect(await abortedOf(opened)).toHaveLength(4);
      await opened.log.close();
      for (const base of BASES) {
        const name = `${base}.txnindex`;
        const found = opened.disk.readWhole(`${DIRECTORY}/${name}`);
        expect([name, found]).toEqual([name, golden(name)]);
      }
    }
  });

  /** The clean directory with the transaction indexes of another. */
  function kafkaWith(other: MemoryDisk): MemoryDisk {
    const disk = kafkaDisk();
    for (const base of BASES) {
      const path = `${DIRECTORY}/${base}.txnindex`;
      put(disk, path, other.readWhole(path) ?? new Uint8Array(0));
    }
    return disk;
  }

  test("opens without reading the log when it was closed cleanly", async () => {
    const disk = kafkaDisk();
    disk.failNext("open", "io", true);
    const opened = await open(disk, true, END);
    expect(opened.log.logEndOffset).toBe(toOffset(END));
  });
});
