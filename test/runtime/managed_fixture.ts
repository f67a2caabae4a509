/** Partitions on a disk in memory, managed by nobody but the test: for what works in the background. */
import { DiskFault } from "../../src/env/disk.ts";
import { type Offset, toLeaderEpoch, toOffset } from "../../src/ground/numbers.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import type { Log } from "../../src/log/log.ts";
import type { ManagedLog, ManagedLogs } from "../../src/runtime/managed_logs.ts";
import { Counter, Histogram } from "../../src/runtime/metrics.ts";
import { Partition } from "../../src/runtime/partition.ts";
import { partitionSettings } from "../../src/runtime/partition_settings.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { type BatchInput, LogFixture } from "../log/log_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

export class ManagedFixture implements ManagedLogs {
  readonly clock = new ManualClock();
  readonly disk = new MemoryDisk();
  /** "level message {fields}" */
  readonly events: string[] = [];
  readonly trace = {
    event: (level: string, message: string, fields: object = {}): void => {
      this.events.push(`${level} ${message} ${JSON.stringify(fields)}`);
    },
  };
  readonly all: ManagedLog[] = [];
  /** Paths handed over to be removed. */
  readonly removed: string[] = [];
  /** "partition: message" */
  readonly faults: string[] = [];
  startsWritten = 0;
  /** What writing the starts ends with, once. */
  onWrite: (() => void) | undefined;

  managed(): readonly ManagedLog[] {
    return this.all.filter(({ partition }) => partition.isOnline);
  }

  async writeLogStarts(): Promise<void> {
    await Promise.resolve();
    this.startsWritten++;
    const act = this.onWrite;
    this.onWrite = undefined;
    act?.();
  }

  writeRecoveryPoint(): Promise<boolean> {
    return Promise.resolve(true);
  }

  cleanedUpTo(): Offset {
    return toOffset(0);
  }

  writeCleanedUpTo(): Promise<void> {
    return Promise.resolve();
  }

  removeLater(_log: ManagedLog, paths: readonly string[]): void {
    this.removed.push(...paths);
  }

  onFault({ partition }: ManagedLog, fault: unknown): void {
    if (!(fault instanceof DiskFault)) throw fault;
    this.faults.push(`${partition.topic}: ${fault.message}`);
  }

  /** A partition of a topic of its own, of the durability class memory. */
  async add(topic: string, settings: Readonly<Record<string, string>> = {}): Promise<Managed> {
    const directory = `/data/${topic}-0`;
    const fixture = await LogFixture.open({ disk: this.disk, directory });
    const own = new Map(Object.entries({ "mq.durability": "memory", ...settings }));
    const partition = new Partition({
      topic,
      topicId: ZERO_UUID,
      partitionId: 0,
      leaderEpoch: toLeaderEpoch(0),
      log: fixture.log,
      settings: partitionSettings(own, () => undefined),
      clock: this.clock,
      trace: this.trace,
      fsyncSeconds: new Histogram(),
      appendErrors: new Counter(),
      onDiskFault: () => undefined,
    });
    this.all.push({ partition, directory: "/data" });
    return new Managed(fixture, partition, this.clock);
  }
}

export class Managed {
  readonly partition: Partition;
  readonly log: Log;
  readonly #fixture: LogFixture;
  readonly #clock: ManualClock;

  constructor(fixture: LogFixture, partition: Partition, clock: ManualClock) {
    this.#fixture = fixture;
    this.partition = partition;
    this.log = fixture.log;
    this.#clock = clock;
  }

  /** One batch of one record, so old; it is in the active segment. */
  append(ageMs = 0, input: BatchInput = {}): void {
    const now = this.#clock.wallMs();
    this.#fixture.append({ timestamps: [now - ageMs], ...input }, now);
    this.partition.onAppended();
  }

  /** One segment with one record for each age; the last one is the active one. */
  fill(...agesMs: readonly number[]): void {
    for (const [index, ageMs] of agesMs.entries()) {
      if (index > 0) this.log.roll();
      this.append(ageMs);
    }
  }

  /** Base offsets of its segments. */
  get segments(): readonly number[] {
    return this.log.segmentFacts().map(({ baseOffset }) => baseOffset);
  }
}
