/**
 * What is durable, what is on its way to the disk, and what waits to be handed to the driver.
 *
 * ```
 *   durable          issued                in memory
 *   |................|.....................|
 *   known to survive   persists in flight    goes into the next Ready
 * ```
 *
 * The race this is written for (etcd async_storage_writes_append_aba_race.txt):
 *  1. Entries 10..20 of term 2 go to the disk as persist 5, which is slow.
 *  2. A new leader cuts the log to 10 and appends 10..20 of term 3: persist 6.
 *  3. Persist 5 completes. Offset 20 is on the disk, but it is not the 20 of today.
 * So a cut lowers the ends of all persists in flight: what they complete from then on says nothing
 * about offsets behind the cut.
 */
import { assert } from "../ground/assert.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import type { SnapshotId } from "./entry.ts";
import type { RaftLog } from "./raft_log.ts";
import type { HardState, Persist, RecordsPiece } from "./ready.ts";

interface Flight {
  readonly number: number;
  readonly startedMs: number;
  /** What is durable when it completes. */
  endOffset: number;
}

export class Persistence {
  #durable: number;
  #issued: Offset;
  #flights: Flight[] = [];
  #number = 0;
  #hardStateNumber = 0;
  #completedNumber = 0;
  #isHardStateDirty = false;
  #truncateTo: Offset | undefined;
  #resetTo: SnapshotId | undefined;
  #pieces: RecordsPiece[] = [];
  readonly #lateWriteCounts: boolean;

  constructor(endOffset: Offset, lateWriteCounts: boolean) {
    this.#durable = endOffset;
    this.#issued = endOffset;
    this.#lateWriteCounts = lateWriteCounts;
  }

  /** The log is the present one and durable up to here. */
  get durableOffset(): Offset {
    return toOffset(this.#durable);
  }

  /** Whether a crash now would remember term and vote as they are. */
  get isHardStateDurable(): boolean {
    return !this.#isHardStateDirty && this.#completedNumber >= this.#hardStateNumber;
  }

  /** When the oldest persist in flight was handed out. */
  get oldestStartMs(): number | undefined {
    return this.#flights[0]?.startedMs;
  }

  /** Whether nothing waits and nothing flies. */
  isIdle(log: RaftLog): boolean {
    return this.#flights.length === 0 && !this.isWanted(log);
  }

  hardStateChanged(): void {
    this.#isHardStateDirty = true;
  }

  /** Keeps the bytes of entries that a leader sent. */
  addRecords(piece: RecordsPiece): void {
    this.#pieces.push(piece);
  }

  /** The log was cut: call it with every truncation, before anything is appended again. */
  cutTo(position: Offset): void {
    if (position < this.#issued) {
      const earlier = this.#truncateTo;
      this.#truncateTo = earlier === undefined || position < earlier ? position : earlier;
      this.#issued = position;
    }
    if (this.#pieces.length > 0) this.#cutPieces(position);
    this.#forgetBehind(position);
  }

  #cutPieces(position: Offset): void {
    const pieces = this.#pieces.filter((piece) => piece.from < position);
    this.#pieces = pieces.map((piece) =>
      piece.upTo > position ? { ...piece, upTo: position } : piece
    );
  }

  /** An installed snapshot replaces the log; below `common` the two say the same. */
  resetTo(snapshot: SnapshotId, common: Offset): void {
    this.#resetTo = { offset: snapshot.offset, term: snapshot.term };
    this.#truncateTo = undefined;
    this.#pieces = [];
    this.#issued = snapshot.offset;
    this.#forgetBehind(common);
  }

  /** Hands out what waits, or nothing. */
  take(log: RaftLog, hardState: HardState, nowMs: number): Persist | undefined {
    if (!this.isWanted(log)) return undefined;
    const entries = log.slice(this.#issued, Infinity);
    this.#number++;
    const persist: Persist = {
      number: this.#number,
      entries,
      hardState: this.#isHardStateDirty ? hardState : undefined,
      truncateTo: this.#truncateTo,
      resetTo: this.#resetTo,
      records: this.#pieces.length === 0 ? undefined : this.#pieces,
    };
    if (this.#isHardStateDirty) this.#hardStateNumber = this.#number;
    this.#isHardStateDirty = false;
    this.#truncateTo = undefined;
    this.#resetTo = undefined;
    if (this.#pieces.length > 0) this.#pieces = [];
    this.#issued = log.endOffset;
    this.#flights.push({ number: this.#number, startedMs: nowMs, endOffset: log.endOffset });
    return persist;
  }

  /** Takes note of a completion; repeated and late ones change nothing. */
  completed(number: number): void {
    assert(number <= this.#number, "only what was handed out can complete");
    let flight = this.#flights[0];
    while (flight !== undefined && flight.number <= number) {
      this.#completedNumber = flight.number;
      this.#durable = flight.endOffset;
      this.#flights.shift();
      flight = this.#flights[0];
    }
  }

  /** Whether there is something to hand out. */
  isWanted(log: RaftLog): boolean {
    return this.#isHardStateDirty || this.#truncateTo !== undefined ||
      this.#resetTo !== undefined || this.#issued < log.endOffset;
  }

  #forgetBehind(position: number): void {
    if (this.#lateWriteCounts) return; // sabotage: late-write-counts
    this.#durable = Math.min(this.#durable, position);
    for (const flight of this.#flights) flight.endOffset = Math.min(flight.endOffset, position);
  }
}
