/**
 * The log as the machine sees it: descriptors of batches from the snapshot to the end, and the
 * configurations among them.
 *
 * ```
 *   snapshot        start                                   end
 *   [..............]|<- entry ->|<- entry ->|<-- entry ---->|
 *                   ^ a position: an end, with the term of the batch that ends there
 * ```
 *
 * A configuration is in force from the moment its entry is appended (Raft §6) and out of force when
 * the entry is cut off; so the history is a stack, and the top of it rules.
 * Not here: what is durable (`persistence.ts`), what is committed (`core.ts`).
 */
import { assert } from "../ground/assert.ts";
import type { Offset } from "../ground/numbers.ts";
import type { Configuration } from "./configuration.ts";
import type { Entry, SnapshotId } from "./entry.ts";

interface Ruling {
  /** Base offset of its entry; -1: from the snapshot, or typed in by a person. */
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly configuration: Configuration;
}

export class RaftLog {
  #start: SnapshotId;
  #entries: Entry[] = [];
  #rulings: Ruling[];
  /** Whether the bottom of the stack comes from a snapshot. */
  #isBaseRecorded: boolean;

  constructor(start: SnapshotId, base: Configuration, isBaseRecorded: boolean) {
    this.#start = start;
    this.#rulings = [{ baseOffset: -1, nextOffset: start.offset, configuration: base }];
    this.#isBaseRecorded = isBaseRecorded;
  }

  get startOffset(): Offset {
    return this.#start.offset;
  }

  get endOffset(): Offset {
    const { length } = this.#entries;
    return length === 0 ? this.#start.offset : (this.#entries[length - 1] as Entry).nextOffset;
  }

  get lastTerm(): number {
    const { length } = this.#entries;
    return length === 0 ? this.#start.term : (this.#entries[length - 1] as Entry).term;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** The one in force. */
  get configuration(): Configuration {
    return this.#ruling.configuration;
  }

  /** The end of the entry that brought the configuration in force. */
  get configurationEnd(): number {
    return this.#ruling.nextOffset;
  }

  get #ruling(): Ruling {
    return this.#rulings[this.#rulings.length - 1] as Ruling;
  }

  /** Whether the configuration in force stands in the log or in a snapshot. */
  get isConfigurationRecorded(): boolean {
    return this.#rulings.length > 1 || this.#isBaseRecorded;
  }

  /** The term of the batch that ends at `position`; undefined where none ends, or it is compacted. */
  termAt(position: number): number | undefined {
    if (position === this.endOffset) return this.lastTerm;
    if (position === this.#start.offset) return this.#start.term;
    if (position < this.#start.offset || position > this.endOffset) return undefined;
    const entry = this.#entries[this.#indexAt(position) - 1];
    return entry?.nextOffset === position ? entry.term : undefined;
  }

  /** The entry that begins at `baseOffset`. */
  entryAt(baseOffset: number): Entry | undefined {
    const entry = this.#entries[this.#indexAt(baseOffset)];
    return entry?.baseOffset === baseOffset ? entry : undefined;
  }

  append(entry: Entry): void {
    assert(entry.baseOffset === this.endOffset, "an entry begins where the log ends");
    assert(entry.nextOffset > entry.baseOffset, "an entry holds at least one record");
    assert(entry.term >= this.lastTerm, "terms in the log never fall");
    this.#entries.push(entry);
    if (entry.configuration !== undefined) {
      this.#rulings.push({
        baseOffset: entry.baseOffset,
        nextOffset: entry.nextOffset,
        configuration: entry.configuration,
      });
    }
  }

  /** Cuts the end off; configurations that stood there are out of force. */
  truncateTo(position: Offset, keepsConfigurations = false): void {
    assert(position >= this.#start.offset, "the log is never cut into its snapshot");
    assert(this.termAt(position) !== undefined, "the log is cut between two batches");
    this.#entries.length = this.#indexAt(position);
    if (keepsConfigurations) return;
    while (this.#ruling.baseOffset >= position) this.#rulings.pop();
  }

  /** Forgets what a snapshot of the own state holds. */
  compactTo(snapshot: SnapshotId): void {
    assert(this.termAt(snapshot.offset) === snapshot.term, "a snapshot is of what the log holds");
    const configuration = this.configurationAt(snapshot.offset);
    const isRecorded = this.#isBaseRecorded ||
      this.#rulings.some((ruling) =>
        ruling.baseOffset >= 0 && ruling.nextOffset <= snapshot.offset
      );
    this.#entries.splice(0, this.#indexAt(snapshot.offset));
    this.#rulings = [
      { baseOffset: -1, nextOffset: snapshot.offset, configuration },
      ...this.#rulings.filter((ruling) => ruling.nextOffset > snapshot.offset),
    ];
    this.#isBaseRecorded = isRecorded;
    this.#start = { offset: snapshot.offset, term: snapshot.term };
  }

  /** Becomes empty behind a snapshot that somebody else made. */
  resetTo(snapshot: SnapshotId, configuration: Configuration): void {
    this.#entries = [];
    this.#start = { offset: snapshot.offset, term: snapshot.term };
    this.#rulings = [{ baseOffset: -1, nextOffset: snapshot.offset, configuration }];
    this.#isBaseRecorded = true;
  }

  /** The configuration in force at a position. */
  configurationAt(position: number): Configuration {
    let found = this.#rulings[0] as Ruling;
    for (const ruling of this.#rulings) if (ruling.nextOffset <= position) found = ruling;
    return found.configuration;
  }

  /** The one in force at a position and all behind it: any of them may prove to be committed. */
  configurationsFrom(position: number): readonly Configuration[] {
    const later = this.#rulings.filter((ruling) => ruling.nextOffset > position);
    return [this.configurationAt(position), ...later.map((ruling) => ruling.configuration)];
  }

  /** Entries from a position on, at least one if there is any, else up to `bytesMax`. */
  slice(from: Offset, bytesMax: number): readonly Entry[] {
    const first = this.#indexAt(from);
    let bytes = 0;
    let end = first;
    while (end < this.#entries.length) {
      bytes += (this.#entries[end] as Entry).byteLength;
      if (bytes > bytesMax && end > first) break;
      end++;
    }
    return this.#entries.slice(first, end);
  }

  /**
   * The last position at or below `offset` whose term is at most `term`: both sides use it to step over
   * a whole run of entries that cannot be common (Raft §5.3, fast backing up; etcd findConflictByTerm).
   * Undefined where that lies in the snapshot.
   */
  lastPositionWithin(offset: number, term: number): SnapshotId | undefined {
    let low = 0; // the number of entries that are known to fit
    let high = this.#entries.length;
    while (low < high) { // ends and terms both never fall, so the entries that fit are the first ones
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle] as Entry;
      if (entry.nextOffset <= offset && entry.term <= term) low = middle + 1;
      else high = middle;
    }
    const entry = this.#entries[low - 1];
    if (entry !== undefined) return { offset: entry.nextOffset, term: entry.term };
    const isStartWithin = this.#start.offset <= offset && this.#start.term <= term;
    return isStartWithin ? this.#start : undefined;
  }

  /** How many entries begin below `offset`, which is the index of the one that begins there. */
  #indexAt(offset: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as Entry).baseOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
