/** A log cleaner with compacted logs on a disk in memory, managed by nobody but the test. */
import { type Offset, toOffset } from "../../src/ground/numbers.ts";
import { BrokerSettings } from "../../src/runtime/broker_settings.ts";
import { LogCleaner } from "../../src/runtime/log_cleaner.ts";
import type { ManagedLog, ManagedLogs } from "../../src/runtime/managed_logs.ts";
import type { Partition } from "../../src/runtime/partition.ts";
import { partitionSettings } from "../../src/runtime/partition_settings.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { LogFixture } from "../log/log_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";
import { tools } from "../record/batches.ts";

export interface Added {
  readonly partition: Partition & { isOnline: boolean };
  readonly fixture: LogFixture;
}

/** Some logs of one directory, and a cleaner for them. */
export class Cleaning implements ManagedLogs {
  readonly clock = new ManualClock();
  readonly disk = new MemoryDisk();
  readonly events: string[] = [];
  readonly faults: unknown[] = [];
  readonly removed: string[] = [];
  readonly cleaner: LogCleaner;
  /** "topic upTo" for each write of recovery points. */
  readonly recoveryPoints: string[] = [];
  /** Whether recovery points can be written. */
  canWrite = true;
  readonly #cleanedUpTo = new Map<Partition, Offset>();
  readonly #logs: ManagedLog[] = [];

  constructor(settings: Readonly<Record<string, string>> = {}) {
    this.cleaner = new LogCleaner({
      clock: this.clock,
      disk: this.disk,
      trace: { event: (_, message) => void this.events.push(message) },
      crypto: { randomBytes: (count) => new Uint8Array(count).fill(9) },
      crc32c: tools.crc32c,
      compressors: createHostCompressors(),
      logs: this,
      settings: new BrokerSettings(new Map(Object.entries(settings))),
    });
  }

  async add(topic: string, own: Readonly<Record<string, string>> = {}): Promise<Added> {
    const fixture = await LogFixture.open({ disk: this.disk, directory: `/data/${topic}-0` });
    const policy = { "cleanup.policy": "compact", ...own };
    const settings = partitionSettings(new Map(Object.entries(policy)), () => undefined);
    const { log } = fixture;
    const partition = {
      topic,
      topicId: `id-of-${topic}`,
      partitionId: 0,
      log,
      settings,
      isOnline: true,
      get highWatermark() {
        return log.logEndOffset;
      },
    } as unknown as Added["partition"];
    this.#logs.push({ partition, directory: "/data" });
    return { partition, fixture };
  }

  remove({ partition }: Added): void {
    this.#logs.splice(this.#logs.findIndex((each) => each.partition === partition), 1);
  }

  async run(): Promise<void> {
    await this.clock.until(this.cleaner.task.runNow());
  }

  managed(): readonly ManagedLog[] {
    return this.#logs;
  }

  writeLogStarts(): Promise<void> {
    return Promise.resolve();
  }

  writeRecoveryPoint({ partition }: ManagedLog, offset: Offset): Promise<boolean> {
    if (partition.log.recoveryPoint < offset) throw new Error("It is not durable");
    this.recoveryPoints.push(`${partition.topic} ${offset}`);
    return Promise.resolve(this.canWrite);
  }

  cleanedUpTo({ partition }: ManagedLog): Offset {
    return this.#cleanedUpTo.get(partition) ?? toOffset(0);
  }

  writeCleanedUpTo({ partition }: ManagedLog, offset: Offset): Promise<void> {
    this.#cleanedUpTo.set(partition, offset);
    return Promise.resolve();
  }

  removeLater(_: ManagedLog, paths: readonly string[]): void {
    this.removed.push(...paths);
  }

  onFault(_: ManagedLog, fault: unknown): void {
    this.faults.push(fault);
  }

  /** "topic upTo" for each log that was cleaned. */
  get cleaned(): string[] {
    return [...this.#cleanedUpTo].map(([{ topic }, offset]) => `${topic} ${offset}`);
  }
}
