/**
 * A log with several segments on a disk in memory, that tests damage: what was written is known batch
 * by batch, so that what is left of it can be told.
 */
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { toMs, toOffset } from "../../../src/ground/numbers.ts";
import type { Prng } from "../../../src/ground/prng.ts";
import { encodeCheckpoint } from "../../../src/log/checkpoint_file.ts";
import { encodeIdentity } from "../../../src/log/directory/directory_identity.ts";
import type { Finding } from "../../../src/log/offline/finding.ts";
import { repairLogs, type RepairReport } from "../../../src/log/offline/repair_logs.ts";
import { verifyLogs, type VerifyReport } from "../../../src/log/offline/verify_directory.ts";
import { BatchView } from "../../../src/record/batch_view.ts";
import { BatchWalk } from "../../../src/record/batch_walk.ts";
import { DIRECTORY, LogFixture, makeMarker } from "../log_fixture.ts";
import { MemoryDisk } from "../memory_disk.ts";

export const ROOT = "/data";
export { DIRECTORY };

export interface KnownBatch {
  readonly file: string;
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  readonly nextOffset: number;
}

export interface LogSetting {
  readonly segmentBytes: number;
  readonly batches: number;
  readonly isClean?: boolean;
}

export class DamagedLog {
  readonly disk: MemoryDisk;
  readonly batches: readonly KnownBatch[];
  readonly endOffset: number;

  private constructor(disk: MemoryDisk, batches: readonly KnownBatch[]) {
    this.disk = disk;
    this.batches = batches;
    this.endOffset = batches.at(-1)?.nextOffset ?? 0;
  }

  /** Batches of many sizes, transactions among them; closed, and all of it durable. */
  static async make(random: Prng, setting: LogSetting): Promise<DamagedLog> {
    const disk = new MemoryDisk();
    const settings = { segmentBytes: setting.segmentBytes, indexIntervalBytes: 300 };
    disk.makeDirectory(DIRECTORY);
    const log = await LogFixture.open({ disk, settings });
    const sequences = new Map<number, number>();
    for (let count = 0; count < setting.batches; count++) {
      const leaderEpoch = Math.floor(count / (setting.batches / 3));
      if (random.below(10) === 0 && sequences.size > 0) {
        const isAbort = random.below(2) === 0;
        const producerId = [...sequences.keys()][random.below(sequences.size)] as number;
        const bytes = makeMarker(log.log.logEndOffset, { producerId, isAbort });
        new BatchView(bytes).setPartitionLeaderEpoch(leaderEpoch);
        log.appendBytes(bytes);
        continue;
      }
      const timestamps = Array.from({ length: 1 + random.below(5) }, (_, index) => {
        return 1000 + count * 10 + index;
      });
      const input = {
        timestamps,
        valueBytes: random.below(200),
        partitionLeaderEpoch: leaderEpoch,
      };
      const producerId = random.below(3);
      if (random.below(2) === 0) {
        const baseSequence = sequences.get(producerId) ?? 0;
        sequences.set(producerId, baseSequence + timestamps.length);
        log.append({
          ...input,
          producerId,
          producerEpoch: 0,
          baseSequence,
          isTransactional: true,
        });
      } else log.append(input);
    }
    const end = log.log.logEndOffset;
    await log.log.close();
    write(
      disk,
      `${DIRECTORY}/partition.metadata`,
      "version: 0\ntopic_id: P07ZTVFuTPmV-Z44bn97Zg\n",
    );
    write(disk, `${ROOT}/meta.properties`, encodeIdentity(IDENTITY));
    const point = { topic: "orders", partition: 0, offset: toOffset(end) };
    write(disk, `${ROOT}/recovery-point-offset-checkpoint`, encodeCheckpoint([point]));
    if (setting.isClean === true) {
      write(disk, `${ROOT}/.cleanshutdown`, '{"version":0,"brokerEpoch":1}');
    }
    return new DamagedLog(disk, knownBatches(disk));
  }

  /** The same log, known batch by batch, as it lies on another disk. */
  on(disk: MemoryDisk): DamagedLog {
    return new DamagedLog(disk, this.batches);
  }

  /** All of it reaches the medium. */
  async settle(): Promise<void> {
    for (const path of this.disk.files.keys()) {
      const file = this.disk.open(path, "write");
      await file.sync();
      file.close();
    }
    for (const path of ["/", ROOT, DIRECTORY]) await this.disk.syncDirectory(path);
  }

  /** Names of the partition's files that end so. */
  names(ending: string): readonly string[] {
    return this.disk.list(DIRECTORY).filter(({ name, isDirectory }) =>
      !isDirectory && name.endsWith(ending)
    ).map(({ name }) => name);
  }

  bytes(name: string): Uint8Array {
    return this.disk.readWhole(`${DIRECTORY}/${name}`) ?? new Uint8Array(0);
  }

  put(name: string, bytes: Uint8Array): void {
    write(this.disk, `${DIRECTORY}/${name}`, bytes);
  }

  flip(name: string, byte: number, mask: number): void {
    const bytes = this.bytes(name);
    bytes[byte] = (bytes[byte] as number) ^ mask;
    this.put(name, bytes);
  }

  zero(name: string, from: number, count: number): void {
    this.put(name, this.bytes(name).fill(0, from, from + count));
  }

  truncate(name: string, bytes: number): void {
    this.put(name, this.bytes(name).slice(0, bytes));
  }

  remove(name: string): void {
    this.disk.remove(`${DIRECTORY}/${name}`);
  }

  /** Batches that lie where they lay, bit for bit. */
  untouched(): readonly KnownBatch[] {
    return this.batches.filter(({ file, position, bytes }) => {
      const now = this.bytes(file).subarray(position, position + bytes.length);
      return areEqual(now, bytes);
    });
  }

  verify(paths: readonly string[] = [ROOT]): Promise<VerifyReport> {
    return verifyLogs({ ...this.#tools(), paths });
  }

  repair(isExecuted: boolean, paths: readonly string[] = [ROOT]): Promise<RepairReport> {
    return repairLogs({ ...this.#tools(), paths, isExecuted, now: toMs(1_700_000_000_000) });
  }

  /** What a broker would serve that starts on this disk now. */
  async serve(): Promise<readonly Uint8Array[]> {
    return await (await this.open()).readAll();
  }

  /** The log as a broker opens it that starts on this disk now. */
  async open(): Promise<LogFixture> {
    const checkpoint = this.disk.readWhole(`${ROOT}/recovery-point-offset-checkpoint`);
    const recoveryPoint = Number(/orders 0 (\d+)/.exec(textOf(checkpoint))?.[1] ?? 0);
    const isClean = this.disk.info(`${ROOT}/.cleanshutdown`) !== undefined;
    const isRecoveryPointWritten = checkpoint !== undefined;
    const options = { disk: this.disk, isClean, recoveryPoint, isRecoveryPointWritten };
    return await LogFixture.open(options);
  }

  #tools(): { disk: MemoryDisk; crc32c: typeof crc32cTables; decodeMetadata: () => undefined } {
    return { disk: this.disk, crc32c: crc32cTables, decodeMetadata: () => undefined };
  }
}

const IDENTITY = { clusterId: "c", nodeId: 1, directoryId: "x18IFitpRbuPqk2HeXNTrA" };

export function write(disk: MemoryDisk, path: string, content: Uint8Array | string): void {
  const file = disk.open(path, "write");
  file.truncate(0);
  file.write(0, [typeof content === "string" ? new TextEncoder().encode(content) : content]);
  file.close();
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

function knownBatches(disk: MemoryDisk): readonly KnownBatch[] {
  const known: KnownBatch[] = [];
  for (const { name } of disk.list(DIRECTORY)) {
    if (!name.endsWith(".log")) continue;
    const walk = new BatchWalk(disk.readWhole(`${DIRECTORY}/${name}`) as Uint8Array);
    while (walk.next()) {
      const { batch } = walk;
      const position = batch.position();
      known.push({
        file: name,
        position,
        bytes: batch.bytes.slice(position, position + batch.sizeInBytes()),
        baseOffset: batch.baseOffset(),
        nextOffset: batch.nextOffset(),
      });
    }
  }
  return known;
}

export function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

export function damageOf(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === "damage");
}
