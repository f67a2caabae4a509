/**
 * Reading by offset what is not known to be sound: every batch on the way is checked before it counts.
 *
 *     index entry          offset                        limit
 *         ▼                  ▼                             ▼
 *     ────┤ a ├─┤ b ├─┤ c ├──┤ d ├─┤ e ├─┤ f ├─┤ g ├─┤ h ├─┤ i ├───
 *         checked, skipped   └──────── the slice ────────┘
 *
 * The walk begins at an index entry, since what a batch's header says may be wrong as well: a batch
 * that hides the one behind it would make a hole. An entry that leads astray is itself checked by a
 * walk from the entry before it, or from the segment's start.
 * Damage is gone around by its length, or by the index; offsets that it may hold are refused.
 */
import {
  CHECK_CHUNK_BYTES,
  checkBatches,
  type CheckedBatch,
  type CheckResult,
  type Damage,
} from "./batch_check.ts";
import { type EpochedLog, mayTrustEpochs } from "./epoch_doubt.ts";
import { LogFault } from "../log_fault.ts";
import type { OffsetIndex, OffsetPosition } from "../index/offset_index.ts";
import type { DamagedBatch, ReadChecks } from "./read_checks.ts";
import type { NextRead, Segment } from "../segment/segment.ts";

/** What a checked read needs of its log. */
export interface CheckedLog extends EpochedLog {
  readonly reads: ReadChecks;
}

export interface CheckedGoal {
  readonly offset: number;
  readonly bytesMax: number;
  /** Exclusive; the boundary of a batch. */
  readonly upTo: number;
  /** Behind the last byte and the last offset that the segment had when the read began. */
  readonly end: number;
  readonly ceiling: number;
}

/** Whole sound batches; `baseOffset` is undefined where none of the segment is asked for. */
export interface CheckedRange {
  readonly position: number;
  readonly stop: number;
  readonly baseOffset: number;
  readonly nextOffset: number;
}

interface Start {
  readonly position: number;
  readonly floor: number;
  readonly lastOffset?: number | undefined;
}

/** Covers the usual `index.interval.bytes` before the batch that is asked for. */
const CHUNK_MIN_BYTES = 8 * 1024;
/** Consumers of one segment that are remembered. */
const NEXT_READS_MAX = 8;
/** Entries of the index that are tried before the walk begins at the segment's start. */
const ENTRIES_TRIED = 2;

/**
 * The range from the batch that holds `offset` on; "gap" where the segment has nothing at or behind it,
 * "none" where nothing of it is below `upTo`. Throws a `DamagedBatch` where `offset` may lie in one.
 */
export async function readChecked(
  log: CheckedLog,
  segment: Segment,
  goal: CheckedGoal,
): Promise<CheckedRange | "gap" | "none"> {
  const known = segment.verified.damageAt(goal.offset, log.reads.damageSinceMs());
  if (known !== undefined) throw known.fault;
  const starts = await startsOf(segment, goal.offset);
  for (const [index, start] of starts.entries()) {
    const walk = new CheckedWalk(log, segment, goal);
    // deno-lint-ignore no-await-in-loop -- the next one only where this one leads astray
    const found = await walk.run(start);
    if (found === "astray") continue;
    // deno-lint-ignore no-await-in-loop
    if (index > 0) await rebuildIfPossible(segment, "an entry does not point to its batch");
    return found;
  }
  return "gap"; // never: the last start is the segment's
}

/** Where a walk to `offset` may begin, the nearest first; the last one is always right. */
async function startsOf(segment: Segment, offset: number): Promise<readonly Start[]> {
  const next = segment.nextReads.find(({ baseOffset }) => baseOffset === offset);
  if (next !== undefined) return [{ position: next.position, floor: offset }];
  const starts: Start[] = [];
  const { offsets } = await segment.indexes().catch(noIndexes) ?? {};
  for (let back = 0; back < ENTRIES_TRIED && offsets !== undefined; back++) {
    const { position, lastOffset } = offsets.lookupBack(offset, back);
    if (lastOffset === undefined) break;
    starts.push({ position, floor: lastOffset, lastOffset });
  }
  starts.push({ position: 0, floor: segment.baseOffset });
  return starts;
}

/** A segment whose damage keeps its indexes from being made anew is read without them. */
function noIndexes(fault: unknown): undefined {
  if (!(fault instanceof LogFault)) throw fault;
}

/** Makes the indexes anew; leaves them where damage does not let it. */
export async function rebuildIfPossible(segment: Segment, reason: string): Promise<void> {
  await segment.rebuildIndexes(reason).catch(noIndexes);
}

class CheckedWalk {
  readonly #log: CheckedLog;
  readonly #segment: Segment;
  readonly #goal: CheckedGoal;
  #first: CheckedBatch | undefined;
  #last: CheckedBatch | undefined;
  /** What lies before the batch that comes next, if that is not sound. */
  #damage: Damage | undefined;
  #refusal: DamagedBatch | undefined;

  constructor(log: CheckedLog, segment: Segment, goal: CheckedGoal) {
    this.#log = log;
    this.#segment = segment;
    this.#goal = goal;
  }

  async run(start: Start): Promise<CheckedRange | "gap" | "none" | "astray"> {
    let from: Start | undefined = start;
    while (from !== undefined) {
      // deno-lint-ignore no-await-in-loop -- what lies behind damage is looked at behind it
      const result = await this.#check(from, from !== start);
      if (result.kind === "astray" && from === start) return "astray";
      // deno-lint-ignore no-await-in-loop
      if (await isOnlyDoubt(this.#log, this.#segment, result)) {
        return await this.#again().run(start);
      }
      if (result.kind === "stopped" && result.header.isExact) {
        const { position, baseOffset } = result.header; // the rest of it was not checked
        noteNextRead(this.#segment, { position, baseOffset, sound: undefined });
      }
      // deno-lint-ignore no-await-in-loop
      from = result.kind === "damaged" ? await this.#behind(result, from) : undefined;
    }
    const { end, upTo, ceiling } = this.#goal;
    const isCut = this.#segment.sizeInBytes < end; // meanwhile: it was looked for where it is no more
    if (isCut) return "none";
    const [first, last] = [this.#first, this.#last];
    if (first === undefined && this.#damage !== undefined) this.#refuse(this.#damage, ceiling);
    if (this.#refusal !== undefined) throw this.#refusal;
    if (first === undefined || last === undefined) {
      await this.#segment.indexes(); // throws where they know of batches that are not there
      return "gap";
    }
    if (first.baseOffset >= upTo) return "none";
    const stop = last.position + last.sizeInBytes;
    const { position, baseOffset } = first;
    return { position, stop, baseOffset, nextOffset: last.nextOffset };
  }

  #again(): CheckedWalk {
    return new CheckedWalk(this.#log, this.#segment, this.#goal);
  }

  async #check(from: Start, isFloorLoose: boolean): Promise<CheckResult> {
    const { end, ceiling, bytesMax } = this.#goal;
    const { reads } = this.#log;
    const epochs = reads.epochsOf(this.#log);
    const checkedMs = reads.nowMs(); // what rots from now on is found by the next check
    const chunkBytes = Math.min(CHECK_CHUNK_BYTES, bytesMax + CHUNK_MIN_BYTES);
    let soundTo = from.position;
    const onSound = (batch: CheckedBatch): void => {
      soundTo = batch.position + batch.sizeInBytes;
      this.#onSound(batch);
    };
    const result = await this.#segment.withFile((file) =>
      checkBatches(file, { ...from, end, ceiling, isFloorLoose, chunkBytes }, {
        crc32c: reads.crc32c,
        epochs,
        wants: (header) => this.#wants(header),
        onSound,
      })
    );
    reads.metrics.checkedBytes += soundTo - from.position;
    this.#segment.verified.note(from.position, soundTo, checkedMs);
    return result;
  }

  /** Hears of a batch after the one before it was found to be sound. */
  #wants(header: CheckedBatch): boolean {
    if (this.#refusal !== undefined) return false;
    if (this.#first === undefined) return true;
    const { bytesMax, upTo } = this.#goal;
    const byteLength = header.position + header.sizeInBytes - this.#first.position;
    return byteLength <= bytesMax && header.baseOffset < upTo;
  }

  #onSound(batch: CheckedBatch): void {
    const damage = this.#damage;
    this.#damage = undefined;
    if (this.#first === undefined && batch.nextOffset <= this.#goal.offset) return;
    if (damage !== undefined && this.#goal.offset < batch.baseOffset) {
      this.#refuse(damage, batch.baseOffset);
      return;
    }
    this.#first ??= batch;
    this.#last = batch;
  }

  /** Where to go on; undefined where the slice ends before the damage, or nothing is known behind it. */
  async #behind(damage: Damage, from: Start): Promise<Start | undefined> {
    const isCut = this.#segment.sizeInBytes < this.#goal.end;
    if (isCut || this.#refusal !== undefined) return undefined;
    const { position, floor, skipTo } = damage;
    const isNew = this.#damage === undefined || position > from.position;
    if (isNew) this.#tell(damage);
    if (this.#first !== undefined) return undefined;
    this.#damage ??= damage;
    if (skipTo !== undefined && skipTo <= this.#goal.end) return { position: skipTo, floor };
    const indexes = await this.#segment.indexes().catch(noIndexes);
    const entry = indexes && firstEntryBehind(indexes.offsets, position);
    return entry && { ...entry, floor };
  }

  #tell({ position, floor, reason }: Damage): DamagedBatch {
    const path = this.#segment.path("log");
    return this.#log.reads.damaged(path, { position, offset: floor, reason });
  }

  /** The asked offset may lie in the damaged batch: whoever asks for it hears of that. */
  #refuse(damage: Damage, ceiling: number): void {
    const fault = this.#tell(damage);
    const foundMs = this.#log.reads.nowMs();
    this.#segment.verified.noteDamage({ floor: damage.floor, ceiling, foundMs, fault });
    this.#refusal = fault;
  }
}

/** Whether it is the log's epochs that are wrong: they are not asked any more then. */
export async function isOnlyDoubt(
  log: CheckedLog,
  segment: Segment,
  result: CheckResult,
): Promise<boolean> {
  if (result.kind !== "damaged" || !result.isEpoch) return false;
  if (await mayTrustEpochs(log, segment, result.position)) return false;
  log.reads.onEpochsLie(log.directory);
  return true;
}

/** One more read of the same consumer will begin at this batch, and need not search for it. */
export function noteNextRead(segment: Segment, next: NextRead): void {
  const { nextReads } = segment;
  for (let index = 0; index < nextReads.length; index++) {
    if (nextReads[index]?.position !== next.position) continue;
    if (next.sound !== undefined) nextReads[index] = next;
    return;
  }
  if (nextReads.length === NEXT_READS_MAX) nextReads.shift();
  nextReads.push(next);
}

function firstEntryBehind(offsets: OffsetIndex, position: number): OffsetPosition | undefined {
  let low = 0; // entries from the last one back
  let high = offsets.entries.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets.lookupBack(Infinity, middle).position > position) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : offsets.lookupBack(Infinity, low - 1);
}
