/**
 * Scrubbing: reads every closed segment once in `mq.scrub.interval.ms` and checks each batch of it, so
 * that damage is found while a backup or another replica still has the bytes, and not by a consumer.
 *
 *     lap:  partitions in turn, from a random one on  ─►  their closed segments, the oldest first
 *
 * A lap begins at a random segment, since nothing is remembered over a restart: brokers that restart
 * often would look at the same segments again and again. What is found is told once for each lap and
 * counted by partition; nothing is changed: repair is the operator's.
 * It goes at `mq.scrub.bytes.per.second`, in small chunks that are read off the event loop. What it
 * reads passes through the page cache: node:fs has no posix_fadvise to keep it out.
 * Not here: what makes a batch sound (`log/reading/batch_check.ts`).
 */
import type { Clock } from "../env/clock.ts";
import { type Disk, DiskFault, type DiskFile } from "../env/disk.ts";
import type { Random } from "../env/random.ts";
import type { Trace } from "../env/trace.ts";
import type { Crc32c } from "../ground/crc32c.ts";
import { CHECK_CHUNK_BYTES, checkBatches, type CheckResult } from "../log/reading/batch_check.ts";
import type { SegmentFacts } from "../log/log.ts";
import type { BrokerSettings } from "./broker_settings.ts";
import type { ManagedLog, ManagedLogs } from "./managed_logs.ts";
import { Pace } from "./pace.ts";
import { RepeatedTask, type Run } from "./repeated_task.ts";
import { IndexWitness } from "./scrubbed_indexes.ts";

export interface ScrubberOptions {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: Random;
  readonly crc32c: Crc32c;
  readonly trace: Trace;
  readonly logs: ManagedLogs;
  readonly settings: BrokerSettings;
}

/** Damaged batches of a partition, as the last look at each of its segments found them. */
export interface ScrubbedDamage {
  readonly topic: string;
  readonly partitionId: number;
  readonly batches: number;
}

/** After the start, when clients have found their way back. */
const FIRST_MS = 60_000;
/** How often it is asked whether a lap is due. */
const ASK_MS = 60_000;
const CHUNK_BYTES_MIN = 4096;
/** Chunks in a second at the set rate, so that a stop does not wait for a slow pace. */
const CHUNKS_PER_SECOND = 8;

/** Thrown by the pace to end a walk whose log is gone or whose task stops. */
class Ended extends Error {}

export class Scrubber {
  readonly task: RepeatedTask;
  readonly metrics = { bytes: 0, laps: 0 };
  readonly #options: ScrubberOptions;
  readonly #intervalMs: number;
  readonly #chunkBytes: number;
  readonly #pace: Pace;
  /** By the folder of the partition, then by the base offset of the segment. */
  readonly #damage = new Map<string, { managed: ManagedLog; segments: Map<number, number> }>();
  #nextLapMs = 0;

  constructor(options: ScrubberOptions) {
    const { clock, settings } = options;
    this.#options = options;
    this.#intervalMs = settings.get("mq.scrub.interval.ms");
    const bytesPerSecond = settings.get("mq.scrub.bytes.per.second");
    const chunkBytes = Math.floor(bytesPerSecond / CHUNKS_PER_SECOND);
    this.#chunkBytes = Math.max(CHUNK_BYTES_MIN, Math.min(CHECK_CHUNK_BYTES, chunkBytes));
    this.#pace = new Pace(clock, bytesPerSecond);
    this.task = new RepeatedTask({
      clock,
      firstMs: FIRST_MS,
      everyMs: ASK_MS,
      run: (run) => this.#run(run),
    });
  }

  /** Partitions with damaged batches, for the gauge. */
  damaged(): readonly ScrubbedDamage[] {
    return [...this.#damage.values()].map(({ managed: { partition }, segments }) => ({
      topic: partition.topic,
      partitionId: partition.partitionId,
      batches: [...segments.values()].reduce((sum, count) => sum + count, 0),
    }));
  }

  async #run(run: Run): Promise<void> {
    const now = this.#options.clock.monotonicMs();
    if (this.#intervalMs === 0 || now < this.#nextLapMs) return;
    this.#nextLapMs = now + this.#intervalMs;
    await this.#lap(run);
  }

  async #lap(run: Run): Promise<void> {
    const { logs, random } = this.#options;
    const all = logs.managed();
    const start = all.length === 0 ? 0 : random.below(all.length);
    const turns = [...all.slice(start), ...all.slice(0, start)];
    const [first] = turns;
    if (first === undefined) return;
    const count = closedSegments(first).length;
    const from = closedSegments(first)[count === 0 ? 0 : random.below(count)]?.baseOffset ?? 0;
    this.#forgetGone(all);
    for (const managed of turns) {
      const isWanted = (base: number): boolean => managed !== first || base >= from;
      // deno-lint-ignore no-await-in-loop -- one after the other: it does not crowd the disk
      await this.#scrubLog(managed, run, isWanted);
    }
    await this.#scrubLog(first, run, (base) => base < from);
    if (!run.isStopping) this.metrics.laps++;
  }

  async #scrubLog(
    managed: ManagedLog,
    run: Run,
    isWanted: (baseOffset: number) => boolean,
  ): Promise<void> {
    let facts = nextSegment(managed, -1);
    while (facts !== undefined && !run.isStopping) {
      // deno-lint-ignore no-await-in-loop
      if (isWanted(facts.baseOffset)) await this.#scrubSegment(managed, facts, run);
      facts = nextSegment(managed, facts.baseOffset); // asked anew: segments come and go
    }
  }

  async #scrubSegment(managed: ManagedLog, facts: SegmentFacts, run: Run): Promise<void> {
    const { log } = managed.partition;
    try {
      const damaged = await log.withSegment(
        facts.baseOffset,
        (file, sizeInBytes) => this.#walk(managed, file, { ...facts, sizeInBytes }, run),
      );
      this.#noteDamage(managed, facts.baseOffset, damaged ?? 0);
    } catch (fault) {
      if (fault instanceof Ended) return;
      const isUnreadable = fault instanceof DiskFault && fault.kind === "unreadable";
      if (!isUnreadable) {
        this.#options.logs.onFault(managed, fault);
        return;
      }
      this.#tell(managed, { segment: fault.path, error: fault.message });
      this.#noteDamage(managed, facts.baseOffset, 1);
    }
  }

  /** Damaged batches of one segment. */
  async #walk(
    managed: ManagedLog,
    file: DiskFile,
    facts: SegmentFacts,
    run: Run,
  ): Promise<number> {
    const { disk, crc32c } = this.#options;
    const witness = await IndexWitness.of(disk, file.path, facts.baseOffset);
    let position = 0;
    let floor: number = facts.baseOffset;
    let damaged = 0;
    while (position < facts.sizeInBytes) {
      const range = { position, floor, end: facts.sizeInBytes, ceiling: facts.nextOffset };
      // deno-lint-ignore no-await-in-loop -- what lies behind damage is looked at behind it
      const result: CheckResult = await checkBatches(file, {
        ...range,
        isFloorLoose: damaged > 0,
        chunkBytes: this.#chunkBytes,
      }, {
        crc32c,
        epochs: managed.partition.log.epochs,
        onSound: (batch) => {
          floor = batch.nextOffset;
          witness.onBatch(batch);
        },
        pace: (bytes) => this.#step(managed, bytes, run),
      });
      if (result.kind !== "damaged") break;
      // What follows a length that led nowhere is the same damage.
      const isNew = damaged === 0 || result.position > position;
      if (isNew) {
        damaged++;
        this.#onDamage(managed, file.path, result);
      }
      if (!isNew || result.skipTo === undefined) break;
      position = result.skipTo;
    }
    if (damaged === 0) this.#onFlaw(managed, facts, file.path, witness.flaw());
    return damaged;
  }

  #step(managed: ManagedLog, bytes: number, run: Run): Promise<void> | undefined {
    const { partition } = managed;
    if (run.isStopping || !partition.isOnline || !partition.log.isUsable) throw new Ended();
    this.metrics.bytes += bytes;
    return this.#pace.take(bytes);
  }

  #onDamage(
    managed: ManagedLog,
    segment: string,
    { position, floor, reason }: Extract<CheckResult, { kind: "damaged" }>,
  ): void {
    const error = `Cannot trust the batch at byte ${position} of ${segment}: ${reason}; ` +
      "look at it with mq log verify, cut it out with mq log repair";
    this.#tell(managed, { segment, byte: position, offset: floor, error });
  }

  #tell(
    { partition }: ManagedLog,
    fields: Readonly<Record<string, string | number>>,
  ): void {
    this.#options.trace.event("error", "scrubbing found damage", {
      partition: `${partition.topic}-${partition.partitionId}`,
      ...fields,
    });
  }

  /** An index that lies costs a walk: the next read by it finds that out and makes it anew. */
  #onFlaw(
    managed: ManagedLog,
    facts: SegmentFacts,
    segment: string,
    flaw: string | undefined,
  ): void {
    if (flaw === undefined) return;
    const isAsBefore = managed.partition.log.segmentFacts().some(({ baseOffset, sizeInBytes }) =>
      baseOffset === facts.baseOffset && sizeInBytes === facts.sizeInBytes
    );
    if (!isAsBefore) return; // compaction put another in its place meanwhile
    this.#options.trace.event("warn", "an index does not fit its segment", { segment, flaw });
  }

  #noteDamage(managed: ManagedLog, baseOffset: number, batches: number): void {
    const { directory } = managed.partition.log;
    const known = this.#damage.get(directory) ?? { managed, segments: new Map<number, number>() };
    if (batches === 0) known.segments.delete(baseOffset);
    else known.segments.set(baseOffset, batches);
    if (known.segments.size === 0) this.#damage.delete(directory);
    else this.#damage.set(directory, known);
  }

  /** Partitions and segments that are not there any more are not damaged any more. */
  #forgetGone(all: readonly ManagedLog[]): void {
    const online = new Set(all.map(({ partition }) => partition.log.directory));
    for (const [directory, { managed, segments }] of [...this.#damage]) {
      const facts = managed.partition.log.segmentFacts();
      for (const baseOffset of [...segments.keys()]) {
        if (!facts.some((one) => one.baseOffset === baseOffset)) segments.delete(baseOffset);
      }
      if (!online.has(directory) || segments.size === 0) this.#damage.delete(directory);
    }
  }
}

function closedSegments({ partition }: ManagedLog): readonly SegmentFacts[] {
  const isThere = partition.isOnline && partition.log.isUsable;
  return isThere ? partition.log.segmentFacts().filter(({ isActive }) => !isActive) : [];
}

function nextSegment(managed: ManagedLog, behind: number): SegmentFacts | undefined {
  return closedSegments(managed).find(({ baseOffset }) => baseOffset > behind);
}
