/** One partition of `__consumer_offsets` on a disk in memory, whose syncs wait for the test. */
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { type Offset, toLeaderEpoch } from "../../../src/ground/numbers.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import type { GroupRecord } from "../../../src/api/coordinator_record/group_record.ts";
import { BatchBuilder } from "../../../src/record/batch_builder.ts";
import { Counter, Histogram } from "../../../src/runtime/metrics.ts";
import { Partition } from "../../../src/runtime/partition.ts";
import { partitionSettings } from "../../../src/runtime/partition_settings.ts";
import { RecordAppender } from "../../../src/runtime/coordinator/record_append.ts";
import { ShardDriver } from "../../../src/runtime/coordinator/shard_driver.ts";
import { SteadyClock } from "../../../src/runtime/coordinator/steady_clock.ts";
import { Slices } from "../../../src/runtime/slices.ts";
import type { Disk } from "../../../src/env/disk.ts";
import { ManualClock } from "../../client/manual_clock.ts";
import { LogFixture } from "../../log/log_fixture.ts";
import { MemoryDisk } from "../../log/memory_disk.ts";
import { FakeShard } from "./fake_shard.ts";

export interface DriverFixtureOptions {
  readonly durability?: "memory" | "quorum-fsync";
  readonly disk?: MemoryDisk;
  readonly tailBytes?: number;
}

export class DriverFixture {
  readonly clock = new ManualClock();
  readonly disk: MemoryDisk;
  readonly events: string[] = [];
  readonly partition: Partition;
  readonly goneDrivers: boolean[] = [];
  loadedCount = 0;
  /** What judges patterns is there when it resolves. */
  regexes: Promise<void> | undefined;
  /** Why nothing has room, while it is set. */
  full: string | undefined;
  readonly #steady: SteadyClock;
  readonly #slices: Slices;
  #gate: Promise<void> | undefined;
  #openGate: () => void = () => undefined;

  static async open(options: DriverFixtureOptions = {}): Promise<DriverFixture> {
    const disk = options.disk ?? new MemoryDisk();
    return new DriverFixture(disk, await openLog(disk, options.tailBytes ?? 0), options);
  }

  private constructor(
    disk: MemoryDisk,
    { log }: LogFixture,
    { durability = "quorum-fsync" }: DriverFixtureOptions,
  ) {
    this.disk = disk;
    this.#steady = new SteadyClock(this.clock);
    this.#slices = new Slices(this.clock);
    const sync = log.sync.bind(log);
    log.sync = async () => {
      await this.#gate;
      return await sync();
    };
    this.partition = new Partition({
      topic: "__consumer_offsets",
      topicId: ZERO_UUID,
      partitionId: 7,
      leaderEpoch: toLeaderEpoch(0),
      log,
      settings: partitionSettings(new Map([["mq.durability", durability]]), () => undefined),
      clock: this.clock,
      trace: this.trace,
      fsyncSeconds: new Histogram(),
      appendErrors: new Counter(),
      onDiskFault: (fault) => {
        if (fault.kind !== "no-space") this.partition.goOffline();
      },
      place: {
        admit: () => this.full,
        refusal: undefined,
        hasNewRecoveryPoints: false,
      },
    });
  }

  readonly trace = {
    event: (level: string, message: string, fields: object = {}): void => {
      this.events.push(`${level} ${message} ${JSON.stringify(fields)}`);
    },
  };

  readonly tools = {
    clock: this.clock,
    crc32c: crc32cTables,
    compress: (_: string, bytes: Uint8Array): Uint8Array => bytes,
    decompress: (_: string, bytes: Uint8Array): Uint8Array => bytes,
  };

  /** A driver, and a shard that knows nothing yet. */
  drive(shard: FakeShard = new FakeShard()): ShardDriver<FakeShard> {
    return new ShardDriver({
      partition: this.partition,
      machine: shard,
      clock: this.clock,
      now: () => this.#steady.now(),
      tools: this.tools,
      trace: this.trace,
      pause: () => this.#slices.next(),
      inTurn: (work) => work(),
      regexes: {
        load: () => this.regexes,
        compile: (pattern) => pattern.includes("(") ? undefined : (topic) => topic === pattern,
      },
      onLoaded: () => this.loadedCount++,
      onWritten: () => undefined,
      onGone: (_, hasFailed) => void this.goneDrivers.push(hasFailed),
    });
  }

  /** As an earlier leader of the partition would have left it. */
  append(...records: readonly GroupRecord[]): void {
    new RecordAppender(this.partition, this.tools).append(records);
  }

  /** One record of any bytes. */
  appendRaw(key: Uint8Array | null, value: Uint8Array | null): void {
    const { log } = this.partition;
    const builder = new BatchBuilder({ bytesMax: 1 << 20, compressionType: "none" });
    builder.append({ key, value, timestamp: 1 });
    const baseOffset = log.logEndOffset;
    const batch = builder.finish({ baseOffset, partitionLeaderEpoch: 0 }, this.tools);
    const leaderEpoch = toLeaderEpoch(0);
    log.append(
      batch,
      { lastOffset: baseOffset, maxTimestamp: 1, leaderEpoch },
      this.clock.wallMs(),
    );
    this.partition.onAppended();
  }

  /** Nothing becomes durable until `releaseSyncs`. */
  holdSyncs(): void {
    this.#gate = new Promise((resolve) => {
      this.#openGate = resolve;
    });
  }

  async releaseSyncs(): Promise<void> {
    this.#gate = undefined;
    this.#openGate();
    await this.clock.settle();
  }

  get logEndOffset(): Offset {
    return this.partition.log.logEndOffset;
  }
}

function openLog(disk: Disk, tailBytes: number): Promise<LogFixture> {
  return LogFixture.open({ disk, directory: "/data/__consumer_offsets-7", tailBytes });
}

/** Whether it has been settled by now. */
export async function isSettled(promise: unknown, clock: ManualClock): Promise<boolean> {
  if (!(promise instanceof Promise)) return true;
  let isDone = false;
  void promise.finally(() => {
    isDone = true;
  });
  await clock.settle();
  return isDone;
}
