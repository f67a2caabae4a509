/**
 * Random histories of a log against a model: whatever is done in whatever order, and wherever the disk
 * or the process stops, batches keep their offsets and bytes, the log's start does not go back, and
 * what was durable is there.
 */
import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import type { Log } from "../../src/log/log.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { DIRECTORY, LogFixture, makeBatch, noted, seedOf } from "./log_fixture.ts";
import { MemoryDisk } from "./memory_disk.ts";
import { replaceWithCopy } from "./trivial_cleaner.ts";

const SETTINGS = { segmentBytes: 500, indexIntervalBytes: 150 };
const HISTORIES = 40;
const STEPS = 40;

interface Kept {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Uint8Array;
}

/** Offsets and a checksum over all bytes, which are too many to print. */
function described(bytes: Uint8Array): string {
  const batch = new BatchView(bytes);
  return `${batch.baseOffset()}–${batch.lastOffset()} ${bytes.length} ${crc32cTables(bytes)}`;
}

/** What the log must be like. */
class Model {
  /** All batches that may be in the log, in order. */
  batches: Kept[] = [];
  start = 0;
  /** As it was written down: what a caller of `dropSegmentsBelowStart` has done before. */
  durableStart = 0;
  /** All below was promised to be durable. */
  durableEnd = 0;
  end = 0;

  append(bytes: Uint8Array): void {
    const batch = new BatchView(bytes);
    const [baseOffset, nextOffset] = [batch.baseOffset(), batch.nextOffset()];
    this.batches.push({ baseOffset, nextOffset, bytes });
    this.end = nextOffset;
  }

  /** The log ended at `end` when it was opened anew, or was cut. */
  cut(end: number): void {
    this.batches = this.batches.filter((batch) => batch.nextOffset <= end);
    this.end = end;
    // An end behind a gap is remembered by a name only; what is promised are batches.
    const lastEnd = this.batches.at(-1)?.nextOffset ?? 0;
    this.durableEnd = Math.min(this.durableEnd, lastEnd);
  }

  readable(): readonly Uint8Array[] {
    const { start } = this;
    return this.batches.filter(({ nextOffset }) => nextOffset > start).map(({ bytes }) => bytes);
  }
}

class History {
  readonly random: Prng;
  readonly model = new Model();
  readonly tailBytes: number;
  fixture: LogFixture;
  /** Operations under way: none waits for another, unless the log makes it. */
  pending: Promise<unknown>[] = [];
  isCleaning = false;
  leaderEpoch = 0;
  /** What is promised behind a crash was not promised before it. */
  era = 0;

  constructor(random: Prng, fixture: LogFixture, tailBytes: number) {
    this.random = random;
    this.fixture = fixture;
    this.tailBytes = tailBytes;
  }

  get log(): Log {
    return this.fixture.log;
  }

  async step(): Promise<void> {
    const { random } = this;
    const kind = random.below(100);
    if (kind < 50) this.append();
    else if (kind < 55) this.log.roll();
    else if (kind < 62) this.pending.push(this.sync());
    else if (kind < 68) this.moveStart();
    else if (kind < 74) this.pending.push(this.drop());
    else if (kind < 82) this.startCleaning();
    else if (kind < 85) await this.truncate();
    else if (kind < 92) await this.settle();
    else if (kind < 96) await this.check();
    else await this.restart();
  }

  append(): void {
    const { random, log } = this;
    const timestamps = Array.from({ length: random.between(1, 3) }, () => random.below(100));
    if (random.oneIn(9)) this.leaderEpoch++;
    const partitionLeaderEpoch = this.leaderEpoch;
    const valueBytes = random.oneIn(12) ? 20_000 : random.below(60);
    const gap = random.oneIn(20) ? random.below(5) : 0;
    const bytes = makeBatch(log.logEndOffset + gap, {
      timestamps,
      partitionLeaderEpoch,
      valueBytes,
    });
    this.fixture.appendBytes(bytes);
    this.model.append(bytes);
  }

  async sync(): Promise<void> {
    const [upTo, era] = [this.model.end, this.era];
    await this.log.sync();
    if (this.era === era) {
      this.model.durableEnd = Math.max(this.model.durableEnd, Math.min(upTo, this.model.end));
    }
  }

  moveStart(): void {
    const { log, model } = this;
    const to = log.logStartOffset + this.random.below(log.logEndOffset - log.logStartOffset + 1);
    log.moveStart(toOffset(to));
    model.start = to;
  }

  async drop(): Promise<void> {
    this.model.durableStart = this.log.logStartOffset;
    for (const path of await this.log.dropSegmentsBelowStart()) {
      if (this.random.oneIn(2)) this.fixture.memoryDisk.remove(path);
    }
  }

  /** One at a time, as of any log. */
  startCleaning(): void {
    if (this.isCleaning) return;
    this.isCleaning = true;
    this.pending.push(this.replace().finally(() => this.isCleaning = false));
  }

  async replace(): Promise<void> {
    const closed = this.log.segmentFacts().filter(({ isActive }) => !isActive);
    if (closed.length === 0) return;
    const from = this.random.below(closed.length);
    const bases = closed.slice(from, from + 1 + this.random.below(3)).map(({ baseOffset }) =>
      baseOffset
    );
    await replaceWithCopy(this.fixture.memoryDisk, this.log, bases).catch((fault: Error) => {
      if (!fault.message.startsWith("there is a segment")) throw fault; // it went before it was read
    });
  }

  async truncate(): Promise<void> {
    await this.settle(); // a follower does one thing after the other
    const { log, model } = this;
    const to = log.logStartOffset + this.random.below(log.logEndOffset - log.logStartOffset + 1);
    await log.truncateTo(toOffset(to), noted);
    const kept = model.batches.filter(({ nextOffset }) => nextOffset <= to);
    const holds = model.batches.find((batch) => batch.baseOffset < to && batch.nextOffset > to);
    model.batches = kept;
    model.cut(Math.min(to, holds?.baseOffset ?? to));
    expect(log.logEndOffset as number).toBe(model.end);
    // Where the first batch goes, the log may begin behind the gap that was before it.
    const gone = model.readable();
    model.start = log.logStartOffset;
    expect(model.readable()).toEqual(gone);
    model.durableStart = Math.min(model.durableStart, model.end);
  }

  async settle(): Promise<void> {
    const { pending } = this;
    this.pending = [];
    await Promise.all(pending);
  }

  async check(): Promise<void> {
    const { log, model } = this;
    expect(log.logStartOffset as number).toBe(model.start);
    expect(log.logEndOffset as number).toBe(model.end);
    const found = await this.fixture.readAll(this.random.oneIn(2) ? 1 : 1 << 20);
    expect(found.map(described)).toEqual(model.readable().map(described));
    const facts = log.segmentFacts();
    expect(facts.at(-1)?.nextOffset as number).toBe(model.end);
    facts.forEach(({ baseOffset }, at) => {
      if (at > 0) expect(facts[at - 1]?.nextOffset).toBe(baseOffset);
    });
  }

  /** A clean stop, a kill, or a loss of power, in the middle of what is under way. */
  async restart(): Promise<void> {
    const { random, model } = this;
    const how = random.below(3);
    if (how === 0) {
      await this.settle();
      await this.log.close();
      model.durableEnd = model.end;
      model.durableStart = model.start; // the directory writes its checkpoints
      await this.reopen(this.fixture.memoryDisk.crash(), true);
      return;
    }
    for (let turns = random.below(12); turns > 0; turns--) await Promise.resolve();
    this.era++;
    const disk = how === 1 ? this.fixture.memoryDisk.kill() : this.fixture.memoryDisk.crash();
    this.log.closeNow();
    await Promise.allSettled(this.pending);
    this.pending = [];
    await this.reopen(disk, false);
  }

  async reopen(disk: MemoryDisk, isClean: boolean): Promise<void> {
    const { model, random } = this;
    // Checkpoints may be as old as one likes, but for a start that something was dropped for.
    const recoveryPoint = isClean ? model.end : random.below(model.durableEnd + 1);
    const logStartOffset = model.durableStart;
    const { tailBytes } = this;
    const settings = SETTINGS;
    this.fixture = await LogFixture.open({
      disk,
      settings,
      isClean,
      tailBytes,
      recoveryPoint,
      logStartOffset,
    });
    const { log } = this;
    expect(log.logEndOffset).toBeGreaterThanOrEqual(model.durableEnd);
    expect(log.logEndOffset).toBeLessThanOrEqual(model.end);
    expect(log.logStartOffset).toBeGreaterThanOrEqual(logStartOffset);
    expect(log.logStartOffset).toBeLessThanOrEqual(Math.max(model.start, logStartOffset));
    model.start = log.logStartOffset;
    // What was never synced may be lost, from some batch on.
    const found = await this.fixture.readAll();
    const promised = model.readable().filter((bytes) =>
      new BatchView(bytes).nextOffset() <= model.durableEnd
    );
    expect(found.length).toBeGreaterThanOrEqual(promised.length);
    model.batches.length -= model.readable().length - found.length;
    model.cut(log.logEndOffset);
    await this.check();
    const left = disk.list(DIRECTORY).map(({ name }) => name);
    expect(left.filter((name) => /\.(deleted|cleaned|swap)$/.test(name))).toEqual([]);
  }
}

describe("a log", () => {
  for (const tailBytes of [0, 3000, 1 << 20]) {
    test(`keeps its promises in any order of calls, with a tail of ${tailBytes} bytes`, async () => {
      const random = new Prng(seedOf(`log interleavings ${tailBytes}`) + tailBytes);
      for (let count = 0; count < HISTORIES; count++) {
        const fixture = await LogFixture.open({ settings: SETTINGS, tailBytes });
        const history = new History(random, fixture, tailBytes);
        for (let step = 0; step < STEPS; step++) await history.step();
        await history.settle();
        await history.check();
      }
    });
  }
});
